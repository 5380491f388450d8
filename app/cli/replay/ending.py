"""The end of a replay: its result is kept, shown and written, and the way to go on is said."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys

import redis

from app.cli.replay.plan import REDIS_TIMEOUT_S
from app.cli.replay.resume import held_flags
from app.cli.replay.text import resume_command
from app.cli.terminal import printable
from app.redis_client import connect
from app.settings import Settings
from app.store import replay_resume
from app.store.replay import Run, record_result
from app.store.run_result import RunResult
from consumers.replay.reports import files
from consumers.replay.reports.report import Report
from consumers.replay.reports.terminal import summary_lines
from consumers.replay.resume_state import STATE, ResumeState, pack_ids, pack_pairs
from consumers.replay.window import WindowReplay


@dataclasses.dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended: its state as it is recorded, the exit code, and why it stopped early, if it did."""

    state: str
    exit_code: int = 0
    reason: str = ""
    can_resume: bool = False
    is_in_redis: bool = True


def conclude(
    args: argparse.Namespace,
    settings: Settings,
    window: WindowReplay,
    finished: Run,
    result: RunResult,
    end: RunEnd,
    exit_code: int,
) -> None:
    """Keeps the result and, after an early end, what it takes to go on; prints the summary; writes the
    reports. Raises TailraceError if a report cannot be written, after all else is done."""
    why_not = window.plan.load.why_not_resumable
    state = None
    if end.can_resume and not why_not:
        state = ResumeState(window.resume_ms, held_flags(args, settings), window.to_send)
    is_kept = _keep(settings, finished, result, end, window, state)
    report = Report.of(finished, result, exit_code)
    print("\n".join(printable(summary_lines(report, is_on_page=is_kept), sys.stdout.encoding)))
    if end.reason:
        print(end.reason, file=sys.stderr)
    if end.can_resume:
        print("the rest of the window was not replayed", file=sys.stderr)
        if why_not:
            print(why_not, file=sys.stderr)
        else:
            _say_how_to_resume(window, finished.id if is_kept else "")
    files.write(args.report, report)


def _say_how_to_resume(window: WindowReplay, run_id: str) -> None:
    """`run_id`: empty where Redis has nothing to go on from."""
    if not run_id:
        text = "Redis does not have this run, so what follows would be a run of its own, with its own verdict"
        print(text, file=sys.stderr)
    command = resume_command(sys.argv[1:], window.resume_ms, window.plan.until_ms, run_id)
    print(f"to resume: {command}", file=sys.stderr)


def _keep(
    settings: Settings,
    finished: Run,
    result: RunResult,
    end: RunEnd,
    window: WindowReplay,
    state: ResumeState | None,
) -> bool:
    """Whether Redis has the run, its result and what it takes to go on."""
    if not end.is_in_redis or not (finished.figures.sent or finished.figures.skipped):
        return False  # A run without any request is not recorded either.
    try:
        with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
            record_result(store, finished.id, result)
            if state is None:
                replay_resume.forget(store, finished.id)
            else:
                kept = {STATE: state.pack(), **pack_ids(window.done_ids), **pack_pairs(window.pairs)}
                replay_resume.keep(store, finished.id, kept)
    except redis.RedisError:
        return False
    return True
