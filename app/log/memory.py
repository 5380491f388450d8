"""The message log in the memory of one process: for tests, and small enough to show what a log is.

It promises what the others promise, but for outliving its process. It has one partition, which one
member of each group reads at a time; a group's position is in Redis, as on Kafka, and its claims are
settled there.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import redis

from app.errors import BadMessage, LogUnavailable, first_words
from app.log.follow import SILENT_S
from app.log.interface import Appended, Batch, Ensured, Lag, Reach, RecordEvents, Scanned, Start
from app.log.scan import Patterns, received_between, wanted_in
from app.log_status import GroupPosition, LogAdvice, LogSize, LogStatus, RedisShare
from app.message import RECEIVED_MAX_MS, BadValue, RouterMessage, decode
from app.store import keys
from app.store.claims import offsets_claim

CHUNK = 1_000
PARTITION = 0


@dataclass(slots=True)
class _Topic:
    """What writers and readers share."""

    values: list[bytes] = field(default_factory=list)
    platform: set[int] = field(default_factory=set)
    """Which of the values, by their offsets, are what the platform itself says."""
    frames: set[str] = field(default_factory=set)
    size_bytes: int = 0
    members: dict[str, list[MemoryReader]] = field(default_factory=dict)
    """Of each group; the first one reads."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def router_values(self, first: int = 0) -> list[bytes]:
        """From this offset on, without what the platform says."""
        values = enumerate(self.values[first:], first)
        return [value for offset, value in values if offset not in self.platform]


class MemoryLog:
    """See `MessageLog`. `store`: where the positions of its groups are."""

    advice = LogAdvice(keep_longer="give the process more memory", take_less="", reconnect="")

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._topic = _Topic()

    def writer(self) -> MemoryWriter:
        return MemoryWriter(self._topic)

    def reader(
        self, group: str, start: Start, *, rewind_to_store: bool = True, reads_platform: bool = False
    ) -> MemoryReader:
        return MemoryReader(self._topic, self._store, group, start, reads_platform=reads_platform)

    def history(self, store: redis.Redis | None = None) -> MemoryHistory:
        return MemoryHistory(self._topic)

    def ensure(self, groups: Sequence[str], timeout_s: float) -> Ensured:
        return Ensured("in memory", ("it is gone when this process ends",))

    def status(self, store: redis.Redis, groups: Sequence[str]) -> LogStatus:
        values = list(self._topic.values)
        messages = list(_messages(values[:1]))
        size = LogSize(
            bytes=self._topic.size_bytes,
            limit_bytes=0,
            messages_kept=len(values),
            messages_added=len(values),
            messages_trimmed=0,
            first_ms=messages[0]["received_at"] if messages else None,
        )
        positions = {group: GroupPosition(_lag(store, group, len(values))) for group in groups}
        return LogStatus(size, positions, RedisShare(bytes=0, limit_bytes=None))


class MemoryWriter:
    """Appends frames, each once."""

    def __init__(self, topic: _Topic) -> None:
        self._topic = topic

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        topic = self._topic
        added = [*values, *platform]
        with topic.changed:
            is_known = frame_id in topic.frames
            if added and not is_known:
                topic.frames.add(frame_id)
                first = len(topic.values) + len(values)
                topic.platform |= set(range(first, first + len(platform)))
                topic.values += added
                topic.size_bytes += sum(map(len, added))
                topic.changed.notify_all()
        if record_events:
            record_events()
        if is_known:
            return Appended(0, duplicate=bool(added))
        return Appended(len(values), platform=len(platform))

    def check(self, timeout_s: float) -> None:
        """Memory is always there."""

    def close(self) -> None:
        """Nothing to end."""


class MemoryReader:
    """One member of a group: it reads while it is the first of them, and hands over when it is closed."""

    def __init__(
        self, topic: _Topic, store: redis.Redis, group: str, start: Start, *, reads_platform: bool = False
    ) -> None:
        self._topic = topic
        self._reads_platform = reads_platform
        self._store = store
        self._group = group
        self._start = start
        self._next: int | None = None
        """Offset of the next message; None: Redis says, at the next poll."""
        with topic.changed:
            topic.members.setdefault(group, []).append(self)

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        deadline_s = time.monotonic() + timeout_s
        with self._topic.changed:
            while True:
                if self._topic.members[self._group][:1] == [self]:
                    if self._next is None:
                        self._next = self._place()
                    if self._next < len(self._topic.values):
                        return self._batch(self._next, max_messages)
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                self._topic.changed.wait(left_s)

    def _place(self) -> int:
        """Where the group is; where it is new, writes where it begins. Raises LogUnavailable."""
        start = 0 if self._start == "earliest" else len(self._topic.values)
        try:
            self._store.hsetnx(keys.positions(self._group), str(PARTITION), str(start))
            return int(self._store.hget(keys.positions(self._group), str(PARTITION)) or start)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not give positions: {first_words(fault)}") from fault

    def _batch(self, first: int, max_messages: int) -> Batch:
        messages: list[RouterMessage] = []
        platform: list[RouterMessage] = []
        bad: list[BadValue] = []
        values = self._topic.values[first : first + max_messages]
        for offset, value in enumerate(values, first):
            is_platform = offset in self._topic.platform
            if is_platform and not self._reads_platform:
                continue
            try:
                (platform if is_platform else messages).append(decode(value))
            except BadMessage as fault:
                bad.append(BadValue(value, str(fault)))
        self._next = first + len(values)
        span = (PARTITION, first, self._next, True)
        claim = offsets_claim(keys.positions(self._group), [span])
        return Batch(messages, claim, bad, platform=platform)

    def settled(self, batch: Batch) -> None:
        """Nothing to do: the position was part of the step."""

    def rejected(self, batch: Batch) -> None:
        self._next = None

    def heartbeat(self) -> None:
        """Nothing to do: a member that is not closed is there."""

    def lag(self) -> Lag:
        try:
            behind = _lag(self._store, self._group, len(self._topic.values))
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not give positions: {first_words(fault)}") from fault
        return Lag(behind, whole_group=True)

    def close(self) -> None:
        with self._topic.changed:
            members = self._topic.members[self._group]
            if self in members:
                members.remove(self)
            self._topic.changed.notify_all()


class MemoryHistory:
    """The past: all of it is kept."""

    was_overtaken = False

    def __init__(self, topic: _Topic) -> None:
        self._topic = topic

    def reach(self) -> Reach | None:
        times_ms = [message["received_at"] for message in _messages(self._topic.router_values())]
        return Reach(min(times_ms), max(times_ms)) if times_ms else None

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        inside = [
            message
            for message in _messages(self._topic.router_values())
            if from_ms <= message["received_at"] < until_ms
        ]
        inside.sort(key=lambda message: message["received_at"])
        for at in range(0, len(inside), CHUNK):
            yield inside[at : at + CHUNK]

    def scan(
        self,
        from_ms: int,
        until_ms: int,
        patterns: Sequence[re.Pattern[bytes]] = (),
        *,
        newest_first: bool = False,
    ) -> Iterator[Scanned]:
        """See `SearchableHistory.scan`."""
        scanned = _scanned(self._topic.router_values(), from_ms, until_ms, patterns)
        scanned.messages.sort(key=lambda message: message["received_at"], reverse=newest_first)
        yield scanned

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        """See `SearchableHistory.follow`."""
        at = 0
        while True:
            with self._topic.changed:
                if at >= len(self._topic.values):
                    self._topic.changed.wait(SILENT_S)
                values = self._topic.router_values(at)
                at = len(self._topic.values)
            yield _scanned(values, from_ms, RECEIVED_MAX_MS, patterns)

    def estimate(self, from_ms: int, until_ms: int) -> int:
        return sum(map(len, self.read(from_ms, until_ms)))

    def close(self) -> None:
        """Nothing to end."""


def _scanned(values: Sequence[bytes], from_ms: int, until_ms: int, patterns: Patterns) -> Scanned:
    wanted = (wanted_in(value, patterns) for value in values)
    return Scanned(
        [found for found in wanted if found is not None and from_ms <= found["received_at"] < until_ms],
        sum(received_between(value, from_ms, until_ms) for value in values),
    )


def _messages(values: Sequence[bytes]) -> Iterator[RouterMessage]:
    """Those that are messages."""
    for value in values:
        try:
            yield decode(value)
        except BadMessage:
            continue


def _lag(store: redis.Redis, group: str, end: int) -> int:
    return max(0, end - int(store.hget(keys.positions(group), str(PARTITION)) or 0))
