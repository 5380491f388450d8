"""Logplex bodies by example."""

from __future__ import annotations

import time

import pytest

from drain.receivers import logplex
from drain.receivers.frame import Notice, SyslogMessage
from drain.receivers.logplex import REJECTS_MAX, TINY_MAX, as_body, parse, parse_by_message
from drain.receivers.notices import NOTICE_MAX
from tests.drain.bodies import (
    APP_SENT,
    L10_SENT,
    ROUTER_MSG,
    ROUTER_SENT,
    TIMESTAMP,
    counted,
    heroku,
    log_shuttle,
    parsed,
    parsed_by_message,
)


def only_router_line(message: bytes) -> SyslogMessage:
    body = parsed(counted(message))
    assert (body.message_count, body.rejects, body.broken) == (1, [], None)
    (line,) = body.messages
    return line


def only_notice(message: bytes) -> Notice:
    body = parsed(counted(message))
    assert (body.message_count, body.rejects, body.broken) == (1, [], None)
    (notice,) = body.notices
    return notice


def test_an_empty_body_holds_nothing_and_is_not_broken() -> None:
    body = parsed(b"")
    assert (body.message_count, body.broken, body.rest) == (0, None, b"")


def test_a_router_line_comes_out_as_the_talk_s_parser_gave_it() -> None:
    assert only_router_line(heroku(b"router", ROUTER_MSG)) == SyslogMessage(
        index=0,
        prival=158,
        version=1,
        timestamp="2016-04-21T21:56:01.123456+00:00",
        hostname="host",
        app_name="heroku",
        procid="router",
        msgid=None,
        structured_data=None,
        msg=ROUTER_MSG,
    )


def test_only_router_lines_are_kept_and_they_know_their_place_in_the_body() -> None:
    body = parsed(APP_SENT + ROUTER_SENT + APP_SENT + ROUTER_SENT)
    assert body.message_count == 4
    assert [line.index for line in body.messages] == [1, 3]


def test_an_app_s_own_process_called_router_is_no_heroku_router() -> None:
    body = parsed(counted(heroku(b"router.1", ROUTER_MSG, b"app")))
    assert (body.message_count, body.messages, body.rejects) == (1, [], [])


@pytest.mark.parametrize(
    ("tail", "msgid", "structured_data", "msg"),
    [
        (b"- at=info status=200", None, None, b"at=info status=200"),
        (b"- - at=info status=200\n", None, None, b"at=info status=200\n"),
        (b"ID47 at=info", "ID47", None, b"at=info"),
        (b"ID47 - at=info", "ID47", None, b"at=info"),
        (b'- [id k="v"] at=info', None, '[id k="v"]', b"at=info"),
        (b'- [a@1 k="v w" l="\\"\\]"][b] at=info', None, '[a@1 k="v w" l="\\"\\]"][b]', b"at=info"),
        (b'- [id k="v" at=info', None, None, b'[id k="v" at=info'),
        (b"- [not data at=info", None, None, b"[not data at=info"),
        (b"- -1 at=info", None, None, b"-1 at=info"),
        (b"- ", None, None, b""),
        (b"-", None, None, b""),
        (b"at=info status=200", None, None, b"at=info status=200"),
        (b"- caf\xc3\xa9=1\n", None, None, b"caf\xc3\xa9=1\n"),
        (b'- at=info path="/\xff\xfe"\n', None, None, b'at=info path="/\xff\xfe"\n'),
        (b'- at=info path="/a\nb"\n', None, None, b'at=info path="/a\nb"\n'),
        (b"- at=info\r\n", None, None, b"at=info\r\n"),
    ],
)
def test_msgid_and_structured_data_are_told_from_the_text(
    tail: bytes, msgid: str | None, structured_data: str | None, msg: bytes
) -> None:
    line = only_router_line(b"<158>1 %s host heroku router %s" % (TIMESTAMP, tail))
    assert (line.msgid, line.structured_data, line.msg) == (msgid, structured_data, msg)


@pytest.mark.parametrize(
    "timestamp",
    ["2016-04-21T21:56:01Z", "2016-04-21T21:56:01.1+00:00", "2016-04-21T21:56:01.123456-07:00", "-"],
)
def test_the_timestamp_is_kept_as_sent(timestamp: str) -> None:
    message = heroku(b"router", ROUTER_MSG).replace(TIMESTAMP, timestamp.encode())
    assert only_router_line(message).timestamp == timestamp


def test_a_drain_token_may_be_the_host_name_and_prival_and_version_may_differ() -> None:
    line = only_router_line(b"<7>12 %s d.4f2c heroku router - at=info" % TIMESTAMP)
    assert (line.prival, line.version, line.hostname) == (7, 12, "d.4f2c")


def test_octet_counts_are_bytes_not_characters() -> None:
    text = 'at=info path="/käse/日本" status=200\n'.encode()
    body = parsed(counted(heroku(b"router", text)) + ROUTER_SENT)
    assert [line.msg for line in body.messages] == [text, ROUTER_MSG]


def test_messages_of_any_shape_follow_each_other() -> None:
    messages = [
        heroku(b"web.1", b"a trace\n  line two\n  line three\n", b"app"),
        heroku(b"router", ROUTER_MSG),
        heroku(b"router", b"at=info no newline"),
        heroku(b"router", ROUTER_MSG),
        heroku(b"web.1", b"\xff\x00\x01\n\n\n", b"app"),
        heroku(b"web.1", b"x" * 40_000 + b"\n", b"app"),
        heroku(b"router", b'at=info path="/' + b"y" * 40_000 + b'"\n'),
        heroku(b"router", ROUTER_MSG),
        heroku(b"web.1", b"no newline", b"app"),
    ]
    body = parsed(b"".join(map(counted, messages)))
    assert (body.message_count, body.broken, body.rest, body.rejects) == (9, None, b"", [])
    assert [line.index for line in body.messages] == [1, 2, 3, 6, 7]
    assert [counted(heroku(b"router", line.msg)) for line in body.messages] == [
        counted(messages[line.index]) for line in body.messages
    ]


def test_a_message_inside_a_message_is_text() -> None:
    body = parsed(counted(heroku(b"web.1", b"\n" + ROUTER_SENT, b"app")))
    assert (body.message_count, body.messages) == (1, [])


@pytest.mark.parametrize("source", ["logplex", "log-shuttle"])
@pytest.mark.parametrize("make", [heroku, log_shuttle])
def test_a_notice_says_who_lost_how_many_since_when(source: str, make: object) -> None:
    assert callable(make)
    text = b"Error L10 (output buffer overflow): 13 messages dropped since 2014-11-07T23:29:45+00:00."
    assert only_notice(make(source.encode(), text)) == Notice(
        index=0,
        code="L10",
        dropped=13,
        since="2014-11-07T23:29:45+00:00",
        source=source,
        drain="",
        timestamp=TIMESTAMP.decode(),
        receiving_drain="",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b"Error L10 (output buffer overflow): drain 'd.437d5ca9' dropped 2 messages",
            ("L10", 2, "", "d.437d5ca9"),
        ),
        (
            b"Error L10 (output buffer overflow): drain 'd.437d5ca9' dropped 2 messages "
            b"since 2022-04-13T19:41:43.467368+00:00.\n",
            ("L10", 2, "2022-04-13T19:41:43.467368+00:00", "d.437d5ca9"),
        ),
        (
            b"Error L12: 3 messages dropped since 2026-11-23T10:00:00.123456+00:00\n",
            ("L12", 3, "2026-11-23T10:00:00.123456+00:00", ""),
        ),
        (
            b"Error L13: 5 messages lost since 2026-11-23T10:00:00Z\n",
            ("L13", 5, "2026-11-23T10:00:00Z", ""),
        ),
        (b"Error L13: 1 message lost", ("L13", 1, "", "")),
        (b"ERROR L10 (Output Buffer Overflow): 1 Message Dropped", ("L10", 1, "", "")),
        (b"error l10: Drain 'd.437d5ca9' lost 7 Messages.\n", ("L10", 7, "", "d.437d5ca9")),
        (
            b"Error L10: drain '\xf0\x9f\x98\x80 \\ \"' dropped 2 messages",
            ("L10", 2, "", '\xf0\x9f\x98\x80 \\ "'),
        ),
        (b"Error L10: drain '' dropped 2 messages", ("L10", 2, "", "")),
        (b"Error L10: drain '%s' dropped 2 messages" % (b"d" * 9000), ("L10", 2, "", "d" * 9000)),
    ],
)
def test_each_form_of_a_loss_notice_is_read(text: bytes, expected: tuple[str, int, str, str]) -> None:
    notice = only_notice(heroku(b"logplex", text))
    assert (notice.code, notice.dropped, notice.since, notice.drain) == expected


def test_a_notice_without_newline_does_not_swallow_the_message_after_it() -> None:
    body = parsed(L10_SENT + ROUTER_SENT + ROUTER_SENT)
    assert body.message_count == 3
    assert [notice.index for notice in body.notices] == [0]
    assert [line.index for line in body.messages] == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        heroku(b"logplex", b"Error L10 is what an operator fears\n"),
        heroku(b"logplex", b"Error L10th of the month\n"),
        heroku(b"logplex", b"an Error L14 (certificate validation): within a text\n"),
        heroku(b"web.1", b"Error L10 (output buffer overflow): 1 messages dropped since now\n", b"app"),
    ],
)
def test_what_only_looks_like_a_notice_counts_no_loss(message: bytes) -> None:
    body = parsed(counted(message))
    assert (body.message_count, body.notices, body.rejects) == (1, [], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'Error L14 (certificate validation): error="bad certificate" uri="syslog+tls://x:6514/"\n', "L14"),
        (b"Error L15 (Tail buffer temporarily unavailable)", "L15"),
        (b"Error L15 (Tail buffer temporarily unavailable): try again\n", "L15"),
        (b"Error L15\n", "L15"),
        (b"Error L11 (Tail buffer overflow) -> This tail session dropped 3 messages since 2014.", "L11"),
        (b"Error L10 (output buffer overflow): more than can be said", "L10"),
        (b"ERROR l99. Something new", "L99"),
    ],
)
def test_a_notice_without_a_number_is_one_too(text: bytes, code: str) -> None:
    notice = only_notice(heroku(b"logplex", text))
    assert (notice.code, notice.dropped, notice.drain) == (code, None, "")


def test_a_notice_knows_the_drain_it_was_sent_to_where_logplex_names_that_as_the_host() -> None:
    message = heroku(b"logplex", b"Error L10: 1 messages dropped").replace(b" host ", b" d.437d5ca9 ")
    assert only_notice(message).receiving_drain == "d.437d5ca9"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"hello world", "the header does not begin with <PRI>VERSION"),
        (b"hello, six or more words are in this line\n", "the header does not begin with <PRI>VERSION"),
        (b"<1234>1 t host heroku router - at=info", "the header does not begin with <PRI>VERSION"),
        (b"<158>0 t host heroku router - at=info", "the header does not begin with <PRI>VERSION"),
        (b"<158>1 t host heroku", "the header ends before PROCID"),
        (b"<158>1 t host heroku router\n", "the header ends before MSGID"),
        (b"<158>1  host heroku router - at=info\n", "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"),
        (b"<158>1 t  heroku router - at=info\n", "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"),
        (b"<158>1 t host  router - at=info\n", "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"),
        (b"<158>1  host heroku router - at=info", "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII"),
        (
            b"<158>1 t h\xc3\xb6st heroku router - at=info\n",
            "TIMESTAMP, HOSTNAME or APP-NAME is empty or not ASCII",
        ),
    ],
)
def test_a_message_without_a_syslog_header_is_kept_with_its_place_and_reason(
    message: bytes, reason: str
) -> None:
    body = parsed(APP_SENT + counted(message) + ROUTER_SENT)
    assert (body.message_count, body.broken) == (3, None)
    (reject,) = body.rejects
    assert (reject.index, reject.offset, reject.reason) == (1, len(APP_SENT), reason)
    assert (reject.raw, reject.framed) == (message, counted(message))
    assert [line.index for line in body.messages] == [2]


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b"hello", "expected a byte count, found 'h'"),
        (b'{"json": true}', "expected a byte count, found '{'"),
        (b"\n\n" + APP_SENT, "expected a byte count, found '\\n'"),
        (b"\n " + APP_SENT, "expected a byte count, found '\\n'"),
        (b"\r" + APP_SENT, "expected a byte count, found '\\r'"),
        (b"\n\r" + APP_SENT, "expected a byte count, found '\\n'"),
        (b"\n" + APP_SENT[1:], "expected a byte count, found '\\n'"),
        (b"\n" + APP_SENT[:-1], "expected a byte count, found '\\n'"),
        (b"\n0" + APP_SENT, "expected a byte count, found '\\n'"),
        (b"\n12 no syslog ", "expected a byte count, found '\\n'"),
        (b"\n9 <1>0 abcd", "expected a byte count, found '\\n'"),
        (b"\n4 <1>1", "expected a byte count, found '\\n'"),
        (b" 5 <1>1 ", "expected a byte count, found ' '"),
        (b"-5 <1>1", "expected a byte count, found '-'"),
        (b"0 ", "a byte count must not start with 0"),
        (b"012 <1>1 a b c d ", "a byte count must not start with 0"),
        (b"12<1>1 a b c d ", "expected a space after the byte count, found '<'"),
        (b"12\n<1>1 a b c d ", "expected a space after the byte count, found '\\n'"),
        (b"1234567890 <1>1", "a byte count has at most 9 digits"),
        (b"123", "the body ends within a byte count"),
        (b"99 <1>1 a\n", "a message of 99 bytes is announced, but only 7 follow"),
        (b"8 <1>1 a\n", "a message of 8 bytes is announced, but only 7 follow"),
        (b"999999999 ", "a message of 999999999 bytes is announced, but only 0 follow"),
    ],
)
def test_a_broken_rest_is_told_and_what_came_before_it_is_kept(rest: bytes, reason: str) -> None:
    for before in (b"", ROUTER_SENT + APP_SENT, ROUTER_SENT + L10_SENT):
        body = parsed(before + rest)
        assert body.broken is not None
        assert (body.broken.offset, body.broken.reason, body.rest) == (len(before), reason, rest)
        assert body.message_count == (2 if before else 0)
        assert len(body.messages) == (1 if before else 0)


@pytest.mark.parametrize(
    "body",
    [
        b"4 <1>1" * 200_000,
        (counted(b"<1>1 a b c d - e\nf") + b"5 <1>1\n") * 40_000,
        counted(b"<158>1 t h a router - " + b"[a" * 500_000),
        counted(b"<158>1 t h a router - " + b'[a b="' * 200_000),
        counted(b"<158>1 t h a logplex - Error L10 (" + b"(" * 1_000_000),
        counted(b"<158>1 t h a logplex - Error L10: 1 messages dropped since " + b"0 " * 500_000),
        (counted(b"<158>1 t h a router - at=info path=/") + b"\n") * 20_000,
        (counted(b"<158>1 t h a router - at=info path=/") + b"\r\n") * 20_000,
        ROUTER_SENT + b"\n999999 <1>1 " * 80_000,
        ROUTER_SENT + b"\n" * 1_000_000,
        (ROUTER_SENT + b"\n") * 4_000,
        b"1" * 1_000_000,
        b"\n" * 1_000_000,
        b" " * 1_000_000,
    ],
)
def test_no_megabyte_takes_long(body: bytes) -> None:
    began = time.process_time()
    parsed(body)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("dropped", [NOTICE_MAX - 1, NOTICE_MAX, NOTICE_MAX + 1, 10**15 - 1])
def test_a_notice_of_an_absurd_number_counts_as_the_most_there_can_be(dropped: int) -> None:
    for form in (b"%d messages dropped", b"drain 'd.437d5ca9' dropped %d messages"):
        text = b"Error L10 (output buffer overflow): " + form % dropped
        assert only_notice(heroku(b"logplex", text)).dropped == min(dropped, NOTICE_MAX)


BAD = counted(b"1\n")


@pytest.mark.parametrize("good", [ROUTER_SENT, APP_SENT, ROUTER_SENT[:-1]])
def test_after_so_many_bad_messages_the_rest_is_left_unread_and_kept(good: bytes) -> None:
    rest = good + BAD + ROUTER_SENT
    for read in (parsed, parsed_by_message):
        found = read(ROUTER_SENT + BAD * REJECTS_MAX + rest)
        assert (len(found.messages), len(found.rejects), found.message_count) == (
            1,
            REJECTS_MAX,
            REJECTS_MAX + 1,
        )
        assert found.rest == rest
        assert found.broken is not None
        assert found.broken.offset == len(ROUTER_SENT + BAD * REJECTS_MAX)
        assert "the rest was not read" in found.broken.reason


def test_as_many_bad_messages_as_may_be_break_no_body() -> None:
    for read in (parsed, parsed_by_message):
        found = read((BAD + ROUTER_SENT) * (REJECTS_MAX - 1) + APP_SENT + BAD)
        assert (len(found.messages), len(found.rejects)) == (REJECTS_MAX - 1, REJECTS_MAX)
        assert (found.broken, found.rest) == (None, b"")


@pytest.mark.parametrize("tiny", [b"<1>1    ", b"<1>1    \n", b"<1>1 a b c router x", b"<1>1 a b c d - e\n"])
def test_of_messages_too_small_to_be_a_log_only_so_many_are_read(tiny: bytes) -> None:
    # They are syslog by their form, so BAD_MAX does not count them: 1 MB of them took 0.6 s.
    body = ROUTER_SENT + counted(tiny) * (3 * TINY_MAX) + ROUTER_SENT
    for read in (parsed, parsed_by_message):
        found = read(body)
        assert TINY_MAX < found.message_count < TINY_MAX + 100
        assert found.broken is not None
        assert found.rest == body[found.broken.offset :]
        assert "bytes on average; the rest was not read" in found.broken.reason


def test_good_messages_are_read_however_many_they_are() -> None:
    found = parsed((ROUTER_SENT + L10_SENT) * 5 * REJECTS_MAX)
    assert len(found.messages) == len(found.notices) == 5 * REJECTS_MAX


# --- bounds, at smaller numbers ---------------------------------------------------------------


def of_size(size: int) -> bytes:
    """A message of an app that has so many bytes, octet count included: 20 to 99."""
    return counted(b"<1>1 a b c d - " + b"x" * (size - 19) + b"\n")


@pytest.mark.parametrize(
    ("size", "count", "is_read"),
    [(31, 10, True), (31, 11, True), (31, 12, False), (31, 60, False), (32, 12, True), (32, 60, True)],
)
def test_many_messages_are_read_while_they_have_32_bytes_on_average(
    size: int, count: int, is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logplex, "TINY_MAX", 10)
    assert len(of_size(size)) == size
    for read in (parsed, parsed_by_message):
        found = read(of_size(size) * count)
        if is_read:
            assert (found.message_count, found.broken, found.rest) == (count, None, b"")
        else:
            assert (found.message_count, found.rest) == (11, of_size(size) * (count - 11))
            assert found.broken is not None
            assert found.broken.offset == 11 * size
            assert found.broken.reason == (f"11 messages have {size} bytes on average; the rest was not read")


def test_the_average_counts_what_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logplex, "TINY_MAX", 10)
    body = ROUTER_SENT + of_size(20) * 60
    # Where the average falls below 32 bytes: more than (bytes of the line - 20) / 12 messages.
    count = (len(ROUTER_SENT) - 20) // 12 + 1
    for read in (parsed, parsed_by_message):
        found = read(body)
        assert (found.message_count, found.rest) == (count, of_size(20) * (61 - count))
        assert len(found.messages) == 1


@pytest.mark.parametrize(("bad", "is_read"), [(3, True), (4, False), (9, False)])
def test_so_many_messages_may_be_no_syslog(bad: int, is_read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logplex, "REJECTS_MAX", 3)
    for read in (parsed, parsed_by_message):
        found = read(BAD * bad)
        assert (len(found.rejects), found.rest) == (min(bad, 3), BAD * max(0, bad - 3))
        if is_read:
            assert found.broken is None
        else:
            assert found.broken is not None
            assert found.broken.reason == "3 messages are not syslog; the rest was not read"


def test_a_frame_knows_where_it_came_from() -> None:
    found = parse(APP_SENT, "id-1", "shop", 7)
    assert (found.id, found.app, found.receiver, found.size_bytes) == ("id-1", "shop", "drain", len(APP_SENT))
    assert found.declared_count == 7
    assert parse_by_message(APP_SENT, "id-1") == parse(APP_SENT, "id-1")


def test_a_message_stands_in_a_body_behind_its_octet_count() -> None:
    assert as_body(b"<1>1 a b c d e") == b"14 <1>1 a b c d e"
    assert as_body("ä".encode()) == b"2 \xc3\xa4"


def test_only_spaces_separate_the_fields_of_a_header() -> None:
    for text in (b"  at=info\n", b"\tat=info\n", b"at=info\t\n"):
        assert only_router_line(heroku(b"router", text)).msg == text
    tab = b"<158>1 a\tb host heroku router - at=info\n"
    assert (only_router_line(tab).timestamp, only_router_line(tab).hostname) == ("a\tb", "host")
    for end in (b"router\t", b"web.1", b"web.1\n"):
        found = parsed(counted(b"<158>1 t host heroku " + end))
        assert (found.message_count, found.rejects, found.messages) == (1, [], [])


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b"123456789", "the body ends within a byte count"),
        (b"123456789x", "expected a space after the byte count, found 'x'"),
        (b"1234567890", "a byte count has at most 9 digits"),
    ],
)
def test_a_count_of_nine_digits_is_a_count(rest: bytes, reason: str) -> None:
    broken = parsed(rest).broken
    assert broken is not None
    assert broken.reason == reason


# --- senders that do not count the last newline -----------------------------------------------


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"newline"])
def test_a_newline_that_no_count_covers_loses_nothing_where_a_message_follows_or_nothing(
    newline: bytes, last: bytes
) -> None:
    line = counted(heroku(b"router", ROUTER_MSG.rstrip(b"\n")))
    other = counted(heroku(b"web.1", b"two\nlines", b"app"))
    between = [line, other, line, ROUTER_SENT, line, L10_SENT, ROUTER_SENT]
    body = newline.join(between) + (newline if last else b"")
    for read in (parsed, parsed_by_message):
        found = read(body)
        assert (found.message_count, found.rejects, found.broken, found.rest) == (7, [], None, b"")
        assert found.uncounted_newlines == 6 + bool(last)
        assert [message.index for message in found.messages] == [0, 2, 3, 4, 6]
        assert {message.msg.rstrip(b"\n") for message in found.messages} == {ROUTER_MSG.rstrip(b"\n")}
        assert [notice.index for notice in found.notices] == [5]


def test_a_newline_at_the_beginning_of_a_body_belongs_to_no_message() -> None:
    for read in (parsed, parsed_by_message):
        for body in (b"\n" + ROUTER_SENT, b"\n", b"\r\n"):
            found = read(body)
            assert found.broken is not None
            assert (found.message_count, found.rest, found.uncounted_newlines) == (0, body, 0)


def test_a_usual_body_has_no_uncounted_newline() -> None:
    assert parsed((ROUTER_SENT + APP_SENT + L10_SENT) * 3).uncounted_newlines == 0
