"""What a Logplex body holds: octet-counted syslog frames, router lines, loss notices. Pure functions.

    MSG-LEN SP <PRI>VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP MSG

MSG-LEN is RFC 6587's octet count: bytes, no leading zero, nothing between two frames. The header
is RFC 5424's, but Logplex leaves STRUCTURED-DATA out (heroku/logplex, logplex_syslog_utils.erl,
`rfc5424/8`, and its issue 204), while log-shuttle and others send it, mostly as `-`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from app.errors import MalformedFrame

MAX_COUNT_DIGITS = 9

NOTICE_MAX = 1_000_000_000
"""Most messages that one notice can report: a drain that loses 10,000 a second has lost as many after
a day, and Logplex reports far sooner. A larger number is nonsense, and sums of such would overflow."""

BAD_MAX = 1_000
"""Messages of a body that are no syslog; what follows is left unread, as a broken rest. A sender of
syslog has none, and 349,000 of one byte each take 0.7 s to read: 1 KB, as gzip."""


class SyslogLine(NamedTuple):
    """One router line."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nothing here needs
    """Its place among all frames of its body, from 0: the same on every retry of the body."""
    timestamp: str
    """As sent: RFC 3339 with 0 to 6 digits of fraction, or `-`."""
    msg: bytes
    """As sent, with its final newline if it has one."""
    # From here on what the lines of a frame mostly have in common: messages.py compares it at once.
    prival: int
    version: int
    hostname: str
    app_name: str
    procid: str
    msgid: str | None
    structured_data: str | None


class LossNotice(NamedTuple):
    """The sender's own word that messages are missing."""

    index: int  # type: ignore[assignment]
    code: str
    """L10: Logplex's buffer for a drain overflowed; L12: log-shuttle dropped before sending;
    L13: log-shuttle sent in vain (devcenter.heroku.com/articles/error-codes)."""
    dropped: int
    """Messages."""
    since: str
    """Timestamp of the first loss; empty when not said."""
    source: str
    """`logplex` or `log-shuttle`."""
    drain: str
    """The drain token that the notice names, which may be another drain of the app; else empty."""


@dataclass(slots=True)
class BadLine:
    """A frame whose octet count holds, but whose header is no syslog header."""

    index: int
    offset: int
    """Byte of the body at which its octet count stands."""
    raw: bytes
    """The message, without its octet count."""
    reason: str


@dataclass(slots=True)
class Body:
    """All that one body holds."""

    frames: int = 0
    """Whole frames of any kind, bad ones too: what Logplex-Msg-Count says."""
    router: list[SyslogLine] = field(default_factory=list)
    notices: list[LossNotice] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    broken: MalformedFrame | None = None
    """Where and why the octet counting ended early. Every frame before is kept."""
    rest: bytes = b""
    """The body from that place on."""


_WANTED = frozenset(("router", "logplex", "log-shuttle"))

# Tables turn conversions into comparisons: the octet count that a one-line frame of so many bytes
# (its newline apart) must have, and the usual PRI VERSION. 16 KiB is more than Logplex's longest line.
_COUNTS: list[str | None] = [None] * (16 * 1024)
for _length in range(1, len(_COUNTS) - MAX_COUNT_DIGITS):
    _COUNTS[_length + len(str(_length))] = str(_length)
_PRIVALS = {f"<{prival}>1": prival for prival in range(192)}

_new = tuple.__new__  # half the cost of SyslogLine(...), which is Python code


def read_body(body: bytes) -> Body:
    """Everything in `body`, as far as its octet counts hold. Raises nothing.

    Nearly every frame is one line that ends in a newline, so the body is split at newlines at once,
    and a count that fits its line proves the frame: walking from count to count takes three times as
    long (bench/parser.py).
    Latin-1 keeps one character a byte, and the header comes out as text. Whatever the loop cannot
    take without a doubt is left to `_read_frame`, which alone decides what a frame is.
    """
    found = Body()
    add = found.router.append
    index = offset = 0
    ascii_only = body.isascii()
    lines = body.decode("latin-1").split("\n")
    del lines[-1]  # what follows the last newline is no line of its own
    ahead = iter(lines)
    try:
        for line in ahead:
            size = len(line)
            try:
                count, pri, timestamp, host, app, procid, msgid, text = line.split(" ", 7)
                if count == _COUNTS[size] and pri in _PRIVALS:
                    if procid not in _WANTED:
                        index += 1
                        offset += size + 1
                        continue
                    if (
                        procid == "router"
                        and msgid == "-"
                        and text[0] not in "-["
                        and (ascii_only or line.isascii())
                        and timestamp
                        and host
                        and app
                    ):
                        end = offset + size + 1
                        msg = body[end - 1 - len(text) : end]
                        header = (index, timestamp, msg, _PRIVALS[pri], 1, host, app, procid, None, None)
                        add(_new(SyslogLine, header))
                        index += 1
                        offset = end
                        continue
            except (ValueError, IndexError):  # fewer fields, no text, a longer line: not the usual one
                pass
            begin = offset
            while True:
                offset = _read_frame(body, offset, index, found)
                index += 1
                _check_bad(found, offset, len(body))
                if offset == len(body) or body[offset - 1] == 0x0A:
                    break
            skip = body.count(b"\n", begin, offset) - 1
            next(islice(ahead, skip, skip), None)
        while offset < len(body):
            offset = _read_frame(body, offset, index, found)
            index += 1
            _check_bad(found, offset, len(body))
    except MalformedFrame as fault:
        found.broken = fault
        found.rest = body[fault.offset :]
    found.frames = index
    return found


def read_frame_by_frame(body: bytes) -> Body:
    """What `read_body` returns, found the long way: what it is held against."""
    found = Body()
    offset = 0
    try:
        while offset < len(body):
            offset = _read_frame(body, offset, found.frames, found)
            found.frames += 1
            _check_bad(found, offset, len(body))
    except MalformedFrame as fault:
        found.broken = fault
        found.rest = body[fault.offset :]
    return found


_COUNT = re.compile(rb"([1-9][0-9]{0,%d}) " % (MAX_COUNT_DIGITS - 1))


def _read_frame(body: bytes, offset: int, index: int, found: Body) -> int:
    """Adds the frame at `offset` to `found`, and returns where the next begins.

    Raises MalformedFrame where no whole frame is.
    """
    count = _COUNT.match(body, offset)
    if count is None:
        raise MalformedFrame(offset, _why_no_count(body[offset : offset + MAX_COUNT_DIGITS + 1]))
    start = count.end()
    end = start + int(count[1])
    if end > len(body):
        raise MalformedFrame(
            offset, f"the message should have {end - start} bytes, but only {len(body) - start} follow"
        )
    reason = _read_message(body[start:end], index, found)
    if reason:
        found.bad.append(BadLine(index, offset, body[start:end], reason))
    return end


def _check_bad(found: Body, offset: int, size: int) -> None:
    """Raises MalformedFrame where too much was no syslog to read on at `offset`."""
    if len(found.bad) >= BAD_MAX and offset < size:
        raise MalformedFrame(offset, f"{BAD_MAX} messages are not syslog; the rest was not read")


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


def _read_message(message: bytes, index: int, found: Body) -> str:
    """Adds a router line or a loss notice to `found`. Returns why it is no syslog, or nothing.

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
    if procid not in _WANTED:
        return ""
    if not (timestamp and host and app and (timestamp + host + app).isascii()):
        return "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"
    msgid, structured_data, msg = _split_tail(tail)
    if procid == "router":
        prival, version = map(int, prival_version.groups())
        found.router.append(
            SyslogLine(
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
    elif notice := _loss_notice(msg, procid, index):
        found.notices.append(notice)
    return ""


# A field that holds `=` is no MSGID but the message's first pair, from a sender that leaves MSGID out.
_MSGID = re.compile(r"([!-<>-~]++)(?: |(?=\n?\Z))")
_NAME = r"[!#-<>-\\^-~]+"  # printable ASCII but for `=`, `]`, `"` and the space
_VALUE = r'"[^"\\\]]*(?:\\.[^"\\\]]*)*"'
_STRUCTURED_DATA = re.compile(rf"(-|(?:\[{_NAME}(?: {_NAME}={_VALUE})*\])+)(?: |(?=\n?\Z))", re.DOTALL)


def _split_tail(tail: str) -> tuple[str | None, str | None, str]:
    """(MSGID, STRUCTURED-DATA, MSG) of what follows PROCID; None for the nil value and for nothing.

    A router's or notice's text begins with neither `- ` nor `[id ...]`, so such a beginning is
    STRUCTURED-DATA, and anything else is text.
    """
    msgid = _MSGID.match(tail)
    if msgid is None:
        return None, None, tail
    data = _STRUCTURED_DATA.match(tail, msgid.end())
    if data is None:
        return _or_nil(msgid[1]), None, tail[msgid.end() :]
    return _or_nil(msgid[1]), _or_nil(data[1]), tail[data.end() :]


def _or_nil(value: str) -> str | None:
    return None if value == "-" else value


# heroku/logplex, logplex_syslog_utils.erl, `overflow_msg`; heroku/log-shuttle, logplex_formatter.go,
# `NewLogplexErrorFormatter`; the form that names a drain is what Heroku's Logplex sends today.
_LOSS = re.compile(
    r"Error (L[0-9]{1,3})(?: \([^)]*\))?: "
    r"(?:drain '([^']*)' dropped ([0-9]{1,15}) messages?|([0-9]{1,15}) messages? (?:dropped|lost))"
    r"(?: since ([0-9TZtz:+. -]*[0-9Zz]))?"
)


def _loss_notice(text: str, source: str, index: int) -> LossNotice | None:
    """The notice in `text`; None for another message of the same sender (L14, L15)."""
    loss = _LOSS.match(text)
    if loss is None:
        return None
    code, drain, dropped_of_drain, dropped, since = loss.groups("")
    count = min(int(dropped_of_drain or dropped), NOTICE_MAX)
    return LossNotice(index, code, count, since, source, drain)
