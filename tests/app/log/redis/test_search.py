"""Searching many packed frames at once gives what decoding each message would."""

from __future__ import annotations

import re

import lz4.frame
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadMessage
from app.log.redis import places
from app.log.redis.search import SKEW_MS, FrameSearch, PackedFrame
from app.log.redis.stream import pack
from app.log.scan import is_wanted
from app.message import RouterMessage, checked, encode
from drain.receivers.frame import SyslogMessage
from drain.receivers.messages import encode_messages
from tests.app.log.logs import message

FROM_MS, UNTIL_MS = 1_800_000_000_000, 1_800_000_100_000

WORDS = (
    *('"', "\\", "/a", "status=", "200", "500", "é", "\x1b", "{", "}", ",", "[", "]", " ", "\n", "\\u"),
    *('{"prival":158', '","id":"', "\N{REPLACEMENT CHARACTER}", "\N{PILE OF POO}"),
)
LINES = st.lists(st.sampled_from(WORDS), max_size=8).map("".join)

PATTERNS = (
    *(
        rb"status=500",
        rb"status=(?:200|500)",
        rb"/a",
        rb"status=5\d\d",
        rb"a.*500",
        rb"[^,]*500",
        rb"^.",
        rb"\}$",
    ),
    *(
        rb"\\",
        "é".encode(),
        rb",",
        rb"\}",
        rb"\{",
        rb'"app":"shop"',
        rb"0{2}",
        rb"(?<!0)0",
        rb"0(?!0)",
        rb"\A",
    ),
    *(rb"", rb"\["),
)


def packed(number: int, values: list[bytes], at_ms: int, said: int | None = None) -> PackedFrame:
    return PackedFrame(b"%d-%d" % (at_ms, number), b"f%d" % number, said or len(values), pack(values))


def wanted(frames: list[PackedFrame], patterns: list[re.Pattern[bytes]]) -> tuple[list[RouterMessage], int]:
    """By decoding each message."""
    found, read = [], 0
    for frame in frames:
        for value in orjson.loads(lz4.frame.decompress(frame.packed)):
            try:
                one = checked(value)
            except BadMessage:
                continue
            if FROM_MS <= one["received_at"] < UNTIL_MS:
                read += 1
                found += [one] if is_wanted(one, patterns) else []
    return found, read


@given(
    st.lists(
        st.tuples(
            st.lists(LINES, min_size=1, max_size=4),
            st.sampled_from([FROM_MS - 5_000, FROM_MS + 5_000, FROM_MS + 50_000, UNTIL_MS - 1, UNTIL_MS]),
        ),
        max_size=5,
    ).map(lambda frames: sorted(frames, key=lambda one: one[1])),
    st.lists(st.sampled_from(PATTERNS), max_size=3),
)
def test_a_search_of_what_the_drain_writes_gives_what_decoding_gives(
    texts: list[tuple[list[str], int]], patterns: list[bytes]
) -> None:
    frames = [
        packed(
            number,
            encode_messages(
                [
                    SyslogMessage(index, "2027-01-15T08:00:00+00:00", text.encode())
                    for index, text in enumerate(lines)
                ],
                f"f{number}",
                "shop",
                at_ms,
            ),
            at_ms,
        )
        for number, (lines, at_ms) in enumerate(texts)
    ]
    compiled = [re.compile(pattern) for pattern in patterns]
    found = FrameSearch(FROM_MS, UNTIL_MS, compiled).search(frames)
    assert (found.messages, found.read) == wanted(frames, compiled)


@pytest.mark.parametrize("pattern", [rb"status=500", rb"status=.*500", rb"status="])
def test_frames_that_the_drain_has_not_written_are_searched_too(pattern: bytes) -> None:
    line = message("f", 0, received_at=FROM_MS + 30_000)
    failed: RouterMessage = {**line, "msg": line["msg"].replace("status=200", "status=500")}
    values = [encode(line), encode(failed)]
    frames = [
        packed(1, values, FROM_MS + 30_000),
        packed(2, [value.replace(b'":', b'": ') for value in values], FROM_MS + 30_000),
        packed(3, [encode(line), b"[]", encode(failed), b'{"msg":1}'], FROM_MS + 30_000),
        packed(4, values, FROM_MS + 30_000, said=7),
        packed(
            5,
            [b'{"prival":158,"x":{"prival":158' + value[13:-1] + b"}}" for value in values],
            FROM_MS,
            said=4,
        ),
        packed(6, [b'{"prival":158,"x":{"prival":158},' + value[14:] for value in values], FROM_MS, said=4),
        packed(7, values, FROM_MS + 30_000),
    ]
    compiled = [re.compile(pattern)]
    found = FrameSearch(FROM_MS, UNTIL_MS, compiled).search(frames)
    assert found.messages == wanted(frames, compiled)[0]
    assert len(found.messages) in (6, 12)


@pytest.mark.parametrize("broken", [b"", b"no frame", pack([b"{"]), pack([])])
def test_a_broken_entry_does_not_hide_the_others(broken: bytes) -> None:
    good = packed(1, [encode(message("f", 0, received_at=FROM_MS))], FROM_MS)
    frames = [good, PackedFrame(b"%d-2" % FROM_MS, b"f2", 1, broken), good]
    for patterns in ([], [re.compile(b"status=200")]):
        assert len(FrameSearch(FROM_MS, UNTIL_MS, patterns).search(frames).messages) == 2


def test_which_pattern_is_searched_first_changes_with_what_is_there() -> None:
    rare, common = re.compile(b"status=500"), re.compile(b"status=200")
    search = FrameSearch(FROM_MS, UNTIL_MS, [common, rare])
    at_ms = FROM_MS + SKEW_MS
    lines = [message("f", index, received_at=at_ms) for index in range(40)]
    both: RouterMessage = {**lines[7], "msg": lines[7]["msg"] + " status=500"}
    lines[7] = both
    usual = packed(1, [encode(line) for line in lines], at_ms)
    turned = packed(2, [encode(line).replace(b"=200", b"=500", 1) for line in lines], at_ms)
    for frame, expected in ((usual, [both]), (turned, []), (usual, [both])):
        for _ in range(places.ORDER_EVERY + 1):
            assert search.search([frame]).messages == expected
