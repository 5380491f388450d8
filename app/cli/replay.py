"""`python -m app replay`: replays a window of the past against a target and gives a verdict."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import math
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import redis

from app.cli.progress import ProgressBar
from app.cli.replay_text import dry_run_lines, resume_command, summary_lines
from app.connections import connection_matcher
from app.errors import BadSettings, LogUnavailable, SameHost, TargetDown
from app.log import History, open_log
from app.loop_guard import LoopGuard
from app.redis_client import connect, why_refused
from app.routes import route_namer
from app.settings import Settings
from app.settings import readers as kind
from app.settings.readers import app_argument
from app.store.queries.replays import compared
from app.store.replay import Run, RunFigures
from app.store.replay_key import KEY_BYTES, ReplayKey
from consumers.replay import report
from consumers.replay.interrupts import SignalGuard
from consumers.replay.pace import Pacer
from consumers.replay.policy import policy_from_settings, unsafe_methods
from consumers.replay.run_recorder import RunRecorder
from consumers.replay.same_host import refuse_known_hosts
from consumers.replay.target import Target
from consumers.replay.thresholds import Finding, Threshold, check, parse_threshold
from consumers.replay.timespec import iso, parse_time_ms
from consumers.replay.window import LEAD_S, Progress, ReplayPlan, WindowReplay

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
errors>0.5%. Each applies to all requests together and to every route that has enough samples.

exit code: 0 passed, 1 a threshold was crossed or measured nothing, 2 bad usage or settings, 3 the target
or the log is down, 130 interrupted (the command to resume is printed)."""


@dataclasses.dataclass(frozen=True, slots=True)
class _RunEnd:
    """How a run ended: its state as it is recorded, the exit code, and why it stopped early, if it did."""

    state: str
    exit_code: int = 0
    reason: str = ""

    @property
    def can_resume(self) -> bool:
        return self.exit_code in (EXIT_TARGET_DOWN, EXIT_INTERRUPTED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Replays a window of the kept log against a target, and compares the two."
    parser.epilog = EPILOG
    parser.add_argument(
        "--from", dest="start", required=True, metavar="TIME", help="2026-11-23T10:00Z, 10:00Z, 1h (ago)"
    )
    parser.add_argument(
        "--until",
        default="now",
        metavar="TIME",
        help="11:00Z is on the day of --from (default: now)",
    )
    parser.add_argument("--to", metavar="URL", help="the target (default: REPLAY_HOST)")
    parser.add_argument(
        "--baseline",
        metavar="URL",
        help="a second target, to compare with instead of the original",
    )
    parser.add_argument(
        "--speed",
        metavar="N",
        help="1: the original spacing; 10; max (default: REPLAY_SPEED)",
    )
    parser.add_argument("--rate", metavar="N", help="limit of requests/s (default: REPLAY_RATE)")
    parser.add_argument("--concurrency", metavar="N", help="requests at once (default: REPLAY_CONCURRENCY)")
    parser.add_argument(
        "--sample", metavar="SHARE", help="0 to 1, the same requests each time (default: REPLAY_SAMPLE)"
    )
    parser.add_argument("--app", type=app_argument, default="", help="only the requests of this app")
    parser.add_argument("--dry-run", action="store_true", help="count what would be sent, but send nothing")
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
    key = functools.cache(functools.partial(mark_key, settings, creates=not args.dry_run))
    plan = _plan(args, settings, key)
    if unsafe := unsafe_methods(settings.replay_methods):
        text = "requests are sent with EMPTY bodies, because logs have no bodies"
        print(f"REPLAY_METHODS: {unsafe} {text}", file=sys.stderr)
    pacer = Pacer(settings.replay_speed, settings.replay_rate, sys.maxsize, lead_s=LEAD_S)
    window = WindowReplay(plan, route_namer(settings), connection_matcher(settings), pacer)
    try:
        with contextlib.closing(open_log(settings).history()) as history:
            if args.dry_run:
                return _dry_run(window, history)
            finished, end = _replay(settings, window, history)
    except (LogUnavailable, redis.RedisError) as fault:
        print(_explain(fault), file=sys.stderr)
        return EXIT_TARGET_DOWN
    if end.exit_code == EXIT_USAGE and not finished.figures.sent:
        print(end.reason, file=sys.stderr)
        return end.exit_code
    findings = _judge(args, thresholds, finished)
    if end.reason:
        print(end.reason, file=sys.stderr)
    if end.can_resume:
        command = resume_command(sys.argv[1:], window.resume_ms, plan.until_ms)
        print(f"the rest of the window was not replayed\nto resume: {command}", file=sys.stderr)
    if end.exit_code:
        return end.exit_code
    return EXIT_FAILED if report.verdict(findings) == "failed" else 0


def _with_flags(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with this run's flags, which are checked in the same way. Raises BadSettings."""
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
        raise BadSettings(["--to is missing, and REPLAY_HOST is not set"])
    return settings


def _plan(args: argparse.Namespace, settings: Settings, key: Callable[[], bytes]) -> ReplayPlan:
    """`key`: of the marks. Raises TailraceError for times, targets and rules that are not valid."""
    now = datetime.now(UTC)
    from_ms = parse_time_ms(args.start, now)
    until_ms = parse_time_ms(args.until, now, datetime.fromtimestamp(from_ms / 1000, UTC))
    if until_ms <= from_ms:
        raise BadSettings([f"--until ({iso(until_ms)}) must be after --from ({iso(from_ms)})"])
    return ReplayPlan(
        from_ms=from_ms,
        until_ms=until_ms,
        target=Target.parse(settings.replay_host),
        baseline=None if args.baseline is None else Target.parse(args.baseline),
        policy=policy_from_settings(settings, LoopGuard(key)),
        app=args.app,
        concurrency=settings.replay_concurrency,
        rate=settings.replay_rate,
        timeout_s=settings.replay_timeout_ms / 1000,
    )


def mark_key(settings: Settings, *, creates: bool) -> bytes:
    """The key that signs this run's requests; one of its own where Redis does not give it. It is asked for
    with the first request: if the log is in Redis and unreachable, the run has ended before."""
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            return ReplayKey(store, settings.replay_key, creates=creates)()
        except redis.RedisError as fault:
            print(
                f"Redis: {why_refused(fault)}. So the requests are signed with a key of this run: where the "
                "target's log is counted, they count as traffic. Set REPLAY_KEY to the counting "
                "installation's",
                file=sys.stderr,
            )
            return secrets.token_bytes(KEY_BYTES)


def _dry_run(window: WindowReplay, history: History) -> int:
    plan = window.plan
    bar = ProgressBar(sys.stderr, plan.until_ms, history.estimate(plan.from_ms, plan.until_ms), math.inf)
    found = window.dry_run(history, bar.show)
    bar.finish()
    print("\n".join(dry_run_lines(found)))
    return 0


def _replay(settings: Settings, window: WindowReplay, history: History) -> tuple[Run, _RunEnd]:
    """Sends the window and records the run; returns the run with all its figures, and how it ended."""
    plan = window.plan
    estimate = history.estimate(plan.from_ms, plan.until_ms)
    bar = ProgressBar(sys.stderr, plan.until_ms, estimate, settings.replay_speed, settings.replay_rate)
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        if not plan.policy.allow_same_host:
            for target in plan.targets:
                refuse_known_hosts(store, target, plan.policy.headers.host)
        recorder = RunRecorder(store, _new_run(plan, settings.replay_speed), window.take_figures)
        end = _run_until_end(window, history, recorder, bar)
        bar.finish()
        finished = recorder.finish(end.state)
    if not recorder.is_in_redis:
        print("Redis did not accept the run, so the page does not show it", file=sys.stderr)
    return finished, end


def _new_run(plan: ReplayPlan, speed: float) -> Run:
    info = {
        "target": plan.target.url,
        "from": iso(plan.from_ms),
        "until": iso(plan.until_ms),
        "started_at": str(int(time.time())),
        "speed": "max" if math.isinf(speed) else f"{speed:g}",
    }
    if plan.baseline is not None:
        info["baseline"] = plan.baseline.url
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    return Run(run_id, info, RunFigures())


def _run_until_end(
    window: WindowReplay, history: History, recorder: RunRecorder, bar: ProgressBar
) -> _RunEnd:
    """Runs the window until it is finished, interrupted or broken off."""
    guard = SignalGuard()

    def on_progress(progress: Progress) -> None:
        bar.show(progress)
        with guard.defer():  # Figures that are taken from the window must be written.
            recorder.flush_if_due(bar.share(progress))

    try:
        with guard:
            window.run(history, on_progress)
    except KeyboardInterrupt:
        return _RunEnd("interrupted", EXIT_INTERRUPTED)
    except TargetDown as fault:
        return _RunEnd("target down", EXIT_TARGET_DOWN, str(fault))
    except (LogUnavailable, redis.RedisError) as fault:
        return _RunEnd("log down", EXIT_TARGET_DOWN, _explain(fault))
    except SameHost as fault:
        return _RunEnd("refused", EXIT_USAGE, str(fault))
    return _RunEnd("finished")


def _judge(args: argparse.Namespace, thresholds: Sequence[Threshold], finished: Run) -> list[Finding]:
    """Prints the summary and writes the reports. Raises TailraceError if a report cannot be written."""
    findings = check(thresholds, finished.figures)
    comparison = compared(finished)
    print("\n".join(summary_lines(comparison, findings, has_thresholds=bool(thresholds))))
    for path in args.report:
        report.write(path, comparison, findings, args.fail_if)
    return findings


def _explain(fault: LogUnavailable | redis.RedisError) -> str:
    if isinstance(fault, LogUnavailable):
        return str(fault)
    return f"Redis: {why_refused(fault)} (set REDIS_URL to its address)"
