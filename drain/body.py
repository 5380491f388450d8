"""The body of a request within its limits: as sent, or unpacked from gzip."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO

CHUNK = 65_536


class BodyTooLarge(Exception):
    """More than the limit, as sent or unpacked."""


class BodyCutShort(Exception):
    """The sender stopped, or was too slow, before the length that it announced."""


class BodyNotGzip(Exception):
    """`Content-Encoding: gzip`, but the bytes are something else, or end too early."""


def read(stream: IO[bytes], length: int | None, limit: int) -> bytes:
    """All bytes of the stream; `length` is what was announced, None for a chunked body."""
    if length is not None and length > limit:
        raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    try:
        while part := stream.read(min(CHUNK, limit + 1 - size)):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise BodyTooLarge
    except OSError as fault:
        raise BodyCutShort from fault
    if length is not None and size < length:
        raise BodyCutShort
    return b"".join(parts)


def gunzip(packed: bytes, limit: int) -> bytes:
    """The unpacked bytes; never more than `limit` of them in memory."""
    try:
        # Of several members too (RFC 1952, 2.2): to read only the first would lose the others.
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacker:
            body = unpacker.read(limit + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise BodyNotGzip from fault
    if len(body) > limit:
        raise BodyTooLarge
    return body
