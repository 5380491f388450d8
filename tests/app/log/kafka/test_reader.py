"""The reader of the topic against what a real client does only by bad luck: races and odd orders.

Redis is real; the client library is played, since no test can make the real one do these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
import redis

from app.errors import LogUnavailable, StaleBatch
from app.log.interface import Batch
from app.log.kafka.reader import KafkaReader
from app.message import encode
from app.store.settle import settle
from tests.app.log.logs import ids, message

Fetched = dict[int, list[tuple[int, bytes]]]


class PlayedConsumer:
    """A client whose next polls are told beforehand; it keeps no records of its own."""

    def __init__(self, *partitions: int) -> None:
        self.now_assigned = set(partitions)
        self.new = set(partitions)
        self.fetches: list[Fetched | Exception] = []
        self.sought: list[tuple[int, int]] = []
        self.committed_offsets: dict[int, int | None] = {}
        self.first: dict[int, int] = {}
        self.end: dict[int, int] = {}
        self.fails_to_seek = False

    def poll(self, timeout_s: float, max_messages: int) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        fetched = self.fetches.pop(0) if self.fetches else {}
        if isinstance(fetched, Exception):
            raise fetched
        return fetched

    def take_new_partitions(self) -> set[int]:
        new, self.new = self.new, set()
        return new

    def assigned(self) -> set[int]:
        return set(self.now_assigned)

    def seek(self, partition: int, offset: int) -> None:
        if self.fails_to_seek:
            raise LogUnavailable("Kafka has taken the partition away")
        self.sought.append((partition, offset))

    def committed(self, partitions: Iterable[int]) -> dict[int, int | None]:
        return {name: self.committed_offsets.get(name) for name in partitions}

    def first_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return {name: self.first.get(name, 0) for name in partitions}

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return {name: self.end.get(name, 0) for name in partitions}

    def high_water(self, partition: int) -> int | None:
        return self.end.get(partition)

    def commit(self, offsets: Mapping[int, int], *, wait: bool) -> None:
        self.committed_offsets |= offsets

    def close(self) -> None:
        pass


def records(first: int, count: int) -> list[tuple[int, bytes]]:
    return [(at, encode(message("f", at))) for at in range(first, first + count)]


def reader_of(consumer: PlayedConsumer, store: redis.Redis, *, rewind_to_store: bool = True) -> KafkaReader:
    return KafkaReader(consumer, store, "metrics", "earliest", rewind_to_store=rewind_to_store)


def poll(reader: KafkaReader, consumer: PlayedConsumer, fetched: Fetched) -> Batch | None:
    consumer.fetches.append(fetched)
    return reader.poll(0, 1_000)


def take(reader: KafkaReader, consumer: PlayedConsumer, store: redis.Redis, fetched: Fetched) -> list[str]:
    """Polls and settles as a worker does."""
    batch = poll(reader, consumer, fetched)
    assert batch is not None
    assert settle(store, batch.claim)
    reader.settled(batch)
    return ids(batch)


def test_what_a_client_fetches_before_the_reader_has_sought_is_left_out(redis_client: redis.Redis) -> None:
    redis_client.hset("tailrace:positions:metrics", "1", "4")
    consumer = PlayedConsumer(1)
    consumer.committed_offsets = {1: 2}
    reader = reader_of(consumer, redis_client)
    assert poll(reader, consumer, {1: records(2, 5)}) is None
    assert consumer.sought == [(1, 4)]
    assert take(reader, consumer, redis_client, {1: records(4, 2)}) == ["f.4", "f.5"]


def test_a_group_that_does_not_go_back_goes_on_from_kafkas_offset_where_redis_is_older(
    redis_client: redis.Redis,
) -> None:
    redis_client.hset("tailrace:positions:metrics", mapping={"1": "4", "2": "8", "3": "5"})
    consumer = PlayedConsumer(1, 2, 3)
    consumer.committed_offsets = {1: 7, 2: 8, 3: 90}
    consumer.end = {1: 20, 2: 20, 3: 6}  # The third was made anew; 90 was of the topic before.
    reader = reader_of(consumer, redis_client, rewind_to_store=False)
    poll(reader, consumer, {})
    assert consumer.sought == [(1, 7), (2, 8), (3, 5)]
    assert take(reader, consumer, redis_client, {1: records(7, 2), 3: records(5, 1)}) == ["f.7", "f.8", "f.5"]


def test_messages_of_other_partitions_are_not_lost_when_a_new_one_cannot_be_placed(
    redis_client: redis.Redis,
) -> None:
    consumer = PlayedConsumer(1)
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    consumer.new, consumer.now_assigned, consumer.fails_to_seek = {2}, {1, 2}, True
    with pytest.raises(LogUnavailable):
        poll(reader, consumer, {1: records(0, 3)})
    consumer.fails_to_seek = False
    poll(reader, consumer, {})
    assert (1, 0) in consumer.sought[1:], "what was handed out is fetched again"
    assert take(reader, consumer, redis_client, {1: records(0, 3)}) == ["f.0", "f.1", "f.2"]


def test_a_partition_that_could_not_be_sought_is_not_read_from_elsewhere(redis_client: redis.Redis) -> None:
    redis_client.hset("tailrace:positions:metrics", "1", "4")
    consumer = PlayedConsumer(1)
    consumer.fails_to_seek = True
    consumer.end = {1: 9}
    reader = reader_of(consumer, redis_client)
    with pytest.raises(LogUnavailable):
        poll(reader, consumer, {})
    consumer.fails_to_seek = False
    assert poll(reader, consumer, {1: records(0, 9)}) is None
    assert consumer.sought == [(1, 4)]


def test_a_client_that_goes_back_by_itself_is_sent_to_its_place_again(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1)
    consumer.end = {1: 100}
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    take(reader, consumer, redis_client, {1: records(0, 10)})
    assert poll(reader, consumer, {1: records(3, 5)}) is None
    poll(reader, consumer, {})
    assert consumer.sought[-1] == (1, 10)


def test_offsets_that_are_no_messages_are_not_counted_as_lost(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1)
    consumer.end = {1: 100}
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    batch = poll(reader, consumer, {1: [*records(5, 1), *records(9, 1)]})
    assert batch is not None
    assert (ids(batch), batch.lost) == (["f.5", "f.9"], 0)
    assert batch.claim["kind"] == "offsets"
    assert batch.claim["spans"] == [(1, 0, 10, True)]


def test_only_what_lies_before_the_first_offset_is_lost(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1)
    consumer.end = {1: 100}
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    consumer.first = {1: 4}
    batch = poll(reader, consumer, {1: records(6, 1)})
    assert batch is not None
    assert batch.lost == 4


def test_a_partition_that_was_taken_and_given_back_between_polls_is_placed_anew(
    redis_client: redis.Redis,
) -> None:
    consumer = PlayedConsumer(1)
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    take(reader, consumer, redis_client, {1: records(0, 2)})
    redis_client.hset("tailrace:positions:metrics", "1", "7")  # Another reader had it meanwhile.
    consumer.new = {1}
    assert poll(reader, consumer, {1: records(2, 2)}) is None
    assert consumer.sought[-1] == (1, 7)


def test_a_batch_that_a_late_rebalance_has_made_stale_changes_nothing(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1)
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    held = poll(reader, consumer, {1: records(0, 4)})
    assert held is not None
    redis_client.hset("tailrace:positions:metrics", "1", "2")
    before = {key: redis_client.dump(key) for key in redis_client.scan_iter()}
    with pytest.raises(StaleBatch):
        settle(redis_client, held.claim)
    assert {key: redis_client.dump(key) for key in redis_client.scan_iter()} == before
    reader.rejected(held)
    poll(reader, consumer, {})
    assert take(reader, consumer, redis_client, {1: records(2, 2)}) == ["f.2", "f.3"]


def test_a_partition_that_was_lost_gives_nothing_more(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1, 2)
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    consumer.now_assigned = {2}
    assert poll(reader, consumer, {1: records(0, 2)}) is None
    assert reader.lag().messages == 0


def test_lag_is_the_sum_over_the_readers_own_partitions(redis_client: redis.Redis) -> None:
    consumer = PlayedConsumer(1, 2)
    reader = reader_of(consumer, redis_client)
    poll(reader, consumer, {})
    consumer.end = {1: 10, 2: 5, 3: 99}
    take(reader, consumer, redis_client, {1: records(0, 4)})
    assert reader.lag().messages == 6 + 5
