"""What a scan of every log gives, and what following one gives."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from app.errors import LogUnavailable
from app.log import Scanned, SearchableHistory
from app.message import RouterMessage, encode
from tests.app.log.logs import Log, frame, message

STATUS_500 = re.compile(rb"status=500")
CART = re.compile(rb"/cart")


def value(frame_id: str, index: int, path: str, status: int, received_at: int) -> bytes:
    made = message(frame_id, index, path, received_at=received_at)
    made["msg"] = made["msg"].replace("status=200", f"status={status}")
    return encode(made)


def write_shop(log: Log, now_ms: int) -> None:
    """Twelve frames of ten lines, half a second apart, each written twice; a third of them are /cart, and of
    these the fifth one failed."""
    log.reader("first").close()  # Makes the topic.
    writer = log.writer()
    for number in range(12):
        at_ms = now_ms - 6_000 + number * 500
        values = [
            value(
                f"f{number}",
                index,
                "/cart" if index % 3 == 0 else "/about",
                500 if index == 3 else 200,
                at_ms,
            )
            for index in range(10)
        ]
        writer.append(f"f{number}", values, 4)
        writer.append(f"f{number}", values, 4)  # A retry.


def ready_history(log: Log, timeout_s: float = 15) -> SearchableHistory:
    """A new topic of Kafka has no leaders yet."""
    deadline_s = time.monotonic() + timeout_s
    history = log.history()
    while True:
        try:
            history.estimate(0, 1)
            return history
        except LogUnavailable:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)


def scanned(parts: Iterator[Scanned]) -> tuple[list[str], int]:
    """(ids in order, messages looked at)."""
    found = list(parts)
    return [one["id"] for part in found for one in part.messages], sum(part.read for part in found)


def test_a_scan_without_patterns_gives_what_read_gives(log: Log) -> None:
    now_ms = int(time.time() * 1000)
    write_shop(log, now_ms)
    history = ready_history(log)
    read = [one for chunk in history.read(now_ms - 4_000, now_ms - 1_000) for one in chunk]
    found = [one for part in history.scan(now_ms - 4_000, now_ms - 1_000) for one in part.messages]
    assert len(found) == 60
    assert sorted(one["id"] for one in found) == sorted(one["id"] for one in read)
    assert [one["received_at"] for one in found] == [one["received_at"] for one in read]


def test_a_scan_gives_what_matches_each_pattern(log: Log) -> None:
    now_ms = int(time.time() * 1000)
    write_shop(log, now_ms)
    history = ready_history(log)
    window = (now_ms - 4_000, now_ms - 1_000)
    wanted = [f"f{number}.3" for number in range(4, 10)]
    ids, read = scanned(history.scan(*window, [STATUS_500, CART]))
    assert ids == wanted
    assert read == (120 if log.is_kafka else 60)  # Kafka has both copies of a frame.
    ids, _ = scanned(history.scan(*window, [CART, STATUS_500], newest_first=True))
    assert ids == wanted[::-1]
    assert scanned(history.scan(*window, [re.compile(b"/nowhere")]))[0] == []
    assert scanned(history.scan(now_ms + 60_000, now_ms + 120_000, [CART])) == ([], 0)


def test_the_newest_come_first_inside_a_frame_too(log: Log) -> None:
    now_ms = int(time.time() * 1000)
    log.reader("first").close()
    values = [encode(message("f1", index, received_at=now_ms - 9_000 + index)) for index in range(100)]
    log.writer().append("f1", values, 4)
    ids, read = scanned(ready_history(log).scan(now_ms - 8_950, now_ms, newest_first=True))
    assert ids == [f"f1.{index}" for index in range(99, 49, -1)]
    assert read == 50


def strange_values(now_ms: int) -> list[bytes]:
    """Of one frame: some were not written by our drain, or do not show their line. 0, 1, 2, 3, 5 and 8 are of
    the path /café/cart."""
    made = message("f1", 0, "/café/cart", received_at=now_ms)
    turned: Any = dict(reversed(made.items()))
    raw: Any = {**message("f1", 5, "/caf\N{REPLACEMENT CHARACTER}/cart", received_at=now_ms), "raw": "L2Nh"}
    return [
        encode(made),
        _spaced({**made, "id": "f1.1"}),
        encode(turned | {"id": "f1.2"}),
        encode({**made, "id": "f1.3"}).replace(b"/", rb"\/").replace("é".encode(), rb"\u00e9"),
        encode(message("f1", 4, "/\x1b/café", received_at=now_ms)),
        encode(raw),
        b"[]",
        b'{"msg":"/caf\xc3\xa9/cart"}',
        b'{"prival":158,"x":{"prival":158},' + encode({**made, "id": "f1.8"})[14:],
        encode(message("f1", 9, "/about", received_at=now_ms)),
    ]


def _spaced(made: RouterMessage) -> bytes:
    return encode(made).replace(b'":', b'": ').replace(b',"', b', "')


def test_no_message_is_lost_because_of_how_its_json_is_written(log: Log) -> None:
    now_ms = int(time.time() * 1000) - 5_000
    values = strange_values(now_ms)
    log.reader("first").close()
    log.writer().append("f1", values, 4)
    # The same, with frames of the drain before and behind.
    for number in (2, 3):
        log.writer().append(f"f{number}", frame(f"f{number}", 5), 4)
    patterns = [re.compile("/café/cart".encode()), re.compile(rb'"app":""')]
    ids, _ = scanned(ready_history(log).scan(now_ms - 1_000, now_ms + 60_000, patterns))
    expected = ["f1.0", "f1.1", "f1.2", "f1.3", "f1.5", "f1.8"]
    assert sorted(ids) == expected
    for pattern in patterns:
        found = scanned(
            ready_history(log).scan(now_ms - 1_000, now_ms + 60_000, [pattern], newest_first=True)
        )[0]
        assert set(expected) <= set(found)


PATTERNS = (
    rb'path=\\"/cart.*status=500',
    rb'"id":"f\d+\.3"',
    rb"^\{",
    rb"00\d*\}$",
    rb"status=500(?= )",
    rb"",
    rb"(?i:CART)",
    rb"[^a-z]500 ",
)


def test_any_pattern_is_looked_for_in_one_message(log: Log) -> None:
    # A match must not go on from one message into the next, nor hide another.
    now_ms = int(time.time() * 1000)
    write_shop(log, now_ms)
    history = ready_history(log)
    window = (now_ms - 4_000, now_ms - 1_000)
    every = [one for part in history.scan(*window) for one in part.messages]
    for pattern in map(re.compile, PATTERNS):
        for patterns in ([pattern], [pattern, CART]):
            found = [one for part in history.scan(*window, patterns) for one in part.messages]
            assert [one["id"] for one in found] == [
                one["id"] for one in every if all(some.search(encode(one)) for some in patterns)
            ], patterns


class Followed:
    """What following a log has given so far."""

    def __init__(self, log: Log, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> None:
        self.history = log.history()
        self.parts = self.history.follow(from_ms, patterns)
        self.ids: list[str] = []
        self.waits_s: list[float] = []

    def until(self, count: int, timeout_s: float = 30) -> list[str]:
        """The ids once there are so many."""
        deadline_s = time.monotonic() + timeout_s
        while len(self.ids) < count:
            assert time.monotonic() < deadline_s, f"only {len(self.ids)} of {count}"
            self.step()
        return self.ids

    def rest(self, seconds: float) -> list[str]:
        """The ids after a while in which nothing should come."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.step()
        return self.ids

    def step(self) -> None:
        before_s = time.monotonic()
        self.ids += [one["id"] for one in next(self.parts).messages]
        self.waits_s.append(time.monotonic() - before_s)


def test_following_gives_what_was_there_and_then_what_comes(log: Log) -> None:
    now_ms = int(time.time() * 1000)
    write_shop(log, now_ms)
    followed = Followed(log, now_ms - 4_000, [STATUS_500])
    assert sorted(followed.until(8)) == sorted(f"f{number}.3" for number in range(4, 12))
    writer = log.writer()
    for number in range(20, 40):
        values = [
            value(f"f{number}", index, "/cart", 500 + index % 2, int(time.time() * 1000))
            for index in range(4)
        ]
        writer.append(f"f{number}", values, 4)
        followed.step()
        if number % 5 == 0:
            writer.append(f"f{number}", values, 4)  # A retry.
    assert len(followed.until(8 + 40)) == 48
    assert sorted(followed.rest(1.5)[8:]) == sorted(
        f"f{n}.{index}" for n in range(20, 40) for index in (0, 2)
    )
    assert not followed.history.was_overtaken


def test_a_line_that_was_received_before_others_but_comes_after_them_is_given(log: Log) -> None:
    log.reader("first").close()
    now_ms = int(time.time() * 1000)
    followed = Followed(log, now_ms - 8_000)
    writer = log.writer()
    writer.append("new", [encode(message("new", 0, received_at=now_ms))], 4)
    followed.until(1)
    writer.append("late", [encode(message("late", 0, received_at=now_ms - 5_000))], 4)
    writer.append("early", [encode(message("early", 0, received_at=now_ms - 9_000))], 4)
    assert followed.until(2) == ["new.0", "late.0"]
    assert len(followed.rest(0.8)) == 2


def test_following_an_idle_log_gives_an_empty_part_each_second(log: Log) -> None:
    log.reader("first").close()
    followed = Followed(log, int(time.time() * 1000))
    assert followed.rest(2.5) == []
    assert sorted(followed.waits_s)[len(followed.waits_s) // 2] < 1.5


def test_whoever_stops_following_leaves_no_thread_behind(log: Log) -> None:
    log.reader("first").close()
    before = set(threading.enumerate())
    followed = Followed(log, int(time.time() * 1000))
    followed.step()
    followed.parts.close()  # type: ignore[attr-defined]
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "follow"]


def test_a_log_that_is_unreachable_cannot_be_scanned() -> None:
    log = Log({"REDIS_URL": "redis://127.0.0.1:9/0"}, None)  # type: ignore[arg-type]
    with pytest.raises(LogUnavailable, match="Redis did not return the log"):
        list(log.history().scan(0, 1))
    log.close()
