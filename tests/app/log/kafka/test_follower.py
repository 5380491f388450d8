"""What a follower of the topic does where a broker gives what real ones give only after a disaster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Event
from typing import Any, cast

import pytest

from app import backoff
from app.errors import LogUnavailable
from app.log.kafka.clients import SeekableConsumer
from app.log.kafka.follow import TopicFollower
from app.message import encode
from tests.app.log.logs import message

AT_MS = 1_800_000_000_000

Records = Mapping[int, Sequence[tuple[int, bytes]]]


def value(number: int) -> bytes:
    return encode(message("f", number, received_at=AT_MS + number))


class Scripted:
    """A consumer of one partition: each poll gives or raises the next of these; then the follower stops."""

    def __init__(self, polls: Sequence[Records | Exception], stop: Event) -> None:
        self.polls = list(polls)
        self.stop = stop
        self.read_from_offsets: list[Mapping[int, int]] = []
        self.asked_ms: list[int] = []

    def all_partitions(self) -> list[int]:
        return [0]

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 0)

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]:
        self.asked_ms.append(time_ms)
        return dict.fromkeys(partitions, 1 if time_ms > AT_MS - 20_000 else 0)

    def read_from(self, offsets: Mapping[int, int]) -> None:
        self.read_from_offsets.append(dict(offsets))

    def poll(self, timeout_s: float, max_messages: int) -> Any:
        if not self.polls:
            self.stop.set()
            return {}
        given = self.polls.pop(0)
        if isinstance(given, Exception):
            raise given
        return given


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_DELAY_S", 0.01)


def follow(*polls: Records | Exception, from_ms: int = 0) -> tuple[list[str], int, Scripted]:
    """(ids given, how often the topic had dropped some, the consumer)."""
    stop = Event()
    overtaken: list[None] = []
    consumer = Scripted(polls, stop)
    follower = TopicFollower(cast(SeekableConsumer, consumer), from_ms, [], lambda: overtaken.append(None))
    parts = list(follower.read(stop))
    return [one["id"] for part in parts for one in part.messages], len(overtaken), consumer


def test_offsets_that_were_dropped_before_they_were_read_are_noted() -> None:
    found, overtaken, _ = follow({0: [(0, value(0))]}, {0: [(5, value(5)), (6, value(6))]})
    assert (found, overtaken) == (["f.0", "f.5", "f.6"], 1)


def test_after_an_outage_it_goes_on_at_the_message_after_the_last() -> None:
    found, overtaken, consumer = follow(
        {0: [(0, value(0)), (1, value(1))]}, LogUnavailable("x"), {0: [(2, value(2))]}
    )
    assert (found, overtaken) == (["f.0", "f.1", "f.2"], 0)
    assert consumer.read_from_offsets == [{0: 0}, {0: 2}]


def test_a_topic_that_lost_its_end_is_read_again_by_time_and_gives_none_twice() -> None:
    # Its offsets 1 and 2 were lost with a broker, and others have them now.
    found, _, consumer = follow(
        {0: [(0, value(0)), (1, value(1)), (2, value(2))]},
        {0: [(1, value(11))]},
        {0: [(1, value(11)), (2, value(2)), (3, value(3))]},
    )
    assert found == ["f.0", "f.1", "f.2", "f.11", "f.3"]
    assert consumer.asked_ms == [0, AT_MS + 2 - 10_000]
    assert consumer.read_from_offsets == [{0: 0}, {0: 1}]


def test_what_was_received_before_is_left_out_and_what_is_no_message_too() -> None:
    found, _, _ = follow({0: [(1, value(0)), (2, b"[]"), (3, value(2)), (4, value(2))]}, from_ms=AT_MS + 1)
    assert found == ["f.2"]
