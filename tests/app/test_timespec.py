"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.timespec import BadTime, iso, parse_time_ms

NOW = datetime(2026, 11, 23, 12, 30, 15, 500_000, tzinfo=UTC)
DAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-23T12:30:15.500Z"),
        ("1h", "2026-11-23T11:30:15.500Z"),
        ("-30m", "2026-11-23T12:00:15.500Z"),
        ("2d", "2026-11-21T12:30:15.500Z"),
        ("2026-11-23T10:00Z", "2026-11-23T10:00:00.000Z"),
        ("2026-11-23T10:00", "2026-11-23T10:00:00.000Z"),
        ("2026-11-23T10:00:00.250+02:00", "2026-11-23T08:00:00.250Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000Z"),
        ("10:05Z", "2026-11-20T10:05:00.000Z"),
        ("10:05:30", "2026-11-20T10:05:30.000Z"),
    ],
)
def test_each_form_is_understood(text: str, expected: str) -> None:
    assert iso(parse_time_ms(text, NOW, DAY)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "25:00",
        "10:61Z",
        "2026-13-01",
        "1y",
        "--1h",
        "9999999d",
        "99999999999d",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59-10:00",
    ],
)
def test_anything_else_is_a_clear_error(text: str) -> None:
    with pytest.raises(BadTime, match="is not a time"):
        parse_time_ms(text, NOW)
