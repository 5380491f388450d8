"""From a body to durable messages, over a real Redis; only faults come from a writer of the tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
import redis

from app.errors import MalformedFrame, NotDurable
from app.log import Writer, open_log
from app.log.interface import Appended, RecordEvents
from app.log.memory import MemoryLog
from app.log.redis.stream import STREAM
from app.redis_client import connect
from app.settings import Settings
from app.store import dead_letters, replies
from app.store.keys import FRAME_EVENTS, LOSSES
from drain.instruments import Instruments
from drain.receivers.ingest import MESSAGE_MAX_BYTES, REJECTS_KEPT_EACH, ingest, values_of
from drain.receivers.logplex import REJECTS_MAX, parse
from servers.messages import router_message
from tests.drain.bodies import APP_SENT, HEROKU_S, L10_SENT, ROUTER_MSG, ROUTER_SENT, counted, heroku, parsed
from tests.drain.prometheus_text import figure
from tests.support.stored import logged_messages


class Unsure:
    """A writer to a log in memory that can be made to fail before or after it has taken a frame."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.fails = ""
        self.timeouts_s: list[float] = []
        self.held: list[bytes] = []
        self._writer = log.writer()

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        self.timeouts_s.append(timeout_s)
        if self.fails == "before":
            raise NotDurable("the log is unreachable")
        appended = self._writer.append(frame_id, values, timeout_s, platform=platform)
        if self.fails == "after":
            raise NotDurable("the acknowledgement is lost")
        if record_events and (key := record_events()):
            self.held.append(key)
        if self.fails == "hold":
            raise NotDurable("no replica has confirmed it")
        return appended

    def check(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...

    def ids(self) -> list[str]:
        """Of the messages that the log has taken."""
        return [message["id"] for chunk in self.log.history().read(0, 10**14) for message in chunk]


class Drain:
    """`ingest` with its parts."""

    def __init__(self, writer: Writer, store: redis.Redis) -> None:
        self.writer = writer
        self.store = store
        self.instruments = Instruments()
        self.tokens: dict[str, str] = {}

    def take(
        self,
        body: bytes,
        frame_id: str = "frame-1",
        app: str = "",
        declared_count: int | None = None,
        token: str = "",
    ) -> None:
        frame = parse(body, frame_id, app, declared_count)
        frame.token = token
        ingest(frame, self.writer, self.store, self.instruments, 4.0, self.tokens)

    def messages(self) -> list[dict[str, object]]:
        """All messages in the log in Redis, in order."""
        return logged_messages(self.store, STREAM)

    def letters(self) -> list[dead_letters.DeadLetter]:
        return list(dead_letters.read(self.store))

    def count(self, sample: str, **labels: str) -> float:
        return figure(self.instruments.text([]), sample, **labels)


@pytest.fixture
def drain(redis_url: str, redis_client: redis.Redis) -> Iterator[Drain]:
    """A drain into the log in Redis."""
    writer = open_log(Settings(redis_url=redis_url)).writer()
    yield Drain(writer, redis_client)
    writer.close()


@pytest.fixture
def unsure(redis_client: redis.Redis) -> tuple[Drain, Unsure]:
    """A drain whose log can fail, and that log."""
    memory = Unsure(MemoryLog(redis_client))
    return Drain(memory, redis_client), memory


def test_router_lines_become_messages_and_others_are_only_counted(drain: Drain) -> None:
    before_ms = int(time.time() * 1000)
    drain.take(APP_SENT + ROUTER_SENT + APP_SENT + ROUTER_SENT, app="shop", declared_count=4)
    messages = drain.messages()
    assert [message["id"] for message in messages] == ["frame-1.1", "frame-1.3"]
    received_at = messages[0]["received_at"]
    assert isinstance(received_at, int)
    assert before_ms <= received_at <= int(time.time() * 1000)
    wanted = router_message(ROUTER_MSG.decode(), HEROKU_S, id="frame-1.1", app="shop")
    assert messages[0] == {**wanted, "received_at": received_at}
    assert drain.count("frames_total") == 1
    assert drain.count("lines_total") == 4
    assert drain.count("router_lines_total") == 2
    assert drain.count("miscounted_total") == 0
    assert drain.count("append_seconds_count") == 1


def test_a_body_without_router_lines_asks_nothing_of_the_log(unsure: tuple[Drain, Unsure]) -> None:
    drain, memory = unsure
    memory.fails = "before"
    drain.take(APP_SENT * 3)
    assert memory.timeouts_s == []
    assert drain.count("lines_total") == 3


def test_an_empty_body_is_fine(drain: Drain) -> None:
    drain.take(b"", declared_count=0)
    assert drain.messages() == []
    assert drain.count("frames_total") == 1


def test_a_retried_frame_is_written_once(drain: Drain) -> None:
    for _ in range(3):
        drain.take(ROUTER_SENT * 2)
    assert len(drain.messages()) == 2
    assert drain.count("router_lines_total") == 2
    assert drain.count("duplicate_frames_total") == 2


def test_the_same_body_under_another_frame_id_is_another_frame(drain: Drain) -> None:
    drain.take(ROUTER_SENT, "frame-1")
    drain.take(ROUTER_SENT, "frame-2")
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-2.0"]


def test_a_frame_that_the_log_does_not_take_is_not_counted(unsure: tuple[Drain, Unsure]) -> None:
    drain, memory = unsure
    memory.fails = "before"
    with pytest.raises(NotDurable):
        drain.take(ROUTER_SENT + L10_SENT)
    assert drain.count("frames_total") == 0
    assert drain.count("router_lines_total") == 0
    assert replies.counts(drain.store.hgetall(LOSSES)) == {}


def test_a_frame_whose_acknowledgement_is_lost_is_sent_again_under_the_same_identity(
    unsure: tuple[Drain, Unsure],
) -> None:
    drain, memory = unsure
    memory.fails = "after"
    with pytest.raises(NotDurable):
        drain.take(APP_SENT + ROUTER_SENT)
    memory.fails = ""
    drain.take(APP_SENT + ROUTER_SENT)
    assert memory.ids() == ["frame-1.1"]
    assert drain.count("duplicate_frames_total") == 1


def test_the_log_has_the_time_that_the_answer_has(unsure: tuple[Drain, Unsure]) -> None:
    drain, memory = unsure
    drain.take(ROUTER_SENT)
    assert memory.timeouts_s == [pytest.approx(4.0, abs=0.5)]


def test_losses_and_dead_letters_are_held_like_the_router_lines_and_a_retry_counts_them_once(
    unsure: tuple[Drain, Unsure],
) -> None:
    drain, memory = unsure
    drain.take(ROUTER_SENT)
    assert memory.held == [], "what came with nothing beside it is the log's alone"
    memory.fails = "hold"
    for _ in range(2):
        with pytest.raises(NotDurable, match="no replica has confirmed it"):
            drain.take(L10_SENT + counted(b"no syslog"), frame_id="frame-2")
    memory.fails = ""
    drain.take(L10_SENT + counted(b"no syslog"), frame_id="frame-2")
    assert len(memory.held) == 3
    assert set(memory.held) <= drain.store.smembers(FRAME_EVENTS[0])
    assert replies.counts(drain.store.hgetall(LOSSES)) == {"": 1}
    assert len(drain.letters()) == 1
    assert drain.count("lost_messages_total", code="L10") == 1


def test_a_body_broken_from_its_first_byte_is_refused_and_leaves_nothing(drain: Drain) -> None:
    with pytest.raises(MalformedFrame) as refused:
        drain.take(b"<158>1 no octet count")
    assert refused.value.offset == 0
    assert drain.count("malformed_total", what="body") == 1
    assert drain.count("frames_total") == 0
    assert drain.letters() == []


def test_messages_before_a_broken_one_are_written_and_the_rest_is_kept(drain: Drain) -> None:
    rest = b"99999 <158>1 too long" + ROUTER_SENT
    drain.take(ROUTER_SENT * 2 + rest, app="shop", declared_count=4)
    assert len(drain.messages()) == 2
    (letter,) = drain.letters()
    assert (letter.kind, letter.source, letter.app, letter.value) == ("body", "drain", "shop", rest)
    assert f"malformed at byte {2 * len(ROUTER_SENT)}" in letter.reason
    assert drain.count("malformed_total", what="rest") == 1
    assert drain.count("miscounted_total") == 1


def test_a_message_that_is_no_syslog_is_kept_alone_and_the_others_are_written(drain: Drain) -> None:
    drain.take(ROUTER_SENT + counted(b"no syslog") + ROUTER_SENT, declared_count=3)
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-1.2"]
    (letter,) = drain.letters()
    assert (letter.kind, letter.value) == ("line", b"no syslog")
    assert drain.count("malformed_total", what="line") == 1
    assert drain.count("miscounted_total") == 0


def test_a_retry_keeps_and_counts_nothing_twice(drain: Drain) -> None:
    for _ in range(3):
        drain.take(L10_SENT * 2 + ROUTER_SENT + counted(b"no syslog") + b"0", app="shop")
    assert replies.counts(drain.store.hgetall(LOSSES)) == {"shop": 2}
    assert drain.count("lost_messages_total", code="L10") == 2
    assert [letter.kind for letter in drain.letters()] == ["line", "body"]
    assert drain.store.hgetall("tailrace:counts") == {b"lost:L10": b"2", b"dead_letters": b"2"}
    assert len(drain.messages()) == 1


def test_losses_are_told_apart_by_app_and_code(drain: Drain) -> None:
    shuttle = counted(
        heroku(b"log-shuttle", b"Error L12: 3 messages dropped since 2026-11-23T10:00:00+00:00\n")
    )
    drain.take(L10_SENT, "frame-1", app="shop")
    drain.take(L10_SENT + shuttle, "frame-2", app="blog")
    assert replies.counts(drain.store.hgetall(LOSSES)) == {"shop": 1, "blog": 4}
    assert drain.count("lost_messages_total", code="L10") == 2
    assert drain.count("lost_messages_total", code="L12") == 3


def test_what_cannot_be_kept_beside_the_log_is_no_success(unsure: tuple[Drain, Unsure]) -> None:
    drain, memory = unsure
    away = Drain(memory, connect(Settings(redis_url="redis://127.0.0.1:1/0"), connections=1, timeout_s=0.5))
    with pytest.raises(NotDurable) as refused:
        away.take(ROUTER_SENT + L10_SENT)
    assert "ConnectionError" in str(refused.value)
    assert away.count("frames_total") == 0
    drain.take(ROUTER_SENT + L10_SENT)
    assert replies.counts(drain.store.hgetall(LOSSES)) == {"": 1}


def test_a_flood_of_bad_lines_costs_a_bounded_number_of_dead_letters(drain: Drain) -> None:
    rest = counted(b"x") * (100_000 - REJECTS_MAX) + ROUTER_SENT
    drain.take(ROUTER_SENT + counted(b"x") * REJECTS_MAX + rest)
    *each, together, unread = drain.letters()
    assert len(each) == REJECTS_KEPT_EACH
    assert {letter.value for letter in each} == {b"x"}
    assert together.kind == "body"
    assert together.reason == f"{REJECTS_MAX - REJECTS_KEPT_EACH} further messages like these"
    assert together.value == counted(b"x") * (REJECTS_MAX - REJECTS_KEPT_EACH)
    assert unread.kind == "body"
    assert unread.reason.endswith("1000 messages are not syslog; the rest was not read")
    assert unread.bytes_before_cut == len(rest)
    assert drain.count("malformed_total", what="line") == REJECTS_MAX
    assert drain.count("malformed_total", what="rest") == 1
    assert len(drain.messages()) == 1


def test_a_line_too_large_for_the_log_is_kept_aside_and_holds_up_nobody(drain: Drain) -> None:
    huge = heroku(b"router", b'at=info path="/' + b"x" * MESSAGE_MAX_BYTES + b'"\n')
    drain.take(ROUTER_SENT + counted(huge) + ROUTER_SENT)
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-1.2"]
    (letter,) = drain.letters()
    assert letter.reason == "too large for the log"
    assert not letter.is_complete


def test_a_line_under_the_limit_that_grows_in_json_is_measured_as_json() -> None:
    line = counted(heroku(b"router", b'"' * (MESSAGE_MAX_BYTES // 2)))
    values, too_large = values_of(parsed(line))
    assert values == []
    assert len(too_large) == 1


def test_bytes_that_are_no_utf8_are_all_kept(drain: Drain) -> None:
    drain.take(counted(heroku(b"router", b'path="/\xff\xfe"\n')))
    (message,) = drain.messages()
    assert message["msg"] == 'path="/\ufffd\ufffd"\n'
    assert message["raw"] == "cGF0aD0iL//+Igo="


@pytest.mark.parametrize("declared_count", [0, 1, 3, 999_999_999])
def test_another_count_than_declared_is_counted_and_not_fatal(drain: Drain, declared_count: int) -> None:
    drain.take(ROUTER_SENT * 2, declared_count=declared_count)
    assert len(drain.messages()) == 2
    assert drain.count("miscounted_total") == 1
