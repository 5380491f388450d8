"""Runs one replay: sends it, records it, judges it, and ends with an exit code."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import redis

from app.cli.replay.ending import RunEnd, conclude
from app.cli.replay.limit import LimitProgress, limit_thresholds, search_of
from app.cli.replay.plan import REDIS_TIMEOUT_S, mark_key, plan_of, with_flags
from app.cli.replay.progress import ProgressBar
from app.cli.replay.resume import Resumed, held_flags, resumed
from app.cli.replay.text import dry_run_lines
from app.cli.replay.window_check import NothingToReplay, check_window
from app.connections import connection_matcher
from app.errors import BadSettings, LogUnavailable, SameHost, TargetDown
from app.escaping import for_terminal
from app.log import History, open_log
from app.redis_client import connect, why_refused
from app.routes import route_namer
from app.settings import Settings
from app.store.replay import Run
from app.store.run_figures import RunFigures
from app.store.run_result import RunResult, Verdict
from app.timespec import iso
from consumers.replay.choice.coverage import why_too_little
from consumers.replay.choice.policy import unsafe_methods
from consumers.replay.choice.same_host import refuse_known_hosts
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import Threshold, parse_threshold
from consumers.replay.interrupts import SignalGuard
from consumers.replay.limit.find_limit import FindLimit
from consumers.replay.limit.found import result_of
from consumers.replay.load.forecast import Outlook, outlook
from consumers.replay.plan import Progress, ReplayPlan
from consumers.replay.reports.files import check_paths
from consumers.replay.resume_state import joined_coverage, joined_pace, joined_timeline
from consumers.replay.run_recorder import RunRecorder
from consumers.replay.window import WindowReplay

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TARGET_DOWN = 3
EXIT_INCONCLUSIVE = 4
EXIT_INTERRUPTED = 130
EXIT_CODES: dict[Verdict, int] = {"passed": 0, "failed": EXIT_FAILED, "inconclusive": EXIT_INCONCLUSIVE}


def run(args: argparse.Namespace, settings: Settings) -> int:
    """See the exit codes in arguments.EPILOG. Raises TailraceError for bad usage."""
    settings = with_flags(settings, args)
    thresholds = [parse_threshold(text) for text in args.fail_if]
    check_paths(args.report)
    key = functools.cache(functools.partial(mark_key, settings, creates=not args.dry_run))
    plan = plan_of(args, settings, key)
    if args.resume and plan.load.why_not_resumable:
        raise BadSettings([f"--resume: {plan.load.why_not_resumable}"])
    if unsafe := unsafe_methods(settings.replay_methods):
        text = "requests are sent with EMPTY bodies, because logs have no bodies"
        print(f"REPLAY_METHODS: {unsafe} {text}", file=sys.stderr)
    if plan.compares_answers and not args.dry_run:
        print("--compare-bodies: the baseline gets each GET and HEAD twice", file=sys.stderr)
    namer, matcher = route_namer(settings), connection_matcher(settings)
    window = WindowReplay(plan, namer, matcher)
    search = None
    if args.find_limit:
        thresholds = limit_thresholds(thresholds)
        search = search_of(plan, namer, matcher, thresholds)
    try:
        log = open_log(settings)
        with contextlib.closing(log.history()) as history:
            check_window(window, history, log.advice, args)
            if args.dry_run:
                return _dry_run(window, history)
            earlier, finished, end = _replay(args, settings, window, search, history)
    except NothingToReplay as nothing:
        print(for_terminal(f"inconclusive: {nothing}"), file=sys.stderr)
        return EXIT_FAILED if args.strict else EXIT_INCONCLUSIVE
    except (LogUnavailable, redis.RedisError) as fault:
        print(_explain(fault), file=sys.stderr)
        return EXIT_TARGET_DOWN
    if end.exit_code == EXIT_USAGE and not finished.figures.sent:
        print(end.reason, file=sys.stderr)
        return end.exit_code
    result = _judge(args, thresholds, window, search, earlier, finished, end)
    exit_code = end.exit_code or EXIT_CODES[result.verdict]
    conclude(args, settings, window, finished, result, end, exit_code)
    return exit_code


def _dry_run(window: WindowReplay, history: History) -> int:
    plan = window.plan
    messages = history.estimate(plan.from_ms, plan.until_ms)
    bar = ProgressBar(sys.stderr, Outlook(messages, None, is_exact=False), "messages")
    found = window.dry_run(history, bar.show)
    bar.finish()
    print("\n".join(dry_run_lines(found)))
    return 0


def _replay(
    args: argparse.Namespace,
    settings: Settings,
    window: WindowReplay,
    search: FindLimit | None,
    history: History,
) -> tuple[Resumed | None, Run, RunEnd]:
    """Sends the window and records the run; returns the earlier part of a resumed run, the run with all its
    figures, and how it ended."""
    plan = window.plan
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        if not plan.policy.allow_same_host:
            for target in plan.targets:
                refuse_known_hosts(store, target, plan.policy.headers.host, plan.policy.addresses)
        earlier = None
        run = _new_run(plan)
        if args.resume:
            earlier = resumed(store, args.resume, plan, held_flags(args, settings))
            run = earlier.run
            window.go_on(earlier.pairs, earlier.done_ids)
        bar = _progress_of(window, history) if search is None else LimitProgress(sys.stderr, plan)
        bar.begin()
        sending = search or window
        recorder = RunRecorder(store, run, sending.take_figures, is_resumed=earlier is not None)
        end = _run_until_end(sending, history, recorder, bar)
        window.was_overtaken = history.was_overtaken
        bar.finish()
        if earlier is not None and end.exit_code:
            end = dataclasses.replace(end, can_resume=True)  # The run was interrupted before.
        if end.can_resume:
            run.info["reached"] = iso(window.resume_ms)
        finished = recorder.finish(end.state)
    if not recorder.is_in_redis:
        print("Redis did not accept the run, so the page does not show it", file=sys.stderr)
    return earlier, finished, dataclasses.replace(end, is_in_redis=recorder.is_in_redis)


def _progress_of(window: WindowReplay, history: History) -> ProgressBar:
    load = window.plan.load
    ahead = outlook(load, window.forecast(history))
    if ahead.uses_up_window:
        print("the log's window ends before the stages do: --loop begins it again", file=sys.stderr)
    if ahead.is_capped:
        text = f"REPLAY_RATE={load.cap:g} limits this run: it is slower than asked"
        print(text, file=sys.stderr)
    return ProgressBar(sys.stderr, ahead)


def _new_run(plan: ReplayPlan) -> Run:
    info = {
        "target": plan.target.url,
        "from": iso(plan.from_ms),
        "until": iso(plan.until_ms),
        "started_at": str(int(time.time())),
        "speed": plan.load.text,
    }
    if plan.app:
        info["app"] = plan.app
    if plan.baseline is not None:
        info["baseline"] = plan.baseline.url
    if plan.compares_answers:
        info["compares_answers"] = "1"
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    return Run(run_id, info, RunFigures())


def _run_until_end(
    sending: WindowReplay | FindLimit,
    history: History,
    recorder: RunRecorder,
    bar: ProgressBar | LimitProgress,
) -> RunEnd:
    """Runs the window until it is finished, interrupted or broken off."""
    guard = SignalGuard()

    def on_progress(progress: Progress) -> None:
        bar.show(progress)
        with guard.defer():  # Figures that are taken from the window must be written.
            recorder.flush_if_due(bar.share(progress))

    try:
        with guard:
            sending.run(history, on_progress)
    except KeyboardInterrupt:
        return RunEnd("interrupted", EXIT_INTERRUPTED, can_resume=True)
    except TargetDown as fault:
        return RunEnd("target down", EXIT_TARGET_DOWN, str(fault), can_resume=True)
    except (LogUnavailable, redis.RedisError) as fault:
        return RunEnd("log down", EXIT_TARGET_DOWN, _explain(fault), can_resume=True)
    except SameHost as fault:
        return RunEnd("refused", EXIT_USAGE, str(fault))
    return RunEnd("finished")


def _judge(
    args: argparse.Namespace,
    thresholds: Sequence[Threshold],
    window: WindowReplay,
    search: FindLimit | None,
    earlier: Resumed | None,
    finished: Run,
    end: RunEnd,
) -> RunResult:
    """Judges the run, with its earlier part if it was resumed."""
    coverage, pace, timeline = window.coverage(finished.figures), window.pace(), window.timeline()
    if earlier is not None and earlier.run.result is not None:
        before = earlier.run.result
        coverage = joined_coverage(before.coverage, coverage)
        pace = joined_pace(before.pace, pace, finished.figures.late_ms)
        timeline = joined_timeline(before.timeline, timeline, before.pace.duration_s)
    evidence = Evidence(
        figures=finished.figures,
        pairs=window.pairs,
        coverage=coverage,
        pace=pace,
        has_baseline=window.plan.baseline is not None,
        doubts=why_too_little(coverage),
        is_interrupted=end.exit_code != 0,
        timeline=timeline,
    )
    result = judge(evidence, thresholds, is_strict=args.strict, allow_slower=args.allow_slower)
    return result if search is None else result_of(search.found, result)


def _explain(fault: LogUnavailable | redis.RedisError) -> str:
    if isinstance(fault, LogUnavailable):
        return str(fault)
    return f"Redis: {why_refused(fault)} (set REDIS_URL to its address)"
