"""One message log to test, whichever it is, and frames to write to it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from app.errors import LogUnavailable, StaleBatch
from app.log import Batch, History, MessageLog, Reader, SearchableHistory, Start, Writer, open_log
from app.log.memory import MemoryLog
from app.log.redis.stream import META
from app.log.redis.writer import RedisWriter
from app.message import RouterMessage, encode, message_id
from app.settings import Settings
from app.store import keys
from app.store.settle import settle
from servers.kafka_broker import KafkaBroker
from servers.messages import router_line, router_message

POLL_S = 0.05


def message(frame_id: str, index: int, path: str = "/foo", **more: Any) -> RouterMessage:
    """A message as the drain writes it; `more` replaces keys."""
    line = router_line(path, host="h.example", service_ms=9)
    return router_message(line, id=message_id(frame_id, index), **more)


def frame(frame_id: str, count: int) -> list[bytes]:
    """The values of a frame of `count` lines."""
    return [encode(message(frame_id, index)) for index in range(count)]


def platform_message(frame_id: str, index: int, text: str = "State changed from up to down") -> RouterMessage:
    """What the platform says, as the drain writes it."""
    return message(frame_id, index, msg=f"{text}\n", procid="web.1")


def said(frame_id: str, first: int, count: int) -> list[bytes]:
    """Values of so many messages of the platform in a frame, from that index on."""
    return [encode(platform_message(frame_id, index)) for index in range(first, first + count)]


def ids(batch: Batch) -> list[str]:
    return [found["id"] for found in batch.messages]


@dataclass(slots=True)
class Drained:
    """What a reader gave until it was told to stop."""

    ids: list[str] = field(default_factory=list)
    platform: list[str] = field(default_factory=list)
    """Ids of what the platform said."""
    duplicates: int = 0
    lost: int = 0
    bad: list[bytes] = field(default_factory=list)
    fresh: int = 0
    """Batches that found Redis cleared."""


@dataclass(slots=True)
class Log:
    """A log that is empty at the start; closes what it opened."""

    environ: Mapping[str, str]
    store: redis.Redis
    broker: KafkaBroker | None = None
    memory: MemoryLog | None = None
    _opened: list[Reader | Writer | History] = field(default_factory=list)

    @property
    def is_kafka(self) -> bool:
        return self.broker is not None

    @property
    def settings(self) -> Settings:
        return Settings.load(self.environ)

    def opened(self, **environ: str) -> MessageLog:
        """The log itself; `environ`: further settings."""
        return self.memory or open_log(Settings.load({**self.environ, **environ}))

    def writer(self, **environ: str) -> Writer:
        writer = self.opened(**environ).writer()
        self._opened.append(writer)
        return writer

    def reader(
        self,
        group: str = "metrics",
        start: Start = "earliest",
        *,
        rewind_to_store: bool = True,
        reads_platform: bool = False,
    ) -> Reader:
        reader = self.opened().reader(
            group, start, rewind_to_store=rewind_to_store, reads_platform=reads_platform
        )
        self._opened.append(reader)
        return reader

    def history(self) -> SearchableHistory:
        history = self.opened().history()
        self._opened.append(history)
        return history

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def poll_for(self, reader: Reader, seconds: float) -> None:
        """Polls where nothing should come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert reader.poll(POLL_S, 100) is None

    def join(self, reader: Reader, group: str, timeout_s: float = 30) -> None:
        """Polls until the group has its beginning, where nothing is to be read."""
        deadline = time.monotonic() + timeout_s
        while not (self.store.exists(keys.positions(group)) or self.store.hexists(META, f"read:{group}")):
            assert time.monotonic() < deadline, f"the group {group} has no place in {timeout_s} s"
            self.rest(reader, seconds=0.1)

    def batch(self, reader: Reader, timeout_s: float = 15, most: int = 10_000) -> Batch:
        """The next batch, not settled."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with contextlib.suppress(LogUnavailable):  # A new topic has no leaders yet.
                batch = reader.poll(POLL_S, most)
                if batch is not None:
                    return batch
        raise AssertionError(f"no batch in {timeout_s} s")

    def settle(self, reader: Reader, batch: Batch) -> bool:
        """As a worker does it; False where Redis had been cleared. Raises StaleBatch."""
        try:
            held = settle(self.store, batch.claim)
        except StaleBatch:
            reader.rejected(batch)
            raise
        reader.settled(batch)
        return held

    def drain(self, *readers: Reader, count: int, timeout_s: float = 60, most: int = 10_000) -> Drained:
        """Reads and settles until `count` messages of any kind came, duplicates and bad ones among them."""
        drained = Drained()
        deadline = time.monotonic() + timeout_s
        while len(drained.ids) + len(drained.platform) + drained.duplicates + len(drained.bad) < count:
            assert time.monotonic() < deadline, f"not {count} in {timeout_s} s, only {drained}"
            for reader in readers:
                self._once(reader, drained, most)
        return drained

    def rest(self, *readers: Reader, seconds: float = 1.0) -> Drained:
        """What still comes in a while: where nothing should, nothing does."""
        drained = Drained()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for reader in readers:
                self._once(reader, drained, 10_000)
        return drained

    def _once(self, reader: Reader, drained: Drained, most: int) -> None:
        try:
            batch = reader.poll(POLL_S, most)
            if batch is None:
                return
            drained.fresh += not self.settle(reader, batch)
        except (LogUnavailable, StaleBatch):
            return
        drained.ids += ids(batch)
        drained.platform += [found["id"] for found in batch.platform]
        drained.duplicates += batch.duplicates
        drained.lost += batch.lost
        drained.bad += [bad.value for bad in batch.bad]


def bounded_writer(log: Log, max_bytes: int) -> RedisWriter:
    """A writer with a bound that few frames reach."""
    return RedisWriter(log.store, max_bytes)
