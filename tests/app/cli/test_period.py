"""Which span of time `--since`, `--from` and `--until` ask for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.cli.period import BadPeriod, Period, named, period
from app.store.queries import Span
from app.timespec import BadTime

NOW_S = datetime(2026, 11, 26, 15, 30, 12, tzinfo=UTC).timestamp()


def at(hour: int, minute: int = 0, day: int = 26) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("since", "start", "until", "expected"),
    [
        (None, None, None, Period(Span(3_600), "1h")),
        ("15m", None, None, Period(Span(900), "15m")),
        ("15m", None, "now", Period(Span(900), "15m")),
        ("all", None, None, Period(None, "all")),
        ("1h", None, "14:00Z", Period(Span(3_600, at(14)), "")),
        (None, None, "14:00Z", Period(Span(3_600, at(14)), "")),
        ("1w", None, "2026-11-25T14:00Z", Period(Span(7 * 86_400, at(14, day=25)), "")),
        (None, "03:10Z", "03:25Z", Period(Span(900, at(3, 25)), "")),
        (None, "2026-11-25T03:10Z", "03:25Z", Period(Span(900, at(3, 25, day=25)), "")),
        (None, "2h", None, Period(Span(7_200), "")),
        (None, "2h", "now", Period(Span(7_200), "")),
        (None, "2026-11-26T15:30:10Z", None, Period(Span(10), "")),
    ],
)
def test_a_period_is_a_length_or_has_a_beginning_and_an_end(
    since: str | None, start: str | None, until: str | None, expected: Period
) -> None:
    assert period(since, start, until, NOW_S) == expected


@pytest.mark.parametrize(
    ("since", "start", "until", "said"),
    [
        ("1h", "2h", None, "not both"),
        ("all", "2h", None, "--since all takes neither"),
        ("all", None, "14:00Z", "--since all takes neither"),
        (None, "16:00Z", None, r"in the future, at 2026-11-26T16:00:00Z.*write 2026-11-25T16:00Z"),
        ("1h", None, "17:00Z", "in the future"),
        (None, "15:00Z", "14:00Z", "must be after"),
        (None, "2026-10-01T00:00Z", None, "kept for 31 days"),
        ("1h", None, "2026-10-01T00:00Z", "kept for 31 days"),
    ],
)
def test_what_cannot_be_is_explained(
    since: str | None, start: str | None, until: str | None, said: str
) -> None:
    with pytest.raises(BadPeriod, match=said):
        period(since, start, until, NOW_S)


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(BadTime):
        period(None, "soon", None, NOW_S)


def test_a_name_is_the_length_until_now() -> None:
    assert named("7d") == Period(Span(7 * 86_400), "7d")
    assert named("all") == Period(None, "all")
