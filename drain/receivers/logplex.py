"""Parses a Logplex body: octet-counted syslog messages, of which three kinds are kept: router lines, what the
platform itself says (platform.py), and notices.

    MSG-LEN SP <PRI>VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP MSG

The body is a frame, as `Logplex-Frame-Id` calls it; what is in it are messages (`Logplex-Msg-Count`).
MSG-LEN is RFC 6587's octet count: bytes, no leading zero, nothing between two messages. The header
is RFC 5424's, but Logplex leaves STRUCTURED-DATA out (heroku/logplex, logplex_syslog_utils.erl,
`rfc5424/8`, and its issue 204), while log-shuttle and others send it, mostly as `-`.

Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from app.errors import MalformedFrame
from drain.receivers.frame import Frame, Reject, SyslogMessage
from drain.receivers.notices import parse_notice
from drain.receivers.platform import APP, PLATFORM, is_of_platform, is_own_output
from drain.receivers.syslog_tail import split_tail

NAME = "drain"
"""The source of dead letters from Logplex's frames; it dates from when there was no other receiver."""

MAX_COUNT_DIGITS = 9

REJECTS_MAX = 1_000
"""Messages of one body that are not syslog; beyond them, the rest is not read and counts as broken. A sender
of syslog has none, and 349,000 of one byte each take 0.7 s to read: 1 KB as gzip."""


TINY_BYTES = 32
TINY_MAX = 10_000
"""If a body has more messages than TINY_MAX with fewer than TINY_BYTES on average, octet count included, the
rest is not read. A header as Logplex writes it has 60 bytes or more; 100,000 messages of 9 bytes, which are
formally syslog, took 0.6 s to read, and are 1 KB as gzip."""

_NOTICES = frozenset(("logplex", "log-shuttle"))
_WANTED = _NOTICES | {"router"}

# Tables turn conversions into comparisons: the octet count that a one-line message of so many bytes
# (its newline apart) must have, and the usual PRI VERSION. 16 KiB is more than Logplex's longest line.
_COUNTS: list[str | None] = [None] * (16 * 1024)
for _length in range(1, len(_COUNTS) - MAX_COUNT_DIGITS):
    _COUNTS[_length + len(str(_length))] = str(_length)
_PRIVALS = {f"<{prival}>1": prival for prival in range(192)}

_new = tuple.__new__  # half the cost of SyslogMessage(...), which is Python code


def parse(body: bytes, frame_id: str, app: str = "", declared_count: int | None = None) -> Frame:
    """The frame of this body, with everything in it as far as its octet counts hold. Raises nothing."""
    frame = Frame(frame_id, app, NAME, len(body), declared_count)
    try:
        _parse_by_line(body, frame)
    except MalformedFrame as fault:
        frame.broken = fault
        frame.rest = body[fault.offset :]
    return frame


def parse_by_message(body: bytes, frame_id: str) -> Frame:
    """What `parse` returns, found the plain way, from octet count to octet count; tests compare the two."""
    frame = Frame(frame_id, "", NAME, len(body))
    try:
        _parse_messages(body, 0, frame, to_line_end=False)
    except MalformedFrame as fault:
        frame.broken = fault
        frame.rest = body[fault.offset :]
    return frame


def as_body(message: bytes) -> bytes:
    """The message with its octet count."""
    return b"%d %s" % (len(message), message)


def _parse_by_line(body: bytes, frame: Frame) -> None:
    """Adds everything in the body to the frame. Raises MalformedFrame where its octet counts end.

    Nearly every message is one line that ends in a newline, so the body is split at newlines at once,
    and a count that fits its line proves the message: walking from count to count takes three times as
    long (bench/parser.py). Latin-1 keeps one character a byte, and the header comes out as text.
    Whatever the loop cannot take without a doubt is left to `_parse_messages`, which alone decides
    what a message is.
    """
    if len(body) > 8 * TINY_MAX and len(body) < TINY_BYTES * body.count(b" <"):
        _parse_messages(body, 0, frame, to_line_end=False)
        return
    add, add_platform = frame.messages.append, frame.platform.append
    dynos: set[str] = set()
    index = offset = 0
    lines = body.decode("latin-1").split("\n")
    del lines[-1]  # what follows the last newline is no line of its own
    ahead = iter(lines)
    for line in ahead:
        size = len(line)
        try:
            count, pri, timestamp, host, app, procid, msgid, text = line.split(" ", 7)
            if count == _COUNTS[size] and pri in _PRIVALS:
                # The first half is true of nearly every message, and all that there is time for.
                if (procid in dynos and app != "heroku") or (
                    procid not in _WANTED and app != PLATFORM and (app != APP or is_own_output(procid, dynos))
                ):
                    index += 1
                    offset += size + 1
                    continue
                if (
                    procid not in _NOTICES
                    and msgid == "-"
                    and text[0] not in "-["  # what may be STRUCTURED-DATA is left to the plain way
                    and line.isascii()
                    and timestamp
                    and host
                    and app
                ):
                    end = offset + size + 1
                    is_router = procid == "router"
                    if is_router or is_of_platform(app, procid, text):
                        msg = body[end - 1 - len(text) : end]
                        fields = (index, timestamp, msg, _PRIVALS[pri], 1, host, app, procid, None, None)
                        (add if is_router else add_platform)(_new(SyslogMessage, fields))
                    index += 1
                    offset = end
                    continue
        except (ValueError, IndexError):  # fewer fields, no text, a longer line: not the usual one
            pass
        begin, frame.message_count = offset, index
        offset = _parse_messages(body, offset, frame, to_line_end=True)
        index = frame.message_count
        _skip(ahead, body.count(b"\n", begin, offset) - 1)
    frame.message_count = index
    _parse_messages(body, offset, frame, to_line_end=False)


def _skip(lines: Iterator[str], count: int) -> None:
    next(islice(lines, count, count), None)


def _parse_messages(body: bytes, offset: int, frame: Frame, *, to_line_end: bool) -> int:
    """Adds the messages from `offset` on to the frame, and returns where the next one begins: at the
    end of the body, or after the first one that ends in a newline.

    Raises MalformedFrame where no whole message is, and where too many before were no syslog.
    """
    while offset < len(body):
        offset = _parse_message(body, offset, frame)
        if len(frame.rejects) >= REJECTS_MAX and offset < len(body):
            raise MalformedFrame(offset, f"{REJECTS_MAX} messages are not syslog; the rest was not read")
        if (
            frame.message_count > TINY_MAX
            and offset < TINY_BYTES * frame.message_count
            and offset < len(body)
        ):
            average = offset // frame.message_count
            reason = f"{frame.message_count} messages have {average} bytes on average"
            raise MalformedFrame(offset, f"{reason}; the rest was not read")
        if to_line_end and body[offset - 1] == 0x0A:
            break
    return offset


_COUNT = re.compile(rb"([1-9][0-9]{0,%d}) " % (MAX_COUNT_DIGITS - 1))
_UNCOUNTED_NEWLINE = re.compile(
    rb"\r?\n(?:([1-9][0-9]{0,%d}) (?=(<[0-9]{1,3}>[1-9][0-9]{0,2} ))|\Z)" % (MAX_COUNT_DIGITS - 1)
)


def _parse_message(body: bytes, offset: int, frame: Frame) -> int:
    """Adds the message at `offset` to the frame, and returns where the next one begins.

    Raises MalformedFrame where no whole message is.
    """
    count = _COUNT.match(body, offset)
    if count is None and (begin := _behind_newline(body, offset, frame)) is not None:
        frame.uncounted_newlines += 1
        if begin == len(body):
            return begin
        offset = begin
        count = _COUNT.match(body, offset)
    if count is None:
        raise MalformedFrame(offset, _why_no_count(body[offset : offset + MAX_COUNT_DIGITS + 1]))
    start = count.end()
    end = start + int(count[1])
    if end > len(body):
        raise MalformedFrame(
            offset, f"a message of {end - start} bytes is announced, but only {len(body) - start} follow"
        )
    index = frame.message_count
    reason = _parse_syslog(body[start:end], index, frame)
    if reason:
        frame.rejects.append(Reject(index, offset, body[start:end], body[offset:end], reason))
    frame.message_count += 1
    return end


def _behind_newline(body: bytes, offset: int, frame: Frame) -> int | None:
    """Where reading goes on if only a newline is in the way; else None.

    Some senders do not count a message's last newline, so it stands before the next octet count. It is
    certain that this is one if a count follows that holds PRI and VERSION and fits, or nothing follows.
    """
    newline = _UNCOUNTED_NEWLINE.match(body, offset) if frame.message_count else None
    if newline is None:
        return None
    if newline[1] is None:
        return newline.end()
    count = int(newline[1])
    return newline.start(1) if len(newline[2]) <= count <= len(body) - newline.end() else None


def _why_no_count(start: bytes) -> str:
    digits = len(start) - len(start.lstrip(b"0123456789"))
    if digits == 0:
        return f"expected a byte count, found {chr(start[0])!a}"
    if start[0] == ord("0"):
        return "a byte count must not start with 0"
    if digits > MAX_COUNT_DIGITS:
        return f"a byte count has at most {MAX_COUNT_DIGITS} digits"
    if digits == len(start):
        return "the body ends within a byte count"
    return f"expected a space after the byte count, found {chr(start[digits])!a}"


_PRIVAL_VERSION = re.compile(r"<([0-9]{1,3})>([1-9][0-9]{0,2})")


def _parse_syslog(message: bytes, index: int, frame: Frame) -> str:
    """Adds a message of the router or the platform, or a notice, to the frame. Returns why it is not
    syslog; empty if it is.

    Of other messages only PRI, VERSION and that there is a PROCID are looked at.
    """
    fields = message.decode("latin-1").split(" ", 5)
    prival_version = _PRIVAL_VERSION.fullmatch(fields[0])
    if prival_version is None:
        return "the header does not begin with <PRI>VERSION"
    if len(fields) < 5:
        return "the header ends before PROCID"
    if len(fields) == 5:
        return "the header ends before MSGID" if fields[4].rstrip("\n") in _WANTED else ""
    _, timestamp, host, app, procid, tail = fields
    if procid in _WANTED:
        msgid, structured_data, msg = split_tail(tail)
    elif app != PLATFORM and (app != APP or is_own_output(procid, set())):
        return ""
    else:
        msgid, structured_data, msg = split_tail(tail, is_sentence=True)
        if not is_of_platform(app, procid, msg):
            return ""
    if not (timestamp and host and app and (timestamp + host + app).isascii()):
        return "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"
    if procid not in _NOTICES:
        prival, version = map(int, prival_version.groups())
        (frame.messages if procid == "router" else frame.platform).append(
            SyslogMessage(
                index,
                timestamp,
                msg.encode("latin-1"),
                prival,
                version,
                host,
                app,
                procid,
                msgid,
                structured_data,
            )
        )
    elif notice := parse_notice(msg, procid, index, timestamp, host):
        frame.notices.append(notice)
    return ""
