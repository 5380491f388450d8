"""`python -m app replay`: a window of the past against a target, with a verdict."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import secrets
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import redis

from app.cli.progress import ProgressBar
from app.errors import BadSettings, LogUnavailable
from app.escaping import for_terminal
from app.log import History, open_log
from app.redis_client import connect, why_refused
from app.routes import route_namer
from app.settings import Settings
from app.settings import readers as kind
from app.settings.readers import app_argument
from app.store.queries.replays import compared
from app.store.replay import Figures, Run
from consumers.replay import report
from consumers.replay.moments import iso, moment_ms
from consumers.replay.pace import Pacer
from consumers.replay.player import SameHost, check_known_hosts, policy_from_settings, unsafe_methods
from consumers.replay.run_recorder import RunRecorder
from consumers.replay.stop import Stop
from consumers.replay.target import Target
from consumers.replay.thresholds import Finding, Threshold, check, parse_threshold, shown
from consumers.replay.window import LEAD_S, Plan, Progress, TargetDown, Window

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TARGET_DOWN = 3
EXIT_INTERRUPTED = 130
REDIS_TIMEOUT_S = 2.0

EPILOG = """\
examples:
  python -m app replay --from 2026-11-23T10:00Z --until 11:00Z --speed 10 --to https://staging.example.com
  python -m app replay --from 1h --to https://staging.example.com --dry-run
  python -m app replay --from 30m --speed max --rate 200 --to https://review-42.example.com \\
      --fail-if 'p95>+20%' --fail-if 'status-changed>1%' --report report.json --report report.md
  python -m app replay --from 1h --to https://new.example.com --baseline https://old.example.com

--fail-if: p50, p90, p95 or p99 >+20% or >+100ms (against the original) or >500ms; status-changed>1%;
errors>0.5%. Each holds for all requests and for each route, where the samples allow to be sure.

exit code: 0 passed, 1 a threshold was crossed or measured nothing, 2 bad usage or settings, 3 the target
or the log is down, 130 interrupted (a command to go on is printed)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Replays a window of the kept log by time against a target, and compares."
    parser.epilog = EPILOG
    parser.add_argument(
        "--from", dest="start", required=True, metavar="TIME", help="2026-11-23T10:00Z, 10:00Z, 1h (ago)"
    )
    parser.add_argument(
        "--until", default="now", metavar="TIME", help="also 11:00Z on the day of --from (default: now)"
    )
    parser.add_argument("--to", metavar="URL", help="the target (default: REPLAY_HOST)")
    parser.add_argument(
        "--baseline", metavar="URL", help="a second target, compared with instead of the original"
    )
    parser.add_argument("--speed", metavar="N", help="1: as it was; 10; max (default: REPLAY_SPEED)")
    parser.add_argument("--rate", metavar="N", help="limit of requests a second (default: REPLAY_RATE)")
    parser.add_argument("--concurrency", metavar="N", help="requests at once (default: REPLAY_CONCURRENCY)")
    parser.add_argument(
        "--sample", metavar="SHARE", help="0 to 1, the same requests each time (default: REPLAY_SAMPLE)"
    )
    parser.add_argument("--app", type=app_argument, default="", help="one app's requests alone")
    parser.add_argument("--dry-run", action="store_true", help="count what would be sent; send nothing")
    parser.add_argument(
        "--fail-if", action="append", default=[], metavar="COND", help="see below; may be repeated"
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="report.json or report.md; may be repeated",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """See the exit codes in EPILOG. Raises TailraceError for bad usage."""
    settings = _with_flags(settings, args)
    thresholds = [parse_threshold(text) for text in args.fail_if]
    report.check_paths(args.report)
    plan = _plan(args, settings)
    if unsafe := unsafe_methods(settings.replay_methods):
        print(f"REPLAY_METHODS: {unsafe} are sent too, with EMPTY bodies: logs hold none", file=sys.stderr)
    pacer = Pacer(settings.replay_speed, settings.replay_rate, sys.maxsize, lead_s=LEAD_S)
    window = Window(plan, route_namer(settings), pacer)
    try:
        history = open_log(settings).history()
        try:
            estimate = history.estimate(plan.from_ms, plan.until_ms)
            if args.dry_run:
                bar = ProgressBar(sys.stderr, plan.until_ms, estimate, math.inf)
                counts = window.rehearse(history, bar.show)
                bar.finish()
                return _tell_rehearsal(counts)
            bar = ProgressBar(
                sys.stderr, plan.until_ms, estimate, settings.replay_speed, settings.replay_rate
            )
            return _replay(args, settings, window, bar, thresholds, history)
        finally:
            history.close()
    except (LogUnavailable, redis.RedisError) as fault:
        print(_words(fault), file=sys.stderr)
        return EXIT_TARGET_DOWN


def _with_flags(settings: Settings, args: argparse.Namespace) -> Settings:
    """Flags are settings for one run, checked in the same way."""
    faults: list[str] = []
    values: dict[str, object] = {}
    for flag, name, read in (
        ("to", "replay_host", kind.base_url),
        ("speed", "replay_speed", kind.speed),
        ("rate", "replay_rate", kind.positive),
        ("concurrency", "replay_concurrency", kind.whole_number(1, 1024)),
        ("sample", "replay_sample", kind.share),
    ):
        raw = getattr(args, flag)
        if raw is not None:
            try:
                values[name] = read(raw)
            except ValueError as fault:
                faults.append(f"--{flag} {fault}{kind.it_is(raw, read)}")
    if faults:
        raise BadSettings(faults)
    settings = dataclasses.replace(settings, **values)  # type: ignore[arg-type]
    if not settings.replay_host:
        raise BadSettings(["--to is missing, and REPLAY_HOST is unset"])
    return settings


def _plan(args: argparse.Namespace, settings: Settings) -> Plan:
    now = datetime.now(UTC)
    from_ms = moment_ms(args.start, now)
    until_ms = moment_ms(args.until, now, datetime.fromtimestamp(from_ms / 1000, UTC))
    if until_ms <= from_ms:
        raise BadSettings([f"--until ({iso(until_ms)}) must be after --from ({iso(from_ms)})"])
    return Plan(
        from_ms=from_ms,
        until_ms=until_ms,
        target=Target.parse(settings.replay_host),
        baseline=None if args.baseline is None else Target.parse(args.baseline),
        choice=policy_from_settings(settings, os.environ),
        app=args.app,
        concurrency=settings.replay_concurrency,
        rate=settings.replay_rate,
        timeout_s=settings.replay_timeout_ms / 1000,
    )


def _tell_rehearsal(counts: Counter[tuple[str, str]]) -> int:
    total = sum(counts.values())
    sent = sum(count for (_, reason), count in counts.items() if reason == "sent")
    print(f"would send {sent:,} of {total:,} requests")
    for (route, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:10,}  {'' if reason == 'sent' else f'not sent ({reason}) '}{for_terminal(route)}")
    return 0


def _replay(
    args: argparse.Namespace,
    settings: Settings,
    window: Window,
    bar: ProgressBar,
    thresholds: Sequence[Threshold],
    history: History,
) -> int:
    plan = window.plan
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    info = {
        "target": plan.target.url,
        "from": iso(plan.from_ms),
        "until": iso(plan.until_ms),
        "started_at": str(int(time.time())),
        "speed": "max" if math.isinf(settings.replay_speed) else f"{settings.replay_speed:g}",
    }
    if plan.baseline is not None:
        info["baseline"] = plan.baseline.url
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    for target in filter(None, (plan.target, plan.baseline)):
        check_known_hosts(store, target, plan.choice)
    kept = RunRecorder(store, Run(run_id, info, Figures()), window.take_figures)
    stop = Stop()

    def on_progress(progress: Progress) -> None:
        bar.show(progress)
        with stop.defer():  # Figures that were taken are to be added and written.
            kept.flush_if_due(bar.share(progress))

    state, exit_code, reason = _run(window, history, on_progress, stop)
    bar.finish()
    found = kept.finish(state)
    store.close()
    if exit_code == EXIT_USAGE and not found.figures.sent:
        print(reason, file=sys.stderr)
        return exit_code
    findings = check(thresholds, found.figures)
    _tell(found, findings, bool(thresholds))
    for path in args.report:
        report.write(path, compared(found), findings, args.fail_if)
    if not kept.is_in_redis:
        print("the run is not on the page: Redis did not take it", file=sys.stderr)
    if reason:
        print(reason, file=sys.stderr)
    if exit_code in (EXIT_TARGET_DOWN, EXIT_INTERRUPTED):
        print("the rest of the window was not read", file=sys.stderr)
        print(f"to go on: {_command_to_resume(window.resume_ms, plan.until_ms)}", file=sys.stderr)
    if exit_code:
        return exit_code
    return EXIT_FAILED if report.verdict(findings) == "failed" else 0


def _run(
    window: Window, history: History, on_progress: Callable[[Progress], None], stop: Stop
) -> tuple[str, int, str]:
    """(state of the run at its end, exit code, why it stopped or "")."""
    try:
        with stop:
            window.run(history, on_progress)
    except KeyboardInterrupt:
        return "interrupted", EXIT_INTERRUPTED, ""
    except TargetDown as fault:
        return "target down", EXIT_TARGET_DOWN, str(fault)
    except (LogUnavailable, redis.RedisError) as fault:
        return "log down", EXIT_TARGET_DOWN, _words(fault)
    except SameHost as fault:
        return "refused", EXIT_USAGE, str(fault)
    return "finished", 0, ""


def _words(fault: LogUnavailable | redis.RedisError) -> str:
    if isinstance(fault, LogUnavailable):
        return str(fault)
    return f"Redis: {why_refused(fault)} (REDIS_URL says where it is)"


def _tell(found: Run, findings: Sequence[Finding], has_thresholds: bool) -> None:
    total = compared(found).total
    print(f"run {found.id}: {total.sent:,} sent, {total.answered:,} answered, ", end="")
    print(f"{total.status_changed:,} with another status")
    if total.original.p95 is not None and total.replayed.p95 is not None:
        before, after = total.original, total.replayed
        print(f"  p50 {before.p50:.0f} -> {after.p50:.0f} ms, p95 {before.p95:.0f} -> {after.p95:.0f} ms")
    for kind_of_failure, count in total.outcomes.items():
        print(f"  {kind_of_failure}: {count:,}")
    for reason, count in sorted(found.figures.skipped.items()):
        print(f"  not sent ({reason}): {count:,}")
    for finding in findings:
        print(f"  {'CROSSED' if finding.is_sure else 'uncertain'}  {for_terminal(shown(finding))}")
    if has_thresholds:
        print(f"verdict: {report.verdict(findings)}")


def _command_to_resume(resume_ms: int, until_ms: int) -> str:
    """This command again, from where it stopped to the same end."""
    words = iter(sys.argv[1:])
    kept: list[str] = []
    for word in words:
        if word in ("--from", "--until"):
            next(words, None)
        elif not word.startswith(("--from=", "--until=")):
            kept.append(word)
    return shlex.join(["python", "-m", "app", *kept, "--from", iso(resume_ms), "--until", iso(until_ms)])
