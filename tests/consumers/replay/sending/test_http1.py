"""The answer of an HTTP/1.1 target, parsed without a socket, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.replay.sending.http1 import (
    BODY_MAX_BYTES,
    CHUNK_LINE_MAX_BYTES,
    HEAD_MAX_BYTES,
    KEPT_MAX_BYTES,
    LENGTH_MAX_DIGITS,
    BadResponse,
    Framing,
    Response,
    ResponseParser,
    TooLarge,
    framing_of,
    status_of,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
COMPLETE = [
    (OK + b"Content-Length: 5\r\n\r\nhello", Response(200, True)),
    (OK + b"Content-Length: 0\r\n\r\n", Response(200, True)),
    (OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Response(200, True)),
    (OK + b"content-length:5\r\nConnection: Close\r\n\r\nhello", Response(200, False)),
    (b"HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", Response(404, False)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", Response(204, True)),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Response(304, True)),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
        Response(200, True),
    ),
    (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", Response(200, True)),
    (CHUNKED + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", Response(200, True)),
    (OK + b"Content-Length: %d\r\n\r\n" % BODY_MAX_BYTES + b"x" * BODY_MAX_BYTES, Response(200, True)),
    (OK + b"Content-Length: %d\r\n\r\n" % (BODY_MAX_BYTES + 1) + b"x" * BODY_MAX_BYTES, Response(200, False)),
    (OK + b"\r\n" + b"x" * (BODY_MAX_BYTES + 1), Response(200, False)),
]


def fed(data: bytes, size: int, method: str = "GET") -> Response | None:
    """What the parser says after the last of the pieces, which are `size` bytes long."""
    parser = ResponseParser(method)
    response = None
    for start in range(0, len(data), size):
        assert response is None, "complete before its last piece"
        response = parser.feed(data[start : start + size])
    return response


SHORT = [example for example in COMPLETE if len(example[0]) < 1_000]


@pytest.mark.parametrize(("data", "response"), COMPLETE)
def test_a_response_is_complete_at_its_last_byte(data: bytes, response: Response) -> None:
    assert fed(data, len(data)) == response
    assert fed(data[:-1], len(data)) is None


@given(st.sampled_from(SHORT), st.lists(st.integers(1, 60), max_size=6))
def test_the_pieces_in_which_it_arrives_make_no_difference(
    example: tuple[bytes, Response], cuts: list[int]
) -> None:
    data, expected = example
    assert fed(data, 1) == expected
    parser, start, response = ResponseParser("GET"), 0, None
    for size in [*cuts, len(data)]:
        piece, start = data[start : start + size], start + size
        if piece:
            response = parser.feed(piece)
    assert response == expected


def test_a_connection_that_sends_more_than_the_response_cannot_be_kept() -> None:
    assert fed(OK + b"Content-Length: 5\r\n\r\nhello!", 100) == Response(200, False)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    parser = ResponseParser("GET")
    assert parser.feed(OK + b"\r\nabc") is None
    assert parser.feed(b"def") is None
    assert parser.feed(b"") == Response(200, False)


def test_the_answer_to_a_head_has_no_body() -> None:
    assert fed(OK + b"Content-Length: 5\r\n\r\n", 10, "HEAD") == Response(200, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        OK,
        OK + b"Content-Length: 5\r\n\r\nhell",
        CHUNKED + b"3\r\nab",
        CHUNKED + b"0\r\n",
    ],
)
def test_a_connection_that_ends_within_the_response_is_a_bad_response(data: bytes) -> None:
    parser = ResponseParser("GET")
    if data:
        assert parser.feed(data) is None
    with pytest.raises(BadResponse):
        parser.feed(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1 2x0 X\r\n\r\n",
        b"HTTP/1.1-200 X\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: +1\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        OK + b"Content-Length: " + b"1" * (LENGTH_MAX_DIGITS + 1) + b"\r\n\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"1" * 17 + b"\r\n",
        CHUNKED + b"1" * (CHUNK_LINE_MAX_BYTES + 1),
    ],
)
def test_what_is_not_a_response_is_refused(data: bytes) -> None:
    with pytest.raises(BadResponse):
        ResponseParser("GET").feed(data)


def test_headers_are_limited_to_their_size() -> None:
    fits = OK + b"A: " + b"x" * (HEAD_MAX_BYTES - len(OK) - 3) + b"\r\n\r\n"
    assert ResponseParser("HEAD").feed(fits) == Response(200, True)
    with pytest.raises(TooLarge):
        ResponseParser("HEAD").feed(fits.replace(b"A: ", b"A: x"))
    with pytest.raises(TooLarge):
        ResponseParser("HEAD").feed(fits[:-4] + b"xx")
    with pytest.raises(TooLarge):
        ResponseParser("GET").feed(CHUNKED + b"0\r\n" + b"x" * (HEAD_MAX_BYTES + 1))


def test_a_status_and_the_framing_are_read_from_the_head() -> None:
    assert status_of(b"HTTP/1.1 503 Service Unavailable\r\n") == 503
    assert framing_of(OK) == Framing(None, False, True)
    assert framing_of(OK + b"Transfer-Encoding: gzip, Chunked\r\n") == Framing(None, True, True)
    assert framing_of(OK + b"Content-Length:  7 \r\nConnection: keep-alive\r\n") == Framing(7, False, True)


LENGTH = OK + b"Content-Length: %d\r\n\r\n%b"
UNTIL_CLOSE = OK + b"\r\n"


def kept(data: bytes, size: int, method: str = "GET") -> tuple[bytes, bytes, bool]:
    """Head and body of the answer, and whether it is cut; the connection is closed at its end."""
    parser = ResponseParser(method, keeps_answer=True)
    response = None
    for start in range(0, len(data), size):
        response = response or parser.feed(data[start : start + size])
    assert response or parser.feed(b"")
    assert parser.answer is not None
    return parser.answer.head, parser.answer.body, parser.answer.is_cut


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    "data",
    [
        LENGTH % (5, b"hello"),
        CHUNKED + b"1\r\nh\r\n3;x=y\r\nell\r\n1\r\no\r\n0\r\nTrailer: x\r\n\r\n",
        UNTIL_CLOSE + b"hello",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + LENGTH % (5, b"hello"),
    ],
)
def test_an_answer_is_kept_without_its_framing(data: bytes, size: int) -> None:
    head, body, is_cut = kept(data, size)
    assert (head[:17], body, is_cut) == (OK, b"hello", False)


@pytest.mark.parametrize(
    "data",
    [
        LENGTH % (KEPT_MAX_BYTES + 1, b"x" * (KEPT_MAX_BYTES + 1)),
        LENGTH % (BODY_MAX_BYTES + 1, b"x" * BODY_MAX_BYTES),
        CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (KEPT_MAX_BYTES + 1, b"x" * (KEPT_MAX_BYTES + 1)),
        UNTIL_CLOSE + b"x" * (KEPT_MAX_BYTES + 1),
        UNTIL_CLOSE + b"x" * (BODY_MAX_BYTES + 1),
    ],
)
def test_of_a_long_answer_only_the_first_is_kept(data: bytes) -> None:
    assert kept(data, 65_536)[1:] == (b"x" * KEPT_MAX_BYTES, True)
    exact = LENGTH % (KEPT_MAX_BYTES, b"x" * KEPT_MAX_BYTES)
    assert kept(exact, 65_536)[1:] == (b"x" * KEPT_MAX_BYTES, False)


def test_an_answer_without_a_body_is_kept_and_none_unless_asked_for() -> None:
    assert kept(OK + b"Content-Length: 5\r\n\r\n", 100, "HEAD") == (OK + b"Content-Length: 5\r\n", b"", False)
    parser = ResponseParser("GET")
    assert parser.feed(LENGTH % (5, b"hello"))
    assert parser.answer is None
