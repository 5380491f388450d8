"""Parses the answer to one HTTP/1.1 request, whatever arrives. Pure: bytes in, a response out.

Bodies are counted and dropped, unless answers are compared: then the first of a body is kept. The limits
bound memory; time is bounded by whoever reads the socket. RFC 9112 has the rules of framing.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

from consumers.replay.request import Answer

HEAD_MAX_BYTES = 65_536
BODY_MAX_BYTES = 1_048_576
"""A longer body is not read to its end, because the rest of a long download would tell nothing more.
The answer counts as complete there, and the connection cannot be kept."""

CHUNK_LINE_MAX_BYTES = 1_024
LENGTH_MAX_DIGITS = 18
NO_BODY = frozenset({204, 304})
KEPT_MAX_BYTES = 262_144
"""Of a body that is kept for a comparison."""

ENDLESS_TYPES = frozenset({b"text/event-stream", b"multipart/x-mixed-replace"})
"""Content types whose bodies last as long as both sides want: server-sent events (HTML standard, section
9.2.4) and pictures that replace each other."""

_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|content-type):[ \t]*([^\r\n]*)", re.IGNORECASE
).findall
_HEX = re.compile(rb"[0-9a-fA-F]{1,16}").fullmatch


class BadResponse(Exception):
    """What arrived is not a complete HTTP/1.x response."""


class TooLarge(Exception):
    """The headers are longer than HEAD_MAX_BYTES."""


class _LongBody(Exception):
    """The body is longer than BODY_MAX_BYTES."""


class Response(NamedTuple):
    """`keep`: the connection can take another request. `is_stream`: the answer has no end, and was left."""

    status: int
    keep: bool
    is_stream: bool = False


class Framing(NamedTuple):
    """What the headers say about the body and the connection."""

    length: int | None
    """Bytes; None where the headers do not say."""
    is_chunked: bool
    keep: bool
    has_endless_type: bool = False
    """The Content-Type is one of ENDLESS_TYPES."""


class ResponseParser:
    """Parses one response. The steps are generators that continue, after each `yield`, with more data."""

    __slots__ = ("_data", "_head", "_is_cut", "_kept", "_response", "_steps", "_until_close", "open_status")

    def __init__(self, method: str, *, keeps_answer: bool = False) -> None:
        """`keeps_answer`: for `answer`."""
        self._kept: bytearray | None = bytearray() if keeps_answer else None
        self._is_cut = False
        self._head = b""
        self._data = b""
        """What has arrived and is not parsed yet."""
        self._until_close = False
        """The response ends with the connection."""
        self._response: Response | None = None
        self.open_status = 0
        """The status, once the headers of an answer have arrived whose body may have no end."""
        self._steps = self._parse(method)

    def feed(self, data: bytes) -> Response | None:
        """Takes what the socket received, b"" at its end; the response once it is complete.

        Raises BadResponse and TooLarge.
        """
        if not data and not self._until_close:
            raise BadResponse
        self._data += data
        next(self._steps, None)
        return self._response

    @property
    def answer(self) -> Answer | None:
        """The response, its body without the framing, up to KEPT_MAX_BYTES; None unless asked for."""
        return None if self._kept is None else Answer(self._head, bytes(self._kept), self._is_cut)

    def _parse(self, method: str) -> Iterator[None]:
        status = 100
        while 100 <= status < 200 and status != 101:
            head = yield from self._read_head()
            status = status_of(head)
        self._head = head
        framing = framing_of(head)
        keep = framing.keep and status != 101
        has_body = not (method == "HEAD" or status in NO_BODY)
        if has_body and (framing.is_chunked or framing.length is None or framing.length > BODY_MAX_BYTES):
            if framing.has_endless_type:
                self._response = Response(status, keep=False, is_stream=True)
                return
            self.open_status = status
        try:
            if not has_body:
                pass
            elif framing.is_chunked:
                yield from self._skip_chunks()
            elif framing.length is not None:
                yield from self._skip(framing.length, framing.length)
            else:
                yield from self._skip_until_close()
                keep = False
        except _LongBody:
            keep = False
            self._is_cut = True
        # What arrived beyond this response belongs to no request.
        self._response = Response(status, keep and not self._data)

    def _read_head(self) -> Generator[None, None, bytes]:
        """The status line and headers, including the end of the last line."""
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if len(self._data) > HEAD_MAX_BYTES:
                raise TooLarge
            if self._data and not b"HTTP/1.".startswith(self._data[:7]):
                raise BadResponse
            yield
        if end > HEAD_MAX_BYTES:
            raise TooLarge
        head, self._data = self._data[: end + 2], self._data[end + 4 :]
        return head

    def _skip(self, length: int, total: int) -> Iterator[None]:
        """Drops the next `length` bytes of a body, which is then `total` bytes long so far."""
        excess = max(0, total - BODY_MAX_BYTES)
        length -= excess
        while len(self._data) < length:
            length -= len(self._data)
            self._keep(self._data)
            self._data = b""
            yield
        self._keep(self._data[:length])
        self._data = self._data[length:]
        if excess:
            raise _LongBody

    def _skip_chunks(self) -> Iterator[None]:
        total = 0
        while size := (yield from self._read_chunk_size()):
            total += size
            yield from self._skip(size, total)
            yield from self._skip_line_end()
        yield from self._skip_trailers()

    def _skip_line_end(self) -> Iterator[None]:
        """What follows the data of a chunk."""
        while len(self._data) < 2:
            yield
        self._data = self._data[2:]

    def _read_chunk_size(self) -> Generator[None, None, int]:
        while (end := self._data.find(b"\r\n")) < 0:
            if len(self._data) > CHUNK_LINE_MAX_BYTES:
                raise BadResponse
            yield
        line, self._data = self._data[:end], self._data[end + 2 :]
        size = line.partition(b";")[0].strip()
        if not _HEX(size):
            raise BadResponse
        return int(size, 16)

    def _skip_trailers(self) -> Iterator[None]:
        """They end with an empty line, as headers do."""
        while not (self._data.startswith(b"\r\n") or b"\r\n\r\n" in self._data):
            if len(self._data) > HEAD_MAX_BYTES:
                raise TooLarge
            yield
        end = 0 if self._data.startswith(b"\r\n") else self._data.find(b"\r\n\r\n") + 2
        self._data = self._data[end + 2 :]

    def _skip_until_close(self) -> Iterator[None]:
        """A body without a length lasts as long as the connection (RFC 9112, section 6.3)."""
        self._until_close = True
        total = len(self._data)
        while total <= BODY_MAX_BYTES:
            self._keep(self._data)
            self._data = b""
            yield
            if not self._data:
                return
            total += len(self._data)
        self._is_cut = True

    def _keep(self, data: bytes) -> None:
        """Keeps some of the body for `answer`."""
        if self._kept is not None and data:
            room = KEPT_MAX_BYTES - len(self._kept)
            self._kept += data[:room]
            self._is_cut = self._is_cut or len(data) > room


def status_of(head: bytes) -> int:
    """The status of a response's head. Raises BadResponse."""
    code = head[9:12]
    if not head.startswith(b"HTTP/1.") or head[8:9] != b" " or not code.isdigit() or code < b"100":
        raise BadResponse
    return int(code)


def framing_of(head: bytes) -> Framing:
    """How the body of this head is delimited. Raises BadResponse for lengths that contradict each other
    or are not numbers."""
    length: int | None = None
    is_chunked = has_endless_type = False
    keep = not head.startswith(b"HTTP/1.0")
    for name, value in _FRAMING(head):
        match name.lower():
            case b"transfer-encoding":
                is_chunked = b"chunked" in value.lower()
            case b"connection":
                keep = keep and b"close" not in value.lower()
            case b"content-type":
                has_endless_type = value.partition(b";")[0].strip().lower() in ENDLESS_TYPES
            case _:
                digits = value.strip()
                if not digits.isdigit() or len(digits) > LENGTH_MAX_DIGITS:
                    raise BadResponse
                if length not in (None, int(digits)):
                    raise BadResponse
                length = int(digits)
    return Framing(length, is_chunked, keep, has_endless_type)
