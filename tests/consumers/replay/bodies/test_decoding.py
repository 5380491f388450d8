"""Bodies as they were before they were encoded, within limits."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest

from consumers.replay.bodies.decoding import DECODED_MAX_BYTES, content_of, text_of
from consumers.replay.request import Answer


def answer(body: bytes, headers: str = "", *, is_cut: bool = False) -> Answer:
    return Answer(f"HTTP/1.1 200 OK\r\n{headers}".encode(), body, is_cut)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("GZip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("x-gzip", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw_deflate(b"hello")),
        ("deflate, gzip", gzip.compress(zlib.compress(b"hello"), mtime=0)),
        ("identity", b"hello"),
        ("", b"hello"),
    ],
)
def test_known_encodings_are_undone(coding: str, body: bytes) -> None:
    content = content_of(answer(body, f"Content-Encoding: {coding}\r\n"))
    assert (content.body, content.is_encoded, content.is_cut) == (b"hello", False, False)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("br", b"\x0b\x02\x80"), ("gzip", b"no gzip"), ("deflate", b"\xff\xff"), ("gzip, gzip, gzip", b"x")],
)
def test_a_body_that_cannot_be_decoded_stays_as_it_is(coding: str, body: bytes) -> None:
    content = content_of(answer(body, f"Content-Encoding: {coding}\r\n"))
    assert (content.body, content.is_encoded) == (body, True)
    assert text_of(content) is None


@pytest.mark.parametrize("members", [1, 40])
def test_a_bomb_is_inflated_up_to_the_limit(members: int) -> None:
    bomb = gzip.compress(bytes(200_000_000 // members), 6) * members
    started_s = time.process_time()
    content = content_of(answer(bomb, "Content-Encoding: gzip\r\n"))
    assert len(content.body) == DECODED_MAX_BYTES
    assert content.is_cut
    assert time.process_time() - started_s < 0.5


def test_a_compressed_body_that_is_cut_is_inflated_as_far_as_it_goes() -> None:
    whole = b"".join(b"%d " % number for number in range(5_000))
    content = content_of(answer(gzip.compress(whole)[:4_000], "Content-Encoding: gzip\r\n", is_cut=True))
    assert content.is_cut
    assert content.body
    assert whole.startswith(content.body)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "text/plain", "é"),
        ("é".encode("latin-1"), "text/plain; charset=ISO-8859-1", "é"),
        ("é".encode("latin-1"), "text/plain", "é"),
        ("é".encode("utf-16"), 'text/plain; charset="utf-16"', "é"),
        (b"41", "text/plain; charset=hex", "41"),
        (b"\xe9", "text/plain; charset=idna", "é"),
        (b"{}", "", "{}"),
        (b"a\0b", "text/plain", None),
        (b"\xff\xd8", "", None),
        (b"abc", "image/png", None),
    ],
)
def test_text_is_told_from_binary(body: bytes, content_type: str, text: str | None) -> None:
    headers = f"Content-Type: {content_type}\r\n" if content_type else ""
    assert text_of(content_of(answer(body, headers))) == text


def test_nothing_of_an_answer_is_in_its_repr() -> None:
    given = answer(b"secret-body", "Content-Type: text/secret-type\r\nLocation: /secret-place\r\n")
    assert "secret" not in repr(given)
    assert "secret" not in repr(content_of(given))
