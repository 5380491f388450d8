"""The memory of frames seen, per partition: what makes a retried frame count once on Kafka.

For each block of 512 lines of a frame it holds which were read, as the bits of an integer. It
lives in Redis (`keys.seen`, two generations of bounded size) and changes in the
step that settles the batch; the reader that owns the partition has a copy, so that a batch costs
no question to Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import redis

from app.log.kafka.connection import PARTITIONS, PLATFORM_PARTITIONS, is_of_platform
from app.store import keys, replies
from app.store.claims import SeenFrames

BLOCKS_PER_GENERATION = 1000
"""Of one partition: a frame is known again while at least this many newer blocks have come there.
A frame of Logplex is one block, seldom two. With 32 partitions that is 32,000 frames, and Logplex
gives up a frame within about 15 s. Two full generations of every partition are about 11 MB of Redis
a group."""

PLATFORM_BLOCKS_PER_GENERATION = BLOCKS_PER_GENERATION * PARTITIONS // PLATFORM_PARTITIONS
"""The same for the topic `platform`, which has fewer partitions: as many frames in all."""

BLOCK_BITS = 9


class _Partition:
    __slots__ = ("changed", "new", "old", "turn")

    def __init__(self, new: dict[str, int], old: dict[str, int]) -> None:
        self.new = new
        self.old = old
        self.changed: set[str] = set()
        self.turn = False


class FrameMemory:
    """Which messages of which frames were read."""

    def __init__(self, store: redis.Redis, group: str) -> None:
        self._store = store
        self._group = group
        self._partitions: dict[int, _Partition] = {}

    def key(self, partition: int) -> str:
        return keys.seen(self._group, partition)

    def load(self, partitions: Iterable[int]) -> None:
        """Reads what Redis holds of the partitions. Raises redis.RedisError."""
        names = list(partitions)
        pipeline = self._store.pipeline(transaction=True)
        for name in names:
            pipeline.hgetall(f"{self.key(name)}:new")
            pipeline.hgetall(f"{self.key(name)}:old")
        answers = pipeline.execute()
        for name, new, old in zip(names, answers[::2], answers[1::2], strict=True):
            self._partitions[name] = _Partition(_read(new), _read(old))

    def forget(self, partition: int) -> None:
        """Drops the copy: another reader may own the partition now."""
        self._partitions.pop(partition, None)

    def of(self, partition: int) -> Callable[[str, int], bool]:
        """A function that notes (frame id, index) and says whether it is new in the partition."""
        memory = self._partitions[partition]
        most = PLATFORM_BLOCKS_PER_GENERATION if is_of_platform(partition) else BLOCKS_PER_GENERATION
        if len(memory.new) >= most:
            memory.old, memory.new, memory.turn = memory.new, {}, True
        new, old, changed = memory.new, memory.old, memory.changed

        def is_new(frame_id: str, index: int) -> bool:
            # No two (block, frame id) have the same name: a block's number holds no colon.
            block = f"{index >> BLOCK_BITS}:{frame_id}"
            seen = new.get(block)
            if seen is None:
                seen = old.get(block, 0)
            bit = 1 << (index & (1 << BLOCK_BITS) - 1)
            if seen & bit:
                return False
            new[block] = seen | bit
            changed.add(block)
            return True

        return is_new

    def changes(self, partitions: Iterable[int]) -> list[SeenFrames]:
        """What the claim writes to Redis: for each partition the blocks changed in this batch."""
        return [
            {
                "key": self.key(name),
                "turn": self._partitions[name].turn,
                "frames": {
                    block: f"{self._partitions[name].new[block]:x}"
                    for block in self._partitions[name].changed
                },
            }
            for name in partitions
        ]

    def settled(self) -> None:
        """The changes are in Redis: the next batch starts a list of its own."""
        for memory in self._partitions.values():
            memory.changed.clear()
            memory.turn = False


def _read(stored: Any) -> dict[str, int]:
    return {block: int(indexes, 16) for block, indexes in replies.texts(stored).items()}
