"""Bodies within their limits: as sent, and unpacked."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from typing import IO

import pytest

from drain.receivers.body import (
    GZIP_MEMBERS_MAX,
    BodyCutShort,
    BodyNotGzip,
    BodyTooLarge,
    gunzip,
    read_request_body,
)


class Stream(io.RawIOBase):
    """Gives `body` in parts of at most `step` bytes, as a socket does; notes how much was asked for."""

    def __init__(self, body: bytes, step: int = 7, fault_after: int | None = None) -> None:
        self._body = body
        self._at = 0
        self._step = step
        self._fault_after = fault_after
        self.asked = 0

    def read(self, size: int = -1, /) -> bytes:
        if self._fault_after is not None and self._at >= self._fault_after:
            raise ConnectionResetError("gone")
        assert size >= 0
        self.asked += size
        part = self._body[self._at : self._at + min(size, self._step)]
        self._at += len(part)
        return part


def stream(body: bytes, step: int = 7, fault_after: int | None = None) -> IO[bytes]:
    return Stream(body, step, fault_after)  # type: ignore[return-value]


@pytest.mark.parametrize("length", [None, 1000])
@pytest.mark.parametrize("step", [1, 7, 999, 5000])
def test_a_body_is_read_whole_in_whatever_parts_it_comes(length: int | None, step: int) -> None:
    body = bytes(range(250)) * 4
    assert read_request_body(stream(body, step), length, limit=1000) == body


@pytest.mark.parametrize("length", [None, 0])
def test_an_empty_body_is_empty(length: int | None) -> None:
    assert read_request_body(stream(b""), length, limit=10) == b""


def test_a_body_announced_as_too_large_is_not_read_at_all() -> None:
    with pytest.raises(BodyTooLarge):
        read_request_body(stream(b"", fault_after=0), 11, limit=10)


def test_a_chunked_body_is_read_no_further_than_a_byte_past_the_limit() -> None:
    endless = Stream(b"x" * 100_000, step=100_000)
    with pytest.raises(BodyTooLarge):
        read_request_body(endless, None, limit=1000)  # type: ignore[arg-type]
    assert endless.asked == 1001


def test_a_body_that_ends_before_its_announced_length_is_cut_short() -> None:
    with pytest.raises(BodyCutShort):
        read_request_body(stream(b"x" * 9), 10, limit=100)


@pytest.mark.parametrize("length", [None, 10])
def test_a_connection_that_breaks_cuts_the_body_short(length: int | None) -> None:
    with pytest.raises(BodyCutShort):
        read_request_body(stream(b"x" * 10, step=1, fault_after=5), length, limit=100)


def test_a_gzip_body_is_unpacked() -> None:
    body = b"router " * 1000
    assert gunzip(gzip.compress(body), limit=7000) == body


def test_gzip_of_several_members_is_unpacked_whole() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"") + gzip.compress(b"second")
    assert gunzip(packed, limit=100) == b"first second"


@pytest.mark.parametrize("member", [gzip.compress(b"", mtime=0), gzip.compress(b"x", mtime=0)])
def test_more_members_than_any_sender_makes_are_not_unpacked(member: bytes) -> None:
    assert len(gunzip(member * GZIP_MEMBERS_MAX, limit=1000)) in (0, GZIP_MEMBERS_MAX)
    with pytest.raises(BodyNotGzip):
        gunzip(member * (GZIP_MEMBERS_MAX + 1), limit=1000)


def test_zeros_after_the_last_member_are_padding() -> None:
    assert gunzip(gzip.compress(b"router") + bytes(100), limit=100) == b"router"


def test_the_limit_counts_for_the_unpacked_size() -> None:
    with pytest.raises(BodyTooLarge):
        gunzip(gzip.compress(b"x" * 1001), limit=1000)
    with pytest.raises(BodyTooLarge):
        gunzip(gzip.compress(b"x" * 600) * 2, limit=1000)


def test_a_bomb_is_never_unpacked_beyond_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            gunzip(bomb, limit=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "packed",
    [
        b"83 <40>1 plain text",
        b"",
        b"\x1f\x8b",
        gzip.compress(b"router " * 100, mtime=0)[:-9],
        gzip.compress(b"router " * 100, mtime=0)[:-4],
        gzip.compress(b"router", mtime=0) + b"and more",
        gzip.compress(b"router", mtime=0)[:-8] + b"\0" * 8,
        b"\x1f\x8b\x08\x00" + b"\xff" * 40,
    ],
)
def test_what_is_no_whole_gzip_is_said_to_be_none(packed: bytes) -> None:
    with pytest.raises(BodyNotGzip):
        gunzip(packed, limit=10_000)
