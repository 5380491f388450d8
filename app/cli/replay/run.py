"""Runs one replay: sends it, records it, judges it, and ends with an exit code."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import math
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import redis

from app.cli.replay.plan import REDIS_TIMEOUT_S, mark_key, plan_of, with_flags
from app.cli.replay.progress import ProgressBar
from app.cli.replay.text import dry_run_lines, resume_command, summary_lines
from app.connections import connection_matcher
from app.errors import LogUnavailable, SameHost, TargetDown
from app.log import History, open_log
from app.redis_client import connect, why_refused
from app.routes import route_namer
from app.settings import Settings
from app.store.queries.replays import compared
from app.store.replay import Run, RunFigures
from app.store.run_result import RunResult, Verdict
from consumers.replay import report
from consumers.replay.coverage import coverage_of
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import Threshold, check, parse_threshold, require_bodies
from consumers.replay.interrupts import SignalGuard
from consumers.replay.pace import Pacer
from consumers.replay.policy import unsafe_methods
from consumers.replay.run_recorder import RunRecorder
from consumers.replay.same_host import refuse_known_hosts
from consumers.replay.timespec import iso
from consumers.replay.window import LEAD_S, Progress, ReplayPlan, WindowReplay

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TARGET_DOWN = 3
EXIT_INCONCLUSIVE = 4
EXIT_INTERRUPTED = 130
EXIT_CODES: dict[Verdict, int] = {"passed": 0, "failed": EXIT_FAILED, "inconclusive": EXIT_INCONCLUSIVE}


@dataclasses.dataclass(frozen=True, slots=True)
class _RunEnd:
    """How a run ended: its state as it is recorded, the exit code, and why it stopped early, if it did."""

    state: str
    exit_code: int = 0
    reason: str = ""

    @property
    def can_resume(self) -> bool:
        return self.exit_code in (EXIT_TARGET_DOWN, EXIT_INTERRUPTED)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """See the exit codes in arguments.EPILOG. Raises TailraceError for bad usage."""
    settings = with_flags(settings, args)
    thresholds = [parse_threshold(text) for text in args.fail_if]
    require_bodies(thresholds, compares_bodies=args.compare_bodies and args.baseline is not None)
    report.check_paths(args.report)
    key = functools.cache(functools.partial(mark_key, settings, creates=not args.dry_run))
    plan = plan_of(args, settings, key)
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
    result = _judge(args, thresholds, window, finished, end)
    if end.reason:
        print(end.reason, file=sys.stderr)
    if end.can_resume:
        command = resume_command(sys.argv[1:], window.resume_ms, plan.until_ms)
        print(f"the rest of the window was not replayed\nto resume: {command}", file=sys.stderr)
    if end.exit_code:
        return end.exit_code
    return EXIT_CODES[result.verdict]


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


def _judge(
    args: argparse.Namespace,
    thresholds: Sequence[Threshold],
    window: WindowReplay,
    finished: Run,
    end: _RunEnd,
) -> RunResult:
    """Judges the run, keeps the result, prints the summary and writes the reports. Raises TailraceError if a
    report cannot be written."""
    evidence = Evidence(
        figures=finished.figures,
        pairs=window.pairs,
        coverage=coverage_of(finished.figures),
        pace=window.pace(),
        has_baseline=window.plan.baseline is not None,
        is_interrupted=end.exit_code != 0,
        timeline=window.timeline(),
    )
    result = judge(evidence, thresholds, is_strict=args.strict, allow_slower=args.allow_slower)
    findings = check(thresholds, finished.figures)
    comparison = compared(finished)
    print("\n".join(summary_lines(comparison, findings, has_thresholds=bool(thresholds))))
    for path in args.report:
        report.write(path, comparison, findings, args.fail_if)
    return result


def _explain(fault: LogUnavailable | redis.RedisError) -> str:
    if isinstance(fault, LogUnavailable):
        return str(fault)
    return f"Redis: {why_refused(fault)} (set REDIS_URL to its address)"
