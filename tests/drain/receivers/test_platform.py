"""Which messages of a body are the platform's own, in every form in which senders write them."""

from __future__ import annotations

import pytest

from drain.receivers.frame import Frame
from tests.drain.bodies import TIMESTAMP, counted, parsed, parsed_by_message

API_TEXT = b"Release v48 created by user a@example.com\n"
STATE_TEXT = b"State changed from starting to up\n"
LOAD_TEXT = b"source=web.1 dyno=heroku.2.d sample#load_avg_1m=2.46\n"
POSTGRES_TEXT = b"source=DATABASE addon=postgresql-curly-1 sample#db_size=90755887bytes sample#tables=10\n"


def syslog(app: bytes, procid: bytes, text: bytes, before: bytes = b"- ") -> bytes:
    return b"<45>1 %s host %s %s %s%s" % (TIMESTAMP, app, procid, before, text)


def both_ways(body: bytes) -> Frame:
    """The frame of a body, found the fast way and the plain way alike."""
    frame, plain = parsed(body), parsed_by_message(body)
    for name in ("messages", "platform", "notices", "rejects", "message_count"):
        assert getattr(frame, name) == getattr(plain, name)
    return frame


@pytest.mark.parametrize(
    ("app", "procid", "text"),
    [
        (b"app", b"api", API_TEXT),
        (b"heroku", b"api", b"Scale to web=1 by a@example.com\n"),
        (b"heroku", b"web.1", STATE_TEXT),
        (b"heroku", b"web.1", LOAD_TEXT),
        (b"heroku", b"run.7699", b"Process exited with status 0\n"),
        (b"heroku", b"web-7d9c5b8f6-x2x9k", STATE_TEXT),
        (b"heroku", b"slug-compiler", b"Slug compilation started\n"),
        (b"app", b"heroku-postgres", POSTGRES_TEXT),
        (b"app", b"heroku-redis", POSTGRES_TEXT),
        (b"app", b"heroku-postgres", b"Update DATABASE by user heroku-postgresql@addons.heroku.com\n"),
        (b"app", b"scoutdb", POSTGRES_TEXT),
    ],
)
@pytest.mark.parametrize("before", [b"- ", b"- - ", b"", b"ID47 - ", b'- [a b="c"] '])
@pytest.mark.parametrize("newline", [b"\n", b""])
def test_what_the_platform_says_is_kept_in_every_form(
    app: bytes, procid: bytes, text: bytes, before: bytes, newline: bytes
) -> None:
    text = text.removesuffix(b"\n") + newline
    frame = both_ways(counted(syslog(app, procid, text, before)))
    (message,) = frame.platform
    assert (message.msg, message.app_name, message.procid) == (text, app.decode(), procid.decode())
    assert (message.timestamp, message.hostname, message.prival) == (TIMESTAMP.decode(), "host", 45)
    assert frame.messages == []
    assert frame.rejects == []


@pytest.mark.parametrize(
    ("app", "procid", "text"),
    [
        (b"app", b"web.1", STATE_TEXT),
        (b"app", b"web.1", POSTGRES_TEXT),
        (b"app", b"postgres.4711", b"[DATABASE] LOG: checkpoint starting\n"),
        (b"app", b"web-7d9c5b8f6-x2x9k", POSTGRES_TEXT),
        (b"app", b"scoutdb", b"source=DATABASE without a value\n"),
        (b"app", b"scoutdb", b"hello sample#a=1\n"),
        (b"shop", b"api", API_TEXT),
        (b"shop", b"heroku-postgres", POSTGRES_TEXT),
        (b"heroku", b"", STATE_TEXT),
        (b"heroku", b"w\xc3\xa9b.1", STATE_TEXT),
    ],
)
@pytest.mark.parametrize("before", [b"- ", b"- - ", b""])
def test_the_output_of_the_app_and_of_others_is_only_counted(
    app: bytes, procid: bytes, text: bytes, before: bytes
) -> None:
    frame = both_ways(counted(syslog(app, procid, text, before)))
    assert (frame.platform, frame.messages, frame.rejects, frame.message_count) == ([], [], [], 1)


def test_router_lines_and_notices_are_not_the_platforms() -> None:
    body = counted(syslog(b"heroku", b"router", b"at=info method=GET\n"))
    body += counted(
        syslog(b"heroku", b"logplex", b"Error L10 (output buffer overflow): 1 messages dropped\n")
    )
    body += counted(syslog(b"heroku", b"logplex", b"something else\n"))
    frame = both_ways(body)
    assert (len(frame.messages), len(frame.notices), frame.platform) == (1, 1, [])


def test_they_are_numbered_among_all_messages_of_the_frame() -> None:
    app = counted(syslog(b"app", b"web.1", b"hello\n"))
    router = counted(syslog(b"heroku", b"router", b"at=info method=GET\n"))
    state = counted(syslog(b"heroku", b"web.1", STATE_TEXT))
    # The app's procid comes before the platform's of the same dyno, and after it.
    frame = both_ways(app + state + router + app + state + app)
    assert [message.index for message in frame.platform] == [1, 4]
    assert [message.index for message in frame.messages] == [2]
    assert frame.message_count == 6


def test_a_text_that_is_not_utf_8_and_one_of_several_lines_stay_whole() -> None:
    texts = [b"Process exited \xff\n", b"Build failed\nbecause\n", b"\n", b"", "é\n".encode()]
    frame = both_ways(b"".join(counted(syslog(b"heroku", b"web.1", text)) for text in texts))
    assert [message.msg for message in frame.platform] == texts


def test_a_procid_of_another_sender_does_not_hide_the_platforms() -> None:
    body = counted(syslog(b"shop", b"api", b"hello\n")) + counted(syslog(b"app", b"api", API_TEXT))
    assert [message.msg for message in both_ways(body).platform] == [API_TEXT]


def test_a_header_that_is_not_ascii_is_a_reject() -> None:
    body = counted(b"<45>1 %s h\xc3\xb6st heroku web.1 - %s" % (TIMESTAMP, STATE_TEXT))
    frame = both_ways(body)
    assert (frame.platform, len(frame.rejects)) == ([], 1)
