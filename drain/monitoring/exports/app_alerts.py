"""Alerts about the apps: they mirror those that Tailrace has without a file."""

from __future__ import annotations

from collections.abc import Iterator

from app.outcomes import ABORTED_CODES
from drain.monitoring.exports import recording
from drain.monitoring.exports.alert import Alert, Severity, while_complete
from drain.monitoring.exports.promql import ACROSS, mean
from drain.monitoring.families import platform, requests

MIN_REQUESTS = 20
"""In five minutes: with fewer, nothing is said of a share."""

ERRORS: tuple[tuple[Severity, float], ...] = (("critical", 0.1), ("warning", 0.02))
ROUTE_ERRORS = 0.05
"""Told of a route where its app is within the limit."""
WORSE = 0.01
"""Share of failures, and three times that of before, from which a release is to blame."""
ABORTED = 0.05
CODES_PER_MIN, CODES_SHARE = 10, 0.01
HARMLESS_CODES = "|".join(sorted({*ABORTED_CODES, "H80"}))
"""H-codes that are no fault of the app: the client left, or maintenance mode is on (H80)."""

SILENT_BELOW = 0.05
"""Requests per second, the median of six hours: an app that usually has fewer may be silent for 5 minutes."""

SLOW_S, SLOWER = 1, 3
SLOW_MIN_REQUESTS = 100

RELEASE_S = 1_800

MEMORY_ERRORS: tuple[tuple[str, int, Severity, str], ...] = (
    ("R14", 3, "warning", "It is over its quota and swaps, so it is slow."),
    ("R15", 0, "critical", "It was far over its quota, and the platform killed it."),
)
"""Code, how often within the hour is too often, how urgent, and what it means."""

OBJECTIVE = 0.999
BURN_RATES: tuple[tuple[Severity, float, str, str], ...] = (
    ("critical", 14.4, recording.HOUR, recording.MINUTES_5),
    ("warning", 6, recording.HOURS_6, recording.MINUTES_30),
)
"""How many times faster than allowed, over a long span and a short one, which ends the alert soon."""
SLO_MIN_FAILED = 10

APP = '{{ or $labels.app "requests without an app\'s name" }}'
OF_APP, ON_APP = (f"{{{{ with $labels.app }}}} {flag} {{{{ . }}}}{{{{ end }}}}" for flag in ("--app", "-a"))
"""In a command that is to be pasted, for Tailrace and for Heroku. A name has letters, digits, `-` and `_`."""
SHARE = "{{ $value | humanizePercentage }}"
_BROKEN = "My app is broken"
_ENOUGH = f"{recording.REQUESTS} * 300 >= {MIN_REQUESTS}"


def app_alerts() -> Iterator[Alert]:
    """Requests first, then releases and dynos, then budgets."""
    yield from _errors()
    yield _route_errors()
    yield _codes()
    yield _aborted()
    yield _silent()
    yield _slow()
    yield _release()
    yield from _dynos()
    yield from _budgets()


def _errors() -> Iterator[Alert]:
    certain = recording.certain("failed")
    for severity, limit in ERRORS:
        yield Alert(
            name="TailraceAppErrors",
            expr=while_complete(f"{certain} > {limit}\nand {_ENOUGH}"),
            severity=severity,
            summary=f"{APP}: at least {SHARE} of requests fail, the limit is {limit:.0%}",
            action="On the page, choose the app: since when, which route, which dyno, after which release.",
            runbook=_BROKEN,
            for_="1m",
        )


def _route_errors() -> Alert:
    app_limit = min(limit for _, limit in ERRORS)
    return Alert(
        name="TailraceRouteErrors",
        expr=while_complete(
            f"{recording.ROUTE_CERTAIN} > {ROUTE_ERRORS}\n"
            f"and {recording.ROUTE_REQUESTS} * 300 >= {MIN_REQUESTS}\n"
            f"unless on (job, app) {recording.certain('failed')} > {app_limit}"
        ),
        severity="warning",
        summary=f"{APP}: at least {SHARE} of requests to {{{{ $labels.route }}}} fail, the limit is "
        f"{ROUTE_ERRORS:.0%}",
        action="The app as a whole is within its limit: look at this route, and at what it calls.",
        runbook=_BROKEN,
        for_="1m",
    )


def _codes() -> Alert:
    codes = f'{recording.CODES}{{code!~"{HARMLESS_CODES}"}}'
    return Alert(
        name="TailraceAppRouterErrors",
        expr=while_complete(
            f"{codes} * 60 > {CODES_PER_MIN}\n"
            f"and {codes} / ignoring (code) group_left () {recording.REQUESTS} > {CODES_SHARE}"
        ),
        severity="critical",
        summary=f"{APP}: {{{{ $value | humanize }}}} {{{{ $labels.code }}}} a minute",
        action=f"`python -m app requests{OF_APP} --code {{{{ $labels.code }}}} --from 10m --group-by dyno` "
        "shows whether one dyno has them.",
        runbook=_BROKEN,
        for_="2m",
    )


def _aborted() -> Alert:
    return Alert(
        name="TailraceAppAborted",
        expr=while_complete(f"{recording.certain('aborted')} > {ABORTED}\nand {_ENOUGH}"),
        severity="warning",
        summary=f"{APP}: clients give up on at least {SHARE} of requests",
        action="They wait too long, mostly: look at the slowest routes.",
        runbook=_BROKEN,
        for_="5m",
    )


def _silent() -> Alert:
    at = recording.REQUESTS
    return Alert(
        name="TailraceAppSilent",
        expr=while_complete(
            f"{at} == 0\n"
            f"and quantile_over_time(0.5, {at}[6h]) > {SILENT_BELOW}\n"
            f"unless avg_over_time({at}[10m] offset 1d) == 0"
        ),
        severity="critical",
        summary=f"{APP}: no request for 5 minutes",
        action=f"Does the app answer? Then its drain is gone or leads elsewhere: `heroku drains{ON_APP}`.",
        runbook=_BROKEN,
        for_="1m",
    )


def _slow() -> Alert:
    p95 = recording.percentile(95)
    usual = f"quantile_over_time(0.5, {p95}[1d] offset 10m)"
    return Alert(
        name="TailraceAppSlow",
        expr=while_complete(
            f"{p95} > {SLOW_S}\nand {p95} > {SLOWER} * {usual}\n"
            f"and {recording.REQUESTS} * 300 >= {SLOW_MIN_REQUESTS}"
        ),
        severity="warning",
        summary=f"{APP}: p95 is {{{{ $value | humanizeDuration }}}}, over {SLOWER} times the usual",
        action="On the page, choose the app and sort its routes by p95: one route, or all of them?",
        runbook=_BROKEN,
        for_="3m",
    )


def _release() -> Alert:
    certain, before = recording.certain("failed"), recording.ratio("failed", recording.HOUR)
    at = f"time() - {mean(platform.RELEASE_AT.name)}"
    return Alert(
        name="TailraceAppErrorsAfterRelease",
        expr=while_complete(
            f"{certain} > {WORSE}\nand {_ENOUGH}\n"
            f"unless {certain} <= 3 * {before} offset 30m\n"
            f"and on (job, app) {at} < {RELEASE_S}"
        ),
        severity="critical",
        summary=f"{APP}: at least {SHARE} of requests fail since the last release",
        action=f"`python -m app compare{OF_APP} --release latest` compares it with what was before, route by "
        "route. Roll back if in doubt.",
        runbook="A release made it worse",
        for_="1m",
    )


def _dynos() -> Iterator[Alert]:
    memory, quota = platform.DYNO_MEMORY.name, platform.DYNO_QUOTA.name
    dyno = f"{APP}: {{{{ $labels.dyno }}}}"
    runbook = "Memory errors: R14 and R15"
    yield Alert(
        name="TailraceDynoOverMemory",
        expr=f"max {ACROSS} ({memory} / {quota}) > 1",
        severity="warning",
        summary=f"{dyno} uses {SHARE} of its memory",
        action="It swaps, so it is slow. Restart it, then find what takes the memory.",
        runbook=runbook,
        for_="5m",
    )
    for code, limit, severity, meaning in MEMORY_ERRORS:
        yield Alert(
            name="TailraceDynoMemoryErrors",
            expr=f'max {ACROSS} ({platform.DYNO_MEMORY_ERRORS.name}{{code="{code}"}}) > {limit}',
            severity=severity,
            summary=f"{dyno} had {code} {{{{ $value }}}} times within the hour",
            action=f"{meaning} Find what takes the memory; restart it meanwhile.",
            runbook=runbook,
        )
    yield Alert(
        name="TailraceDynoCrashes",
        expr=f"max {ACROSS} ({platform.DYNO_CRASHES.name}) > 2",
        severity="critical",
        summary=f"{dyno} crashed {{{{ $value }}}} times within the hour",
        action=f"The page's events show its exit status; `heroku logs -n 500{ON_APP}` why.",
        runbook=_BROKEN,
    )


def _budgets() -> Iterator[Alert]:
    """An example: burn rates over two spans, by Google's SRE workbook, "Alerting on SLOs"."""
    for severity, times, long, short in BURN_RATES:
        limit = round(times * (1 - OBJECTIVE), 6)
        of_long, of_short = (recording.ratio("failed", span) for span in (long, short))
        failed = mean(f"increase({requests.APP.named.failed.total}[{long}])")
        yield Alert(
            name="TailraceAppBudgetBurns",
            expr=while_complete(
                f"{of_long} > {limit:g}\nand {of_short} > {limit:g}\nand {failed} >= {SLO_MIN_FAILED}"
            ),
            severity=severity,
            summary=f"{APP}: {SHARE} of requests failed within {long}: {times:g} times what an objective of "
            f"{OBJECTIVE:.1%} allows",
            action="At this pace the budget of 30 days is used up in "
            f"{30 / times:.2g} days. Change the objective in this rule to yours.",
            runbook=_BROKEN,
            labels={"slo": f"{OBJECTIVE:.1%} of requests succeed"},
        )
