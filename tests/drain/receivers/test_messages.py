"""The drain's quick encoder says what `app.message.encode` says."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.message import decode, exact_line
from drain.receivers.frame import SyslogMessage
from drain.receivers.messages import encode_messages

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
lines = st.builds(
    SyslogMessage,
    index=st.integers(0, 10_000),
    prival=st.integers(0, 191),
    version=st.just(1),
    timestamp=text,
    hostname=text,
    app_name=text,
    procid=st.sampled_from(["router", 'ro"uter']),
    msgid=st.none() | text,
    structured_data=st.none() | text,
    msg=st.binary(max_size=80) | text.map(str.encode),
)


@given(st.lists(lines, max_size=5), text, text)
def test_each_line_is_the_message_with_the_contracts_keys(
    found: list[SyslogMessage], frame_id: str, app: str
) -> None:
    values = list(encode_messages(found, frame_id, app, 1_763_900_000_123))
    assert len(values) == len(found)
    for line, value in zip(found, values, strict=True):
        expected = {
            **{name: part for name, part in line._asdict().items() if name not in ("index", "msg")},
            "msg": line.msg.decode("utf-8", "replace"),
            "id": f"{frame_id}.{line.index}",
            "app": app,
            "received_at": 1_763_900_000_123,
        }
        message = orjson.loads(value)
        raw = message.pop("raw", None)
        assert message == expected
        assert (raw is None) == _is_utf8(line.msg)
        assert raw is None or base64.b64decode(raw) == line.msg


@pytest.mark.parametrize("odd", [b"a\0b", rb"a \u0000 b", b"\0", b'"\\', b"caf\xe9", "caf\u00e9".encode()])
def test_a_line_that_holds_what_separates_lines_is_kept_whole_beside_others(odd: bytes) -> None:
    def router_line(index: int, msg: bytes) -> SyslogMessage:
        return SyslogMessage(
            index, "2026-11-23T10:00:00Z", msg, 158, 1, "host", "heroku", "router", None, None
        )

    found = [router_line(index, msg) for index, msg in enumerate((b"first", odd, b"last"))]
    values = encode_messages(found, "frame", "shop", 0)
    assert [exact_line(decode(value)).encode("utf-8", "surrogateescape") for value in values] == [
        b"first",
        odd,
        b"last",
    ]


@given(lines)
def test_no_byte_of_a_line_is_lost(line: SyslogMessage) -> None:
    [value] = encode_messages([line], "frame", "", 0)
    assert exact_line(decode(value)).encode("utf-8", "surrogateescape") == line.msg


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
