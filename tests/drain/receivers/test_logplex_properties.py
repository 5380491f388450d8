"""Logplex bodies in general: whatever goes in comes out, and nothing makes the reader fail."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from drain.receivers import logplex
from drain.receivers.frame import Frame
from tests.drain.bodies import bodies, counted, mutated, parsed, parsed_by_message


def plain_messages(body: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """(offset, message) of each whole message, and the offset of what is none; byte by byte."""
    messages: list[tuple[int, bytes]] = []
    offset = 0
    while True:
        if messages:
            offset = behind_uncounted_newline(body, offset)
        at = offset
        while body[at : at + 1].isdigit():
            at += 1
        digits = body[offset:at]
        end = at + 1 + int(digits or b"0")
        if not 1 <= len(digits) <= 9 or digits[:1] == b"0" or body[at : at + 1] != b" " or end > len(body):
            return messages, offset
        messages.append((offset, body[at + 1 : end]))
        offset = end


def behind_uncounted_newline(body: bytes, offset: int) -> int:
    """Where the message behind a newline begins, if one is there for certain; else the same offset."""
    for newline in (b"\n", b"\r\n"):
        behind = offset + len(newline)
        if body[offset:behind] == newline:
            (count, space, text) = body[behind:].partition(b" ")
            (prival_version, other_space, _) = text.partition(b" ")
            (prival, bracket, version) = prival_version.partition(b">")
            is_message = (
                count.isdigit() and count[:1] != b"0" and len(count) <= 9 and space
                and int(count) <= len(text)
                and prival[:1] == b"<" and prival[1:].isdigit() and len(prival) <= 4 and bracket
                and version.isdigit() and version[:1] != b"0" and len(version) <= 3 and other_space
                and len(prival_version) < int(count)
            )  # fmt: skip
            if is_message or behind == len(body):
                return behind
    return offset


def kept(frame: Frame) -> tuple[object, ...]:
    return frame.messages, frame.platform, frame.notices, frame.rejects


def agrees_with_the_plain_reader(body: bytes) -> Frame:
    messages, end = plain_messages(body)
    read = parsed(body)
    exact = parsed_by_message(body)
    assert kept(read) == kept(exact)
    assert (read.message_count, read.rest, str(read.broken), read.uncounted_newlines) == (
        exact.message_count,
        exact.rest,
        str(exact.broken),
        exact.uncounted_newlines,
    )
    assert read.message_count == len(messages)
    assert read.rest == body[end:]
    assert (read.broken is None) == (end == len(body))
    if read.broken:
        assert read.broken.offset == end
        assert read.broken.reason
    for bad in read.rejects:
        assert (bad.offset, bad.raw) == messages[bad.index]
        assert bad.framed == counted(bad.raw)
    for line in read.messages + read.platform:
        assert messages[line.index][1].endswith(line.msg)
    indices = [line.index for line in read.messages + read.platform]
    indices += [notice.index for notice in read.notices]
    indices += [bad.index for bad in read.rejects]
    assert len(set(indices)) == len(indices)
    return read


@given(bodies)
def test_every_message_of_a_valid_body_is_found(messages: list[bytes]) -> None:
    body = b"".join(map(counted, messages))
    read = agrees_with_the_plain_reader(body)
    assert read.message_count == len(messages)
    assert read.broken is None


@given(bodies)
def test_a_router_line_reads_the_same_alone_and_among_others(messages: list[bytes]) -> None:
    among = parsed(b"".join(map(counted, messages)))
    alone = [parsed(counted(message)) for message in messages]
    for name in ("messages", "platform"):
        assert [line._replace(index=0) for line in getattr(among, name)] == [
            line for body in alone for line in getattr(body, name)
        ]
    assert [bad.raw for bad in among.rejects] == [bad.raw for body in alone for bad in body.rejects]


@given(bodies)
def test_a_router_line_reads_the_same_with_and_without_its_last_newline(messages: list[bytes]) -> None:
    # One goes the quick way (a line that fills its frame), the other the exact way.
    for message in (message.rstrip(b"\n") for message in messages):
        quick = parsed(counted(message + b"\n"))
        exact = parsed(counted(message))
        for name in ("messages", "platform"):
            lines = [line._replace(msg=line.msg[:-1]) for line in getattr(quick, name)]
            assert lines == getattr(exact, name)
        assert [bad.reason for bad in quick.rejects] == [bad.reason for bad in exact.rejects]


@given(bodies, st.data())
def test_every_prefix_of_complete_messages_is_kept(messages: list[bytes], data: st.DataObject) -> None:
    body = b"".join(map(counted, messages))
    cut = data.draw(st.integers(0, len(body)))
    whole, part = parsed(body), agrees_with_the_plain_reader(body[:cut])
    assert part.messages == whole.messages[: len(part.messages)]
    assert part.platform == whole.platform[: len(part.platform)]
    assert part.notices == whole.notices[: len(part.notices)]


@given(bodies, st.lists(st.sampled_from([b"", b"\n", b"\r\n", b"\n\n", b"\r"]), min_size=8, max_size=8))
def test_newlines_between_messages_are_read_over_by_both_readers_alike(
    messages: list[bytes], newlines: list[bytes]
) -> None:
    agrees_with_the_plain_reader(
        b"".join(counted(message) + newline for message, newline in zip(messages, newlines, strict=False))
    )


@given(bodies)
def test_a_body_whose_counts_miss_the_last_newlines_gives_the_same_messages(messages: list[bytes]) -> None:
    lines = [message.rstrip(b"\n") for message in messages]
    missed = agrees_with_the_plain_reader(b"".join(counted(line) + b"\n" for line in lines))
    exact = parsed(b"".join(map(counted, lines)))
    assert missed.messages == exact.messages
    assert missed.platform == exact.platform
    assert (missed.broken, missed.uncounted_newlines) == (None, len(lines))


@given(mutated())
def test_a_mutated_body_gives_messages_or_a_clear_error(body: bytes) -> None:
    agrees_with_the_plain_reader(body)


@given(st.binary(max_size=200))
def test_any_bytes_give_messages_or_a_clear_error(body: bytes) -> None:
    agrees_with_the_plain_reader(body)


@given(mutated(), st.integers(1, 3))
def test_both_readers_leave_the_same_rest_unread_where_too_much_is_bad(body: bytes, bad_max: int) -> None:
    with mock.patch.object(logplex, "REJECTS_MAX", bad_max):
        read, exact = parsed(body), parsed_by_message(body)
    assert kept(read) == kept(exact)
    assert (read.message_count, read.rest, str(read.broken)) == (
        exact.message_count,
        exact.rest,
        str(exact.broken),
    )
    assert len(read.rejects) <= bad_max
