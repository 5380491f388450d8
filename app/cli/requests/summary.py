"""What a search says at its end: how much it read, how far the log reaches, and how to see more. Pure."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.formatting import number, plural
from app.log import Reach
from app.log_status import LogAdvice
from app.search.found import FoundRequest
from app.search.search import RequestSearch
from app.timespec import iso
from consumers.replay.choice.reach import begin_of, said


@dataclass(slots=True)
class Ending:
    """What a search came to."""

    found: int = 0
    last: FoundRequest | None = None
    was_cut: bool = False
    """The limit ended it."""
    was_interrupted: bool = False
    failure: str = ""
    """Why it ended before its end."""
    was_overtaken: bool = False
    """The log has dropped messages while they were read."""
    started_s: float = field(default_factory=time.monotonic)


def summary_lines(
    args: argparse.Namespace,
    search: RequestSearch,
    from_ms: int | None,
    reach: Reach | None,
    ending: Ending,
    advice: LogAdvice,
) -> Iterator[str]:
    """Lines for standard error. `from_ms`: what --from says."""
    now_ms = int(time.time() * 1000)
    took_s = time.monotonic() - ending.started_s
    found = plural(ending.found, "request") if ending.found else "no request"
    if ending.failure:
        yield f"the search ended before its end: {ending.failure}"
    yield (
        f"{found} found in {plural(search.lines_read, 'line')} read, {took_s:.1f} s"
        f"{' (interrupted)' if ending.was_interrupted else ''}{_cut(args, ending)}"
    )
    if args.follow:
        return
    if reach is None:
        yield (
            "the log is empty: no request was received yet, or all were dropped. `python -m app release` "
            "checks the log"
        )
        return
    yield begin_of(reach, now_ms) + _missing(reach, from_ms, now_ms, advice)
    if search.until_ms is not None and search.until_ms <= reach.first_ms:
        yield f"--until, {said(search.until_ms, now_ms)}, is before the log"
    if from_ms is not None and from_ms > reach.last_ms:
        last = said(reach.last_ms, now_ms)
        yield f"--from, {said(from_ms, now_ms)}, is after the log's last request, {last}"
    if ending.was_overtaken:
        yield "warning: the log has dropped lines while they were read, so some are missing"


def _cut(args: argparse.Namespace, ending: Ending) -> str:
    """How to see what the limit has left out."""
    if not ending.was_cut or ending.last is None:
        return ""
    if args.follow:
        return ". It ended at --limit"
    at_ms = ending.last.at_ms
    onward = f"--from {iso(at_ms)}" if args.oldest_first else f"--until {iso(at_ms + 1)}"
    limit = number(ending.found)
    return f". It stopped at --limit {limit}; to see more, raise it (0: all) or go on with {onward}"


def _missing(reach: Reach, from_ms: int | None, now_ms: int, advice: LogAdvice) -> str:
    if from_ms is None or from_ms >= reach.dropped_until_ms:
        return ""
    return (
        f": what was received from {said(from_ms, now_ms)} until then is missing or incomplete. To reach "
        f"further back next time, {advice.keep_longer}, or let Kafka keep the log for days"
    )
