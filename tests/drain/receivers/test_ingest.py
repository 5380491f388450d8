"""From a body to durable messages, over a real Redis; only faults come from a writer of the tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
import redis

from app.errors import MalformedFrame, NotDurable
from app.log import Writer, open_log
from app.log.interface import Appended, Beside
from app.log.redis.stream import STREAM
from app.redis_client import connect
from app.settings import Settings
from app.store import dead_letters
from app.store.frame_events import GUARD_SETS, losses_by_app
from drain.instruments import Instruments
from drain.receivers.ingest import LETTERS_EACH, MESSAGE_MAX_BYTES, Delivery, frame_id_of, ingest, values_of
from drain.receivers.logplex import BAD_MAX, read_body
from tests.drain.bodies import APP_FRAME, L10_FRAME, ROUTER_FRAME, ROUTER_MSG, counted, heroku
from tests.drain.prometheus_text import figure
from tests.support.stored import logged_messages


@dataclass(slots=True)
class Memory:
    """A log in memory that can be made to fail before or after it has taken a frame."""

    frames: list[tuple[str, list[bytes]]] = field(default_factory=list)
    fails: str = ""
    timeouts_s: list[float] = field(default_factory=list)
    held: list[bytes] = field(default_factory=list)

    def append(
        self, frame_id: str, values: Sequence[bytes], timeout_s: float, beside: Beside | None = None
    ) -> Appended:
        self.timeouts_s.append(timeout_s)
        if self.fails == "before":
            raise NotDurable("the log is away")
        self.frames.append((frame_id, list(values)))
        if self.fails == "after":
            raise NotDurable("the acknowledgement is lost")
        if beside and (key := beside()):
            self.held.append(key)
        if self.fails == "hold":
            raise NotDurable("no replica has confirmed it")
        return Appended(len(values))

    def check(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...


class Drain:
    """`ingest` with its parts."""

    def __init__(self, writer: Writer, store: redis.Redis) -> None:
        self.writer = writer
        self.store = store
        self.instruments = Instruments()

    def take(
        self, body: bytes, frame_id: str = "frame-1", app: str = "", declared_count: int | None = None
    ) -> None:
        delivery = Delivery(frame_id, app, declared_count)
        ingest(body, delivery, self.writer, self.store, self.instruments, timeout_s=4.0)

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
def unsure(redis_client: redis.Redis) -> tuple[Drain, Memory]:
    """A drain whose log can fail, and that log."""
    memory = Memory()
    return Drain(memory, redis_client), memory


def test_router_lines_become_messages_and_others_are_only_counted(drain: Drain) -> None:
    before_ms = int(time.time() * 1000)
    drain.take(APP_FRAME + ROUTER_FRAME + APP_FRAME + ROUTER_FRAME, app="shop", declared_count=4)
    messages = drain.messages()
    assert [message["id"] for message in messages] == ["frame-1.1", "frame-1.3"]
    received_at = messages[0].pop("received_at")
    assert isinstance(received_at, int)
    assert before_ms <= received_at <= int(time.time() * 1000)
    assert messages[0] == {
        "prival": 158,
        "version": 1,
        "timestamp": "2016-04-21T21:56:01.123456+00:00",
        "hostname": "host",
        "app_name": "heroku",
        "procid": "router",
        "msgid": None,
        "structured_data": None,
        "msg": ROUTER_MSG.decode(),
        "id": "frame-1.1",
        "app": "shop",
    }
    assert drain.count("frames_total") == 1
    assert drain.count("lines_total") == 4
    assert drain.count("router_lines_total") == 2
    assert drain.count("miscounted_total") == 0
    assert drain.count("append_seconds_count") == 1


def test_a_body_without_router_lines_asks_nothing_of_the_log(unsure: tuple[Drain, Memory]) -> None:
    drain, memory = unsure
    memory.fails = "before"
    drain.take(APP_FRAME * 3)
    assert memory.timeouts_s == []
    assert drain.count("lines_total") == 3


def test_an_empty_body_is_fine(drain: Drain) -> None:
    drain.take(b"", declared_count=0)
    assert drain.messages() == []
    assert drain.count("frames_total") == 1


def test_a_retried_frame_is_written_once(drain: Drain) -> None:
    for _ in range(3):
        drain.take(ROUTER_FRAME * 2)
    assert len(drain.messages()) == 2
    assert drain.count("router_lines_total") == 2
    assert drain.count("duplicate_frames_total") == 2


def test_the_same_body_under_another_frame_id_is_another_frame(drain: Drain) -> None:
    drain.take(ROUTER_FRAME, "frame-1")
    drain.take(ROUTER_FRAME, "frame-2")
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-2.0"]


def test_a_frame_that_the_log_does_not_take_is_not_counted(unsure: tuple[Drain, Memory]) -> None:
    drain, memory = unsure
    memory.fails = "before"
    with pytest.raises(NotDurable):
        drain.take(ROUTER_FRAME + L10_FRAME)
    assert drain.count("frames_total") == 0
    assert drain.count("router_lines_total") == 0
    assert losses_by_app(drain.store) == {}


def test_a_frame_whose_acknowledgement_is_lost_is_sent_again_under_the_same_identity(
    unsure: tuple[Drain, Memory],
) -> None:
    drain, memory = unsure
    memory.fails = "after"
    with pytest.raises(NotDurable):
        drain.take(APP_FRAME + ROUTER_FRAME)
    memory.fails = ""
    drain.take(APP_FRAME + ROUTER_FRAME)
    ids = [orjson.loads(values[0])["id"] for _, values in memory.frames]
    assert ids == ["frame-1.1", "frame-1.1"]


def test_the_log_has_the_time_that_the_answer_has(unsure: tuple[Drain, Memory]) -> None:
    drain, memory = unsure
    drain.take(ROUTER_FRAME)
    assert memory.timeouts_s == [pytest.approx(4.0, abs=0.5)]


def test_losses_and_dead_letters_are_held_like_the_router_lines_and_a_retry_counts_them_once(
    unsure: tuple[Drain, Memory],
) -> None:
    drain, memory = unsure
    drain.take(ROUTER_FRAME)
    assert memory.held == [], "what came with nothing beside it is the log's alone"
    memory.fails = "hold"
    for _ in range(2):
        with pytest.raises(NotDurable, match="no replica has confirmed it"):
            drain.take(L10_FRAME + counted(b"no syslog"), frame_id="frame-2")
    memory.fails = ""
    drain.take(L10_FRAME + counted(b"no syslog"), frame_id="frame-2")
    assert len(memory.held) == 3
    assert set(memory.held) <= drain.store.smembers(GUARD_SETS[0])
    assert losses_by_app(drain.store) == {"": 1}
    assert len(drain.letters()) == 1
    assert drain.count("lost_messages_total", code="L10") == 1


def test_a_body_broken_from_its_first_byte_is_refused_and_leaves_nothing(drain: Drain) -> None:
    with pytest.raises(MalformedFrame) as refused:
        drain.take(b"<158>1 no octet count")
    assert refused.value.offset == 0
    assert drain.count("malformed_total", what="body") == 1
    assert drain.count("frames_total") == 0
    assert drain.letters() == []


def test_frames_before_a_broken_one_are_written_and_the_rest_is_kept(drain: Drain) -> None:
    rest = b"99999 <158>1 too long" + ROUTER_FRAME
    drain.take(ROUTER_FRAME * 2 + rest, app="shop", declared_count=4)
    assert len(drain.messages()) == 2
    (letter,) = drain.letters()
    assert (letter.kind, letter.source, letter.app, letter.value) == ("body", "drain", "shop", rest)
    assert f"malformed at byte {2 * len(ROUTER_FRAME)}" in letter.reason
    assert drain.count("malformed_total", what="rest") == 1
    assert drain.count("miscounted_total") == 1


def test_a_frame_that_is_no_syslog_is_kept_alone_and_the_others_are_written(drain: Drain) -> None:
    drain.take(ROUTER_FRAME + counted(b"no syslog") + ROUTER_FRAME, declared_count=3)
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-1.2"]
    (letter,) = drain.letters()
    assert (letter.kind, letter.value) == ("line", b"no syslog")
    assert drain.count("malformed_total", what="line") == 1
    assert drain.count("miscounted_total") == 0


def test_a_retry_keeps_and_counts_nothing_twice(drain: Drain) -> None:
    for _ in range(3):
        drain.take(L10_FRAME * 2 + ROUTER_FRAME + counted(b"no syslog") + b"0", app="shop")
    assert losses_by_app(drain.store) == {"shop": 2}
    assert drain.count("lost_messages_total", code="L10") == 2
    assert [letter.kind for letter in drain.letters()] == ["line", "body"]
    assert drain.store.hgetall("tailrace:counts") == {b"lost:L10": b"2", b"dead_letters": b"2"}
    assert len(drain.messages()) == 1


def test_losses_are_told_apart_by_app_and_code(drain: Drain) -> None:
    shuttle = counted(
        heroku(b"log-shuttle", b"Error L12: 3 messages dropped since 2026-11-23T10:00:00+00:00\n")
    )
    drain.take(L10_FRAME, "frame-1", app="shop")
    drain.take(L10_FRAME + shuttle, "frame-2", app="blog")
    assert losses_by_app(drain.store) == {"shop": 1, "blog": 4}
    assert drain.count("lost_messages_total", code="L10") == 2
    assert drain.count("lost_messages_total", code="L12") == 3


def test_what_cannot_be_kept_beside_the_log_is_no_success(unsure: tuple[Drain, Memory]) -> None:
    drain, memory = unsure
    away = Drain(memory, connect(Settings(redis_url="redis://127.0.0.1:1/0"), connections=1, timeout_s=0.5))
    with pytest.raises(NotDurable) as refused:
        away.take(ROUTER_FRAME + L10_FRAME)
    assert "ConnectionError" in str(refused.value)
    assert away.count("frames_total") == 0
    drain.take(ROUTER_FRAME + L10_FRAME)
    assert losses_by_app(drain.store) == {"": 1}


def test_a_flood_of_bad_lines_costs_a_bounded_number_of_dead_letters(drain: Drain) -> None:
    rest = counted(b"x") * (100_000 - BAD_MAX) + ROUTER_FRAME
    drain.take(ROUTER_FRAME + counted(b"x") * BAD_MAX + rest)
    *each, together, unread = drain.letters()
    assert len(each) == LETTERS_EACH
    assert {letter.value for letter in each} == {b"x"}
    assert together.kind == "body"
    assert together.reason == f"{BAD_MAX - LETTERS_EACH} more lines like these"
    assert together.value == counted(b"x") * (BAD_MAX - LETTERS_EACH)
    assert unread.kind == "body"
    assert unread.reason.endswith("1000 messages are not syslog; the rest was not read")
    assert unread.bytes_before_cut == len(rest)
    assert drain.count("malformed_total", what="line") == BAD_MAX
    assert drain.count("malformed_total", what="rest") == 1
    assert len(drain.messages()) == 1


def test_a_line_too_large_for_the_log_is_kept_aside_and_holds_up_nobody(drain: Drain) -> None:
    huge = heroku(b"router", b'at=info path="/' + b"x" * MESSAGE_MAX_BYTES + b'"\n')
    drain.take(ROUTER_FRAME + counted(huge) + ROUTER_FRAME)
    assert [message["id"] for message in drain.messages()] == ["frame-1.0", "frame-1.2"]
    (letter,) = drain.letters()
    assert letter.reason == "too large for the log"
    assert not letter.is_whole


def test_a_line_under_the_limit_that_grows_in_json_is_measured_as_json() -> None:
    line = counted(heroku(b"router", b'"' * (MESSAGE_MAX_BYTES // 2)))
    values, too_large = values_of(read_body(line).router, Delivery("frame-1", "", None))
    assert values == []
    assert len(too_large) == 1


def test_bytes_that_are_no_utf8_are_all_kept(drain: Drain) -> None:
    drain.take(counted(heroku(b"router", b'path="/\xff\xfe"\n')))
    (message,) = drain.messages()
    assert message["msg"] == 'path="/\ufffd\ufffd"\n'
    assert message["raw"] == "cGF0aD0iL//+Igo="


@pytest.mark.parametrize("header", ["8601b555-6a83-4c12-8269-97c8e32cdb22", "a.b:c 1", "x" * 64])
def test_a_frame_id_is_taken_as_sent(header: str) -> None:
    assert frame_id_of(header) == header


@pytest.mark.parametrize("length", [65, 128, 8_000])
def test_a_long_frame_id_is_known_by_its_digest(length: int) -> None:
    found = frame_id_of("x" * length)
    assert len(found) == 32
    assert found == frame_id_of("x" * length), "a retry is the same frame"
    assert found != frame_id_of("x" * (length - 1) + "y")


@pytest.mark.parametrize("header", ["", "caf\xe9", "a\nb", "a\x00"])
def test_a_frame_id_that_cannot_be_one_is_replaced_by_a_new_one(header: str) -> None:
    one, other = frame_id_of(header), frame_id_of(header)
    assert one != other
    assert one.isalnum()
    assert other.isalnum()


@pytest.mark.parametrize("declared_count", [0, 1, 3, 999_999_999])
def test_another_count_than_announced_is_counted_and_not_fatal(drain: Drain, declared_count: int) -> None:
    drain.take(ROUTER_FRAME * 2, declared_count=declared_count)
    assert len(drain.messages()) == 2
    assert drain.count("miscounted_total") == 1
