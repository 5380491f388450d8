"""Bodies to read: how senders make them, and what hypothesis makes of that."""

from __future__ import annotations

from hypothesis import strategies as st

from drain.receivers.frame import Frame
from drain.receivers.logplex import parse, parse_by_message
from servers.logplex_client import octet_counted
from servers.messages import router_line

ROUTER_MSG = router_line("/users/1?q=a").encode() + b"\n"
HEROKU_S = 1_461_275_761.123456
"""When `heroku` and `log_shuttle` write their messages, in Unix time."""

TIMESTAMP = b"2016-04-21T21:56:01.123456+00:00"

counted = octet_counted


def parsed(body: bytes) -> Frame:
    """The frame of a body, as the drain parses it."""
    return parse(body, "frame-1")


def parsed_by_message(body: bytes) -> Frame:
    """The same, found the plain way."""
    return parse_by_message(body, "frame-1")


def heroku(procid: bytes, text: bytes, app_name: bytes = b"heroku") -> bytes:
    """A message as Logplex sends it: no STRUCTURED-DATA."""
    return b"<158>1 %s host %s %s - %s" % (TIMESTAMP, app_name, procid, text)


def log_shuttle(procid: bytes, text: bytes) -> bytes:
    """A message as log-shuttle sends it: nil MSGID and nil STRUCTURED-DATA."""
    return b"<190>1 %s shuttle heroku %s - - %s" % (TIMESTAMP, procid, text)


# Messages with their octet counts, as they are in a body.
ROUTER_SENT = counted(heroku(b"router", ROUTER_MSG))
APP_SENT = counted(heroku(b"web.1", b"Completed 200 OK in 18ms\n", b"app"))
L10_SENT = counted(
    heroku(
        b"logplex",
        b"Error L10 (output buffer overflow): 1 messages dropped since 2014-11-07T23:29:45+00:00.",
    )
)

_printable = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_word = st.text(_printable, min_size=1, max_size=12).map(str.encode)
_digits = st.integers(0, 6).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n))
_timestamps = st.builds(
    lambda digits, zone: f"2016-04-21T21:56:01{'.' if digits else ''}{digits}{zone}".encode(),
    _digits,
    st.sampled_from(["Z", "+00:00", "-07:00"]),
)
_procids = st.one_of(
    st.sampled_from(
        [
            b"router",
            b"web.1",
            b"logplex",
            b"log-shuttle",
            b"api",
            b"heroku-postgres",
            b"scout",
            b"web-7d9c5b8f6-x2x9k",
        ]
    ),
    _word,
)
_app_names = st.one_of(st.sampled_from([b"app", b"heroku"]), _word)
SAMPLES_MSG = b"source=DATABASE addon=postgresql-curly-1 sample#db_size=90755887bytes\n"
_texts = st.one_of(
    st.just(ROUTER_MSG),
    st.sampled_from([SAMPLES_MSG, b"source=a\n", b"State changed from starting to up\n", b"Restarting"]),
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda text: text + b"\n"),
    st.sampled_from([b"", b"\n", b"a\nb\n", b"12 <1", "é=ü\n".encode(), b"x" * 16_500 + b"\n"]),
)
_between = st.sampled_from(
    [b"- ", b"- ", b"- ", b"", b"- - ", b"ID47 ", b'- [id k="v"] ', b'ID47 [a][b c="\\]"] ', b"-"]
)


def _message(prival: int, version: int, fields: tuple[bytes, ...], between: bytes, text: bytes) -> bytes:
    return b"<%d>%d %s %s%s" % (prival, version, b" ".join(fields), between, text)


messages = st.builds(
    _message,
    st.integers(0, 191),
    st.integers(1, 3),
    st.tuples(_timestamps, _word, _app_names, _procids),
    _between,
    _texts,
)
bodies = st.lists(messages, max_size=8)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid body with a few bytes cut, changed, doubled or put in."""
    body = b"".join(map(counted, draw(bodies)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        stop = min(len(body), start + draw(st.integers(0, 20)))
        put = draw(
            st.one_of(
                st.binary(max_size=4), st.sampled_from([b"\n", b" ", b"0", b"9", b"<", body[start:stop] * 2])
            )
        )
        body = body[:start] + put + body[stop:]
    return body
