"""Logplex bodies in general: whatever goes in comes out, and nothing makes the reader fail."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from drain.receivers import logplex
from drain.receivers.logplex import Body, read_body, read_frame_by_frame
from tests.drain.bodies import bodies, counted, mutated


def plain_frames(body: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """(offset, message) of each whole frame, and the offset of what is none; byte by byte."""
    frames: list[tuple[int, bytes]] = []
    offset = 0
    while True:
        at = offset
        while body[at : at + 1].isdigit():
            at += 1
        digits = body[offset:at]
        end = at + 1 + int(digits or b"0")
        if not 1 <= len(digits) <= 9 or digits[:1] == b"0" or body[at : at + 1] != b" " or end > len(body):
            return frames, offset
        frames.append((offset, body[at + 1 : end]))
        offset = end


def agrees_with_the_plain_reader(body: bytes) -> Body:
    frames, end = plain_frames(body)
    read = read_body(body)
    exact = read_frame_by_frame(body)
    assert (read.router, read.notices, read.bad) == (exact.router, exact.notices, exact.bad)
    assert (read.frames, read.rest, str(read.broken)) == (exact.frames, exact.rest, str(exact.broken))
    assert read.frames == len(frames)
    assert read.rest == body[end:]
    assert (read.broken is None) == (end == len(body))
    if read.broken:
        assert read.broken.offset == end
        assert read.broken.reason
    for bad in read.bad:
        assert (bad.offset, bad.raw) == frames[bad.index]
    for line in read.router:
        assert frames[line.index][1].endswith(line.msg)
    indices = [line.index for line in read.router]
    indices += [notice.index for notice in read.notices]
    indices += [bad.index for bad in read.bad]
    assert len(set(indices)) == len(indices)
    return read


@given(bodies)
def test_every_message_of_a_valid_body_is_found(messages: list[bytes]) -> None:
    body = b"".join(map(counted, messages))
    read = agrees_with_the_plain_reader(body)
    assert read.frames == len(messages)
    assert read.broken is None


@given(bodies)
def test_a_router_line_reads_the_same_alone_and_among_others(messages: list[bytes]) -> None:
    among = read_body(b"".join(map(counted, messages)))
    alone = [read_body(counted(message)) for message in messages]
    assert [line._replace(index=0) for line in among.router] == [
        line for body in alone for line in body.router
    ]
    assert [bad.raw for bad in among.bad] == [bad.raw for body in alone for bad in body.bad]


@given(bodies)
def test_a_router_line_reads_the_same_with_and_without_its_last_newline(messages: list[bytes]) -> None:
    # One goes the quick way (a line that fills its frame), the other the exact way.
    for message in (message.rstrip(b"\n") for message in messages):
        quick = read_body(counted(message + b"\n"))
        exact = read_body(counted(message))
        assert [line._replace(msg=line.msg[:-1]) for line in quick.router] == exact.router
        assert [bad.reason for bad in quick.bad] == [bad.reason for bad in exact.bad]


@given(bodies, st.data())
def test_every_prefix_of_complete_frames_is_kept(messages: list[bytes], data: st.DataObject) -> None:
    body = b"".join(map(counted, messages))
    cut = data.draw(st.integers(0, len(body)))
    whole, part = read_body(body), agrees_with_the_plain_reader(body[:cut])
    assert part.router == whole.router[: len(part.router)]
    assert part.notices == whole.notices[: len(part.notices)]


@given(mutated())
def test_a_mutated_body_gives_frames_or_a_clear_error(body: bytes) -> None:
    agrees_with_the_plain_reader(body)


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_a_clear_error(body: bytes) -> None:
    agrees_with_the_plain_reader(body)


@given(mutated(), st.integers(1, 3))
def test_both_readers_leave_the_same_rest_unread_where_too_much_is_bad(body: bytes, bad_max: int) -> None:
    with mock.patch.object(logplex, "BAD_MAX", bad_max):
        read, exact = read_body(body), read_frame_by_frame(body)
    assert (read.router, read.notices, read.bad) == (exact.router, exact.notices, exact.bad)
    assert (read.frames, read.rest, str(read.broken)) == (exact.frames, exact.rest, str(exact.broken))
    assert len(read.bad) <= bad_max
