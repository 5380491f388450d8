"""Whether a window lies within the log, in words for whoever asked for it. Pure; times are Unix ms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.formatting import duration
from app.log import Reach
from consumers.replay.choice.coverage import MISSING_MAX_SHARE


def why_outside(
    reach: Reach | None, from_ms: int, until_ms: int, now_ms: int, keep_longer: str, given: str = ""
) -> str:
    """Why the log has nothing of the window, and what to do; empty where it has a part of it. `keep_longer`:
    the log's own advice; `given`: the --from that the user wrote."""
    if from_ms >= now_ms:
        return (
            f"the window begins in the future: {said(from_ms, now_ms)}, and it is {said(now_ms, now_ms)}"
            + (_for_yesterday(from_ms) if ":" in given and "-" not in given else "")
        )
    if reach is None:
        return (
            "the log is empty: no request was received yet, or all were dropped. `python -m app release` "
            "checks the log; docs/heroku.md says how to add a drain"
        )
    window = f"the window, {said(from_ms, now_ms)} to {said(until_ms, now_ms)}, "
    if until_ms <= reach.first_ms:
        return f"{window}is before the log: {begin_of(reach, now_ms)}{_advice(reach, keep_longer)}"
    if from_ms > reach.last_ms:
        silent = duration((now_ms - reach.last_ms) / 1000)
        return (
            f"{window}is after the log's last request, which was received at {said(reach.last_ms, now_ms)} "
            f"({silent} ago). Does the drain still send? `python -m app top` shows what comes in"
        )
    return ""


def begin_of(reach: Reach, now_ms: int) -> str:
    """`the log reaches back to 09:45Z today (23 min at this rate)`."""
    kept = duration((now_ms - reach.first_ms) / 1000)
    more = f"{kept} at this rate" if reach.dropped_until_ms else f"{kept}; nothing was received before"
    return f"the log reaches back to {said(reach.first_ms, now_ms)} ({more})"


def _advice(reach: Reach, keep_longer: str) -> str:
    if not reach.dropped_until_ms:
        return ""
    return (
        f". To reach further back next time, {keep_longer}, or let Kafka keep the log for days "
        "(docs/heroku.md, How far back)"
    )


def missing_ms(reach: Reach, from_ms: int, until_ms: int, now_ms: int) -> int:
    """How much of the window's time the log does not have: what it has dropped, and what is still to come.
    A time in which nothing was received is not missing."""
    dropped_ms = max(0, min(until_ms, reach.dropped_until_ms) - from_ms)
    to_come_ms = max(0, until_ms - max(from_ms, now_ms))
    return dropped_ms + to_come_ms


def partly_outside(reach: Reach, from_ms: int, until_ms: int, now_ms: int, keep_longer: str) -> list[str]:
    """What to say of a window that the log has only a part of; nothing where it has nearly all."""
    few_ms = MISSING_MAX_SHARE * (until_ms - from_ms)
    lines = []
    dropped_ms = min(until_ms, reach.dropped_until_ms) - from_ms
    if dropped_ms > few_ms:
        lines.append(
            f"{begin_of(reach, now_ms)}, so the first {duration(dropped_ms / 1000)} of the window are "
            "missing or incomplete: the run will be inconclusive unless it fails"
            f"{_advice(reach, keep_longer)}"
        )
    elif min(until_ms, reach.first_ms) - from_ms > few_ms:
        empty = duration((min(until_ms, reach.first_ms) - from_ms) / 1000)
        lines.append(f"{begin_of(reach, now_ms)}, so the first {empty} of the window are empty")
    if until_ms - now_ms > few_ms:
        lines.append(
            f"the window ends in the future, at {said(until_ms, now_ms)}: its last "
            f"{duration((until_ms - now_ms) / 1000)} are still to come, so the run will be inconclusive "
            "unless it fails"
        )
    elif until_ms - reach.last_ms > few_ms:
        lines.append(
            f"nothing was received after {said(reach.last_ms, now_ms)}: the last "
            f"{duration((until_ms - reach.last_ms) / 1000)} of the window are empty"
        )
    return lines


def said(time_ms: int, now_ms: int) -> str:
    """`09:45Z today`, `18:00Z yesterday`, `2026-11-20T18:00Z`: UTC."""
    at, now = (datetime.fromtimestamp(one / 1000, UTC) for one in (time_ms, now_ms))
    clock = at.strftime("%H:%M:%SZ").replace(":00Z", "Z")
    if at.date() == now.date():
        return f"{clock} today"
    if at.date() == now.date() - timedelta(days=1):
        return f"{clock} yesterday"
    return f"{at:%Y-%m-%d}T{clock}"


def _for_yesterday(from_ms: int) -> str:
    day_before = datetime.fromtimestamp(from_ms / 1000, UTC) - timedelta(days=1)
    return f". Times are UTC; for yesterday, write --from {day_before:%Y-%m-%dT%H:%M}Z"
