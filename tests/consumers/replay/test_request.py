"""From a message of the log to a request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.message import RouterMessage
from consumers.replay.request import AHEAD_MAX_MS, LATE_MAX_MS, Request, request_of
from tests.consumers.replay.samples import line

RECEIVED_MS = 1_763_900_000_000


def request_from(**changes: object) -> Request | None:
    message: dict[str, object] = {
        "timestamp": "",
        "msg": line("/a"),
        "id": "f.0",
        "app": "",
        "received_at": RECEIVED_MS,
    }
    found: RouterMessage = {**message, **changes}  # type: ignore[typeddict-item]
    return request_of(found, lambda line: line.path)


@pytest.mark.parametrize(
    ("off_ms", "is_accepted"),
    [
        (-2_000, True),
        (1_500, True),
        (-LATE_MAX_MS, True),
        (AHEAD_MAX_MS, True),
        (-LATE_MAX_MS - 1, False),
        (AHEAD_MAX_MS + 1, False),
        (-RECEIVED_MS, False),
    ],
)
def test_a_line_from_a_broken_clock_gets_the_time_of_its_reception(off_ms: int, is_accepted: bool) -> None:
    said = datetime.fromtimestamp((RECEIVED_MS + off_ms) / 1000, UTC).isoformat(timespec="milliseconds")
    request = request_from(timestamp=said)
    assert request is not None
    assert request.at_ms == (RECEIVED_MS + off_ms if is_accepted else RECEIVED_MS)
    assert request.received_ms == RECEIVED_MS


@pytest.mark.parametrize("timestamp", ["", "-", "yesterday"])
def test_a_line_without_a_time_gets_the_time_of_its_reception(timestamp: str) -> None:
    request = request_from(timestamp=timestamp)
    assert request is not None
    assert request.at_ms == RECEIVED_MS


@pytest.mark.parametrize("raw", ["a", "%%%", 5, ["x"], "caf\u00e9"])
def test_a_bad_raw_field_leaves_the_line_as_it_is(raw: object) -> None:
    request = request_from(raw=raw)
    assert request is not None
    assert request.path == "/a"
