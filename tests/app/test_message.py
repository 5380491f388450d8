"""Messages of the topic: what is written is read back, and what is no message is refused with its fault."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.errors import BadMessage
from app.message import (
    INDEX_MAX_DIGITS,
    RECEIVED_MAX_MS,
    RouterMessage,
    checked,
    decode,
    encode,
    exact_line,
    message_id,
    split_id,
)
from servers.messages import router_line, router_message

AT_S = 1_800_000_000


def message(**changed: Any) -> dict[str, Any]:
    return {**router_message(router_line(), AT_S), **changed}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in message().items() if name != key}


def test_a_message_is_read_as_it_was_written() -> None:
    written = router_message(router_line(), AT_S)
    for value in (encode(written), bytearray(encode(written)), encode(written).decode()):
        assert decode(value) == written


@pytest.mark.parametrize("frame_id", ["f", "8601b555-6a83", "a.b", "1.2.3", "."])
@pytest.mark.parametrize("index", [0, 7, 10**INDEX_MAX_DIGITS - 1])
def test_an_identity_is_told_apart_as_it_was_put_together(frame_id: str, index: int) -> None:
    assert message_id(frame_id, index) == f"{frame_id}.{index}"
    assert split_id(message_id(frame_id, index)) == (frame_id, index)


@pytest.mark.parametrize(
    "identity", ["", ".", ".1", "f", "f.", "f.-1", "f.x", "f.1 ", f"f.{10**INDEX_MAX_DIGITS}", "7"]
)
def test_what_is_no_identity_is_refused(identity: str) -> None:
    with pytest.raises(BadMessage) as caught:
        split_id(identity)
    assert str(caught.value) == f"not a message id: {identity!r}"


def test_a_refused_identity_is_shown_by_its_first_80_characters() -> None:
    with pytest.raises(BadMessage) as caught:
        split_id("x" * 81)
    assert str(caught.value) == f"not a message id: '{'x' * 80}'"


def test_what_is_no_json_is_refused_with_the_reason() -> None:
    with pytest.raises(BadMessage, match=r"^not JSON: .+"):
        decode(b"{")


RECEIVED = "`received_at` is not a Unix time in ms"


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([], "not an object"),
        ("text", "not an object"),
        (7, "not an object"),
        (None, "not an object"),
        *(
            (without(key), f"`{key}` is missing or not of type {kind}")
            for key, kind in (
                *(("msg", "str"), ("timestamp", "str"), ("id", "str"), ("app", "str")),
                ("received_at", "int"),
            )
        ),
        *(
            (message(**{key: None}), f"`{key}` is missing or not of type str")
            for key in ("msg", "timestamp", "id", "app")
        ),
        (message(received_at=1.5), "`received_at` is missing or not of type int"),
        (message(received_at=True), "`received_at` is missing or not of type int"),
        (message(received_at=-1), RECEIVED),
        (message(received_at=RECEIVED_MAX_MS), RECEIVED),
    ],
)
def test_what_consumers_cannot_rest_on_is_refused_with_its_fault(found: Any, fault: str) -> None:
    with pytest.raises(BadMessage) as caught:
        checked(found)
    assert str(caught.value) == f"not a router message: {fault}"


@pytest.mark.parametrize("received_at", [0, RECEIVED_MAX_MS - 1])
def test_the_first_and_the_last_time_that_a_message_may_have(received_at: int) -> None:
    assert checked(message(received_at=received_at))["received_at"] == received_at


def raw_message(raw: Any) -> RouterMessage:
    return checked(message(msg="shown", raw=raw))


def test_the_exact_line_has_all_bytes_that_were_sent() -> None:
    line = b'at=info path="/\xff"'
    assert exact_line(raw_message(base64.b64encode(line).decode())) == 'at=info path="/\udcff"'
    assert exact_line(checked(message(msg="shown"))) == "shown"


@pytest.mark.parametrize("raw", [7, "no base64!", "YQ", "YQ=\n="])
def test_where_raw_is_no_base64_the_text_is_the_line(raw: Any) -> None:
    assert exact_line(raw_message(raw)) == "shown"
