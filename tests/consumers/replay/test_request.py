"""From a message of the log to a request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.connections import connection_matcher
from app.message import RouterMessage
from app.settings import Settings
from consumers.replay.request import AHEAD_MAX_MS, LATE_MAX_MS, Request, request_of
from servers.messages import router_line, router_message
from tests.consumers.replay.choice.test_target import SENT_AS_THEY_ARE
from tests.consumers.replay.router_2_paths import ALL
from tests.consumers.replay.samples import line, never, router_2_line

STREAMS = Settings(stream_rules=("/events/:id",))
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
    return request_of(found, lambda line: line.path, never)


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


@pytest.mark.parametrize(("logged", "sent"), ALL)
def test_a_path_of_router_2_is_percent_encoded_again(logged: str, sent: str) -> None:
    request = request_from(msg=router_2_line(logged))
    assert request is not None
    assert (request.path, request.is_reencoded) == (sent, logged != sent)


@pytest.mark.parametrize("path", SENT_AS_THEY_ARE)
def test_a_path_of_the_legacy_router_stays_as_it_is(path: str) -> None:
    request = request_from(msg=line(path))
    assert request is not None
    assert (request.path, request.is_reencoded) == (path, False)


@pytest.mark.parametrize(
    ("end", "protocol"),
    [
        ("protocol=http2.0 tls=true tls_version=tls1.3", "https"),
        ("protocol=http1.1 tls=true tls_version=unknown", "https"),
        ("protocol=http1.1 tls=false", "http"),
        ("tls=true", "https"),
        ("protocol=https tls=false", "http"),
        ("protocol=https", "https"),
        ("protocol=https tls_version=tls1.2", "https"),
        ("protocol=http", "http"),
        ("protocol=https tls=", "https"),
        ("protocol=http1.1", ""),
        ("protocol=http2.0 tls=unknown", ""),
        ("protocol= tls=", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("path", ["/a", "/a?next=protocol=https", "/a?tls=true protocol=https"])
def test_the_protocol_is_that_of_the_lines_own_fields(end: str, protocol: str, path: str) -> None:
    usual, _, _ = router_line(path, protocol="http").rpartition(" protocol=")
    request = request_from(msg=f"{usual} {end}\n")
    assert request is not None
    assert request.protocol == protocol


@pytest.mark.parametrize(
    ("fwd", "address"),
    [
        ('fwd="61.8.139.252"', "61.8.139.252"),
        ("fwd=61.8.139.252", "61.8.139.252"),
        ("fwd=61.8.139.252,2001:db8::1", "61.8.139.252,2001:db8::1"),
        ('fwd="61.8.139.252, 2001:db8::1"', "61.8.139.252, 2001:db8::1"),
        ('fwd=""', ""),
        ("fwd=", ""),
        ("", ""),
    ],
)
def test_the_clients_address_is_taken_in_all_of_its_forms(fwd: str, address: str) -> None:
    request = request_from(msg=router_2_line("/a", fwd=fwd))
    assert request is not None
    assert request.fwd == address


@pytest.mark.parametrize("request_id", ["", "request_id=", 'request_id=""'])
def test_a_line_without_a_request_id_has_the_identity_of_its_message(request_id: str) -> None:
    request = request_from(msg=router_2_line("/a", request_id=request_id), id="frame.7")
    assert request is not None
    assert (request.request_id, request.identity) == ("", "frame.7")


def test_a_connection_is_told_by_the_matcher() -> None:
    found = [
        request_of(
            router_message(router_2_line(path, status=status)),
            lambda line: line.path,
            connection_matcher(STREAMS),
        )
        for path, status in (("/cable", 101), ("/events/42", 200), ("/events", 200), ("/cable", 200))
    ]
    assert [request.is_connection for request in found if request] == [True, True, False, False]
