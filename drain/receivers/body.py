"""Reads the body of a request within limits: as sent, or unpacked from gzip."""

from __future__ import annotations

import zlib
from typing import IO

CHUNK = 65_536

GZIP_MEMBERS_MAX = 100
"""Senders pack a body into one member. 52,000 empty ones fit into 1 MB and took 0.5 s."""


class BodyError(Exception):
    """The family: the body cannot be read."""


class BodyTooLarge(BodyError):
    """More than the limit, as sent or unpacked."""


class BodyCutShort(BodyError):
    """The sender stopped, or was too slow, before it reached the declared length."""


class BodyMalformed(BodyError):
    """Its chunks are malformed; says how, without repeating what was sent."""


class BodyNotGzip(BodyError):
    """`Content-Encoding: gzip`, but the bytes are something else, or end too early."""


def read_request_body(stream: IO[bytes], length: int | None, limit: int) -> bytes:
    """All bytes of the stream; `length` is the declared one, None for a chunked body."""
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
    """The unpacked bytes of all members (RFC 1952, 2.2); never more than `limit` of them in memory."""
    parts: list[bytes] = []
    size = 0
    for _ in range(GZIP_MEMBERS_MAX):
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            part = unpacker.decompress(packed, limit + 1 - size)
        except zlib.error as fault:
            raise BodyNotGzip from fault
        parts.append(part)
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        if not unpacker.eof:
            raise BodyNotGzip
        packed = unpacker.unused_data
        if not packed.strip(b"\0"):  # gzip -d allows padding too.
            return b"".join(parts)
    raise BodyNotGzip
