"""Alerts about Tailrace itself: nothing arrives, nothing is counted, or something was lost."""

from __future__ import annotations

from collections.abc import Iterator

from app.groups import METRICS
from drain.monitoring.exports.alert import Alert
from drain.monitoring.exports.promql import ACROSS, grown, rate, total
from drain.monitoring.exports.recording import INCOMPLETE_LAG_S
from drain.monitoring.families import alerts, health, intake

JOB = "tailrace"
"""Of the scrape's configuration in docs/prometheus.md."""

HARMLESS_FAULTS = "newline|app_name|platform_topic"
"""Faults of frames that were accepted."""

REFUSED_SHARE, REFUSED_MIN = 0.01, 5
"""Of frames, and in five minutes: a single 503 is no loss, because its sender tries again."""

NOT_JUDGED_S = 120
"""Rules are judged every 10 s."""

FULL = 0.9
WITHOUT_PATH_SHARE = 0.01

GROUP = "{{ $labels.group }}"
SHARE = "{{ $value | humanizePercentage }}"
COUNT = "{{ $value | humanize }}"
AN_APP = '{{ or $labels.app "your app" }}'
_METRICS = f'group="{METRICS.name}"'


def own_alerts() -> Iterator[Alert]:
    """What freezes the figures first, then what was lost, then what will be."""
    yield from _unreachable()
    yield from _workers()
    yield from _alerts()
    yield from _refused()
    yield from _lost()
    yield from _full()


def _unreachable() -> Iterator[Alert]:
    yield Alert(
        name="TailraceIsUnreachable",
        expr=f'up{{job="{JOB}"}} == 0',
        severity="critical",
        summary="{{ $labels.instance }} does not answer Prometheus",
        action="Does `web` run? Is the login of the scrape right? Apps' logs are lost while it does not run.",
        runbook="First look",
        for_="2m",
    )
    yield Alert(
        name="TailraceRedisIsUnreachable",
        expr=f"{health.REDIS_UP.name} == 0",
        severity="critical",
        summary="Redis is unreachable: nothing is counted",
        action="Without Kafka frames are refused, too: senders try again for about 15 s. See to Redis.",
        runbook="First look",
        for_="1m",
    )


def _workers() -> Iterator[Alert]:
    workers, waiting = health.GROUP_WORKERS.name, health.GROUP_WAITING.name
    yield Alert(
        name="TailraceFiguresAreFrozen",
        expr=f"max {ACROSS} ({workers}{{{_METRICS}}}) == 0",
        severity="critical",
        summary=f"No {GROUP} worker is running: the figures are frozen, and no alert about an app can fire",
        action="Start one: `heroku ps:scale metrics=1`. Its log says why it stopped.",
        runbook="`no_worker:GROUP`",
        for_="1m",
    )
    others = f'{workers}{{group!="{METRICS.name}"}}'
    yield Alert(
        name="TailraceWorkersAreGone",
        expr=f"max {ACROSS} ({others} == 0 and max_over_time({others}[1h]) > 0)",
        severity="warning",
        summary=f"No {GROUP} worker is running; there was one within the hour",
        action="Start one, unless you stopped it on purpose. Its log says why it stopped.",
        runbook="`no_worker:GROUP`",
        for_="2m",
    )
    yield Alert(
        name="TailraceWorkersWait",
        expr=f"max {ACROSS} ({waiting} >= {workers} and {workers} > 0)",
        severity="critical",
        summary=f"All workers of {GROUP} wait: what they need is unreachable",
        action="They log the cause as `waiting: ...`, and go on by themselves.",
        runbook="`waiting:GROUP`",
        for_="1m",
    )
    yield Alert(
        name="TailraceIsBehind",
        expr=f"max {ACROSS} ({health.GROUP_LAG_S.name} and {workers} > 0) > {INCOMPLETE_LAG_S}",
        severity="warning",
        summary=f"{GROUP} is {{{{ $value | humanizeDuration }}}} behind",
        action="If the lag does not shrink, start more workers.",
        runbook="`lag:GROUP`",
        for_="2m",
    )


def _alerts() -> Iterator[Alert]:
    """About the alerts that Tailrace sends itself: who else should tell that they do not come?"""
    judged = f"max {ACROSS} ({alerts.EVALUATED_AT.name})"
    yield Alert(
        name="TailraceAlertsAreNotJudged",
        # There is no such series as long as nothing has judged at all.
        expr=f"time() - {judged} > {NOT_JUDGED_S}\n"
        f"or max {ACROSS} ({health.REDIS_UP.name}) == 1 unless {judged}",
        severity="critical",
        summary="Tailrace does not judge its alert rules{{ if gt $value 1.0 }}: the last time was "
        "{{ $value | humanizeDuration }} ago{{ end }}",
        action="Start a worker of `alerts` or `metrics`. Until then Tailrace itself tells nobody anything.",
        runbook="`alerts_stopped`",
        for_="1m",
    )
    yield Alert(
        name="TailraceAlertTargetFails",
        expr=grown(alerts.GIVEN_UP.total, "1h", "", health.REDIS_UP.name),
        severity="critical",
        summary=f"{COUNT} messages never reached the target {{{{ $labels.target }}}}",
        action="The page shows why. Once it is mended, send one by "
        "`python -m app alerts test {{ $labels.target }}`.",
        runbook="`alert_target:NAME`",
    )


def _refused() -> Iterator[Alert]:
    answers = intake.ANSWERS.total
    part, whole = (
        f"sum without (instance, pod, status) ({rate(answers, '5m', where)})"
        for where in ('status="503"', "")
    )
    yield Alert(
        name="TailraceFramesRefused",
        expr=f"{part}\n/\n{whole}\n> {REFUSED_SHARE}\nand {part} * 300 >= {REFUSED_MIN}",
        severity="critical",
        summary=f"{SHARE} of frames get 503",
        action="Logplex tries twice more, then drops them. The line `frame rejected` has the reason.",
        runbook="`losses:APP`",
        for_="2m",
    )
    faults = f'sender="logplex",kind!~"{HARMLESS_FAULTS}"'
    yield Alert(
        name="TailraceSendersAreRefused",
        expr=grown(health.SENDER_FAULTS.total, "1h", faults, health.REDIS_UP.name),
        severity="warning",
        summary=f"{COUNT} frames were refused for good within the hour: {{{{ $labels.kind }}}}",
        action="Logplex does not send them again. `/api/health` has the digest of the drain's token.",
        runbook="`frames_refused:REASON`",
    )
    yield Alert(
        name="TailraceCertificateRejected",
        expr=grown(health.SENDER_REPORTS.total, "1h", 'code="L14"', health.REDIS_UP.name),
        severity="critical",
        summary=f"Logplex does not accept the certificate of a drain of {AN_APP} (L14)",
        action="If it is Tailrace's, renew it: until then nothing arrives.",
        runbook="`sender_report:CODE:APP`",
    )
    p99 = f"histogram_quantile(0.99, {total(rate(intake.APPEND_S.bucket, '5m'))})"
    yield Alert(
        name="TailraceLogIsSlow",
        expr=f"{p99} > 1",
        severity="warning",
        summary="The log takes {{ $value | humanizeDuration }} to acknowledge a frame (p99)",
        action="Redis, or the broker, is slow. Frames that take too long get 503.",
        runbook="`losses:APP`",
        for_="10m",
    )


def _lost() -> Iterator[Alert]:
    was_scraped = health.REDIS_UP.name
    yield Alert(
        name="TailraceLogplexLost",
        expr=grown(health.LOSSES.total, "1h", "", was_scraped),
        severity="warning",
        summary=f"{COUNT} messages of {AN_APP} were lost on their way within the hour (L10 and the like)",
        action="The drain was too slow or unreachable: more `web` processes, or see to the network.",
        runbook="`losses:APP`",
    )
    yield Alert(
        name="TailraceLogFull",
        expr=f"max {ACROSS} (increase({health.LOG_FULL.total}[5m])) > 0",
        severity="critical",
        summary=f"The log is full: frames get 503 until {GROUP} catches up",
        action="Start more workers of that group, or raise `REDIS_LOG_MAX_MB`.",
        runbook="`log_full:GROUP`",
    )
    yield Alert(
        name="TailraceLogLost",
        expr=f"max {ACROSS} (increase({health.LOG_LOST.total}[1h])) > 0",
        severity="warning",
        summary=f"The log dropped {COUNT} messages before {GROUP} had read them",
        action="Keep its workers running. A larger log bridges longer pauses.",
        runbook="`log_lost:GROUP`",
    )
    messages = health.GROUP_MESSAGES.total
    of_what = "without (instance, pod, what)"
    part, whole = (
        f'max {of_what} (increase({messages}{{{_METRICS},what="{what}"}}[1h]))'
        for what in ("without_path", "messages")
    )
    yield Alert(
        name="TailraceLinesWithoutPath",
        expr=f"{part}\n/\n{whole}\n> {WITHOUT_PATH_SHARE}",
        severity="warning",
        summary=f"{SHARE} of router lines have no path, so their requests are not counted",
        action="`python -m app dead-letters list` shows examples.",
        runbook="`without_path:GROUP`",
    )
    yield Alert(
        name="TailraceRedisRefuses",
        expr=f'max {ACROSS} ({messages}{{what="refused"}}) > 0',
        severity="warning",
        summary=f"Redis refused {COUNT} updates of {GROUP}: another program uses its keys",
        action="Give Tailrace its own Redis in `REDIS_URL`.",
        runbook="`refused:GROUP`",
    )


def _full() -> Iterator[Alert]:
    memory, limit = health.REDIS_MEMORY.name, health.REDIS_LIMIT.name
    yield Alert(
        name="TailraceRedisIsFull",
        expr=f"max {ACROSS} ({memory} / {limit}) > {FULL}",
        severity="critical",
        summary=f"Redis is {SHARE} full; when it is full, frames are refused",
        action="`python -m app memory` shows what uses it. Take a larger plan, or lower `ROUTES_MAX` or "
        "`REDIS_LOG_MAX_MB`.",
        runbook="`memory`",
        for_="5m",
    )
    yield Alert(
        name="TailraceDeadLetters",
        expr=f"max {ACROSS} ({health.DEAD_LETTERS.name}) > 0",
        severity="warning",
        summary=f"{COUNT} lines could not be processed",
        action="List them with `python -m app dead-letters list`, then requeue or drop them.",
        runbook="`dead_letters`",
        for_="10m",
    )
    yield Alert(
        name="TailraceDeadLettersDropped",
        expr=f"max {ACROSS} (increase({health.DEAD_LETTERS_DROPPED.total}[1h])) > 0",
        severity="warning",
        summary=f"{COUNT} dead letters could not be kept",
        action="Find the sender: `python -m app dead-letters list` shows the newest.",
        runbook="`dead_letters_dropped`",
    )
