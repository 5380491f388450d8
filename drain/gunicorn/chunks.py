"""gunicorn's reader of chunked bodies, with errors that an application can tell apart and answer."""

from __future__ import annotations

from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    ChunkMissingTerminator,
    InvalidChunkExtension,
    InvalidChunkSize,
    ParseException,
)

from drain.receivers.body import BodyCutShort, BodyError, BodyMalformed

CHUNKS_MAX = 10_000
"""Of one body, which has 1 MB by default. Each takes about 9 us, and a client with one byte in each could
keep a core busy for READ_S with 0.7 MB/s."""


class Chunks(ChunkedReader):  # type: ignore[misc]
    """Raises drain.receivers.body's errors, and has the connection closed after the answer to each of them.

    Where the next request would begin is unknown by then (RFC 9112, 6.3).
    """

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end of the body. Raises BodyMalformed and BodyCutShort."""
        try:
            return bytes(super().read(size))
        except (ParseException, OSError) as fault:
            self.req.force_close()
            raise _as_body_error(fault) from fault

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> Any:
        """The size of the next chunk, and what came after it. Raises BodyMalformed past CHUNKS_MAX."""
        self.chunks = getattr(self, "chunks", 0) + 1
        if self.chunks > CHUNKS_MAX:
            self.req.force_close()
            raise BodyMalformed(f"more than {CHUNKS_MAX} chunks")
        return super().parse_chunk_size(unreader, data)

    def read_into(self, unreader: Any, buf: bytearray) -> None:
        """More of a line that is not whole yet. A line feed alone never makes it whole."""
        _check_first_line(buf)
        super().read_into(unreader, buf)
        _check_first_line(buf)


def _check_first_line(buf: bytearray) -> None:
    end = buf.find(b"\n")
    if end >= 0 and buf[:end][-1:] != b"\r":
        raise ChunkMissingTerminator(b"\n\n")


def _as_body_error(fault: Exception) -> BodyError:
    """The fault as one of ours, in our own words: gunicorn's repeat up to 8 KB of what was sent."""
    if isinstance(fault, OSError):
        return BodyCutShort()
    if isinstance(fault, ChunkMissingTerminator):
        # At the end of the stream gunicorn says the same, with the part of the CRLF that came.
        return (
            BodyCutShort()
            if fault.term in (b"", b"\r")
            else BodyMalformed("a line, or the data of a chunk, does not end in CRLF")
        )
    if isinstance(fault, InvalidChunkSize):
        return BodyMalformed("a chunk's size is not a hexadecimal number")
    if isinstance(fault, InvalidChunkExtension):
        return BodyMalformed("a chunk's extension is malformed")
    return BodyMalformed("the trailers are malformed, or change what the request is")
