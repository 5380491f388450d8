"""Windows before, after, around and within what the log still has, in words that say what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.log import Reach
from app.timespec import iso
from consumers.replay.choice.reach import missing_ms, partly_outside, said, why_outside

ADVICE = "raise `REDIS_LOG_MAX_MB`"
MINUTE = 60_000


def ms(clock: str, day: int = 25) -> int:
    return int(datetime.fromisoformat(f"2026-11-{day}T{clock}+00:00").astimezone(UTC).timestamp() * 1000)


NOW = ms("10:08:00")
TRIMMED = Reach(ms("09:45:00"), ms("10:07:58"), ms("09:45:00"))
WHOLE = Reach(ms("09:45:00"), ms("10:07:58"))


def why(reach: Reach | None, start: int, end: int, given: str = "") -> str:
    return why_outside(reach, start, end, NOW, ADVICE, given)


def test_a_window_before_the_log_says_how_far_it_reaches_and_how_to_keep_more() -> None:
    assert why(TRIMMED, ms("18:00:00", 24), ms("19:00:00", 24)) == (
        "the window, 18:00Z yesterday to 19:00Z yesterday, is before the log: the log reaches back to 09:45Z "
        "today (23 min at this rate). To reach further back next time, raise `REDIS_LOG_MAX_MB`, or let "
        "Kafka keep the log for days (docs/heroku.md, How far back)"
    )
    assert why(TRIMMED, ms("09:00:00"), ms("09:45:00"))
    assert not why(TRIMMED, ms("09:00:00"), ms("09:45:00") + 1)


def test_a_log_that_was_never_full_says_that_nothing_was_received_before() -> None:
    text = why(WHOLE, ms("18:00:00", 20), ms("19:00:00", 20))
    assert "2026-11-20T18:00Z to 2026-11-20T19:00Z" in text
    assert text.endswith("09:45Z today (23 min; nothing was received before)")


def test_a_window_after_the_log_says_since_when_it_is_silent() -> None:
    silent = Reach(ms("08:00:00"), ms("09:30:12"))
    text = why(silent, ms("09:40:00"), ms("09:50:00"))
    assert "is after the log's last request, which was received at 09:30:12Z today (37 min ago)" in text
    assert "python -m app top" in text
    assert not why(silent, ms("09:30:12"), ms("09:50:00"))


@pytest.mark.parametrize("reach", [TRIMMED, None])
def test_a_window_in_the_future_says_what_time_it_is(reach: Reach | None) -> None:
    text = why(reach, ms("18:00:00"), ms("19:00:00"), "18:00")
    assert text == (
        "the window begins in the future: 18:00Z today, and it is 10:08Z today. Times are UTC; for "
        "yesterday, write --from 2026-11-24T18:00Z"
    )
    assert "yesterday" not in why(reach, ms("18:00:00"), ms("19:00:00"), "2026-11-25T18:00Z")


def test_an_empty_log_says_how_to_fill_it() -> None:
    text = why(None, ms("09:00:00"), NOW)
    assert "the log is empty" in text
    assert "docs/heroku.md" in text


@pytest.mark.parametrize(
    ("reach", "start", "end", "missing_min"),
    [
        (TRIMMED, ms("09:45:00"), NOW, 0),
        (TRIMMED, ms("09:30:00"), ms("10:00:00"), 15),
        (TRIMMED, ms("10:00:00"), ms("10:28:00"), 20),
        (TRIMMED, ms("09:00:00"), ms("11:08:00"), 105),
        (WHOLE, ms("09:00:00"), NOW, 0),
        (Reach(ms("08:00:00"), NOW, ms("09:30:00")), ms("09:00:00"), NOW, 30),  # Partitions differ.
        (Reach(ms("08:00:00"), ms("09:00:00")), ms("08:30:00"), NOW, 0),  # Silence is no loss.
    ],
)
def test_what_was_dropped_and_what_is_still_to_come_is_missing(
    reach: Reach, start: int, end: int, missing_min: int
) -> None:
    assert missing_ms(reach, start, end, NOW) == missing_min * MINUTE
    warned = [line for line in partly_outside(reach, start, end, NOW, ADVICE) if "inconclusive" in line]
    assert bool(warned) == bool(missing_min)


def test_each_part_that_is_not_there_is_said() -> None:
    (dropped,) = partly_outside(TRIMMED, ms("09:00:00"), NOW, NOW, ADVICE)
    assert "09:45Z today (23 min at this rate), so the first 45 min of the window are missing" in dropped
    assert ADVICE in dropped
    (empty,) = partly_outside(WHOLE, ms("09:00:00"), NOW, NOW, ADVICE)
    assert "so the first 45 min of the window are empty" in empty
    assert "inconclusive" not in empty
    (to_come,) = partly_outside(WHOLE, ms("09:45:00"), ms("12:08:00"), NOW, ADVICE)
    assert "ends in the future, at 12:08Z today: its last 2 h are still to come" in to_come
    (silent,) = partly_outside(Reach(ms("08:00:00"), ms("09:30:00")), ms("09:00:00"), NOW, NOW, ADVICE)
    assert "nothing was received after 09:30Z today: the last 38 min of the window are empty" in silent
    assert partly_outside(TRIMMED, ms("09:44:30"), NOW, NOW, ADVICE) == []


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (ms("09:45:00"), "09:45Z today"),
        (ms("09:45:07"), "09:45:07Z today"),
        (ms("23:59:59", 24), "23:59:59Z yesterday"),
        (ms("10:08:00", 23), "2026-11-23T10:08Z"),
        (ms("10:08:00", 26), "2026-11-26T10:08Z"),
        (0, "1970-01-01T00:00Z"),
    ],
)
def test_times_are_said_in_utc(time_ms: int, text: str) -> None:
    assert said(time_ms, NOW) == text
    assert iso(time_ms)
