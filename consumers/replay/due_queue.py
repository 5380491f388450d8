"""A bounded queue whose items come out when they are due, the earliest first.

Among the threads that call `take`, one at a time, the leader, waits for the first item's time; the
others wait without a timeout until a leader has taken an item and wakes the next. So an item that
becomes due wakes one thread, not all of them (the leader-follower pattern, as in Java's DelayQueue).
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from typing import Generic, NamedTuple, TypeVar

from consumers.replay.pace import RateLimit

Item = TypeVar("Item")


class Entry(NamedTuple, Generic[Item]):
    """Ordered by due time (monotonic, s), then by number, the order of arrival: items are not compared."""

    due_s: float
    number: int
    item: Item


class DueQueue(Generic[Item]):
    """Each item that is put in leaves once: by `take`, then `claim` and `finish`; or by `close` or
    `abandon`, which return it. All methods are thread-safe; no other code runs under the lock."""

    def __init__(self, size_max: int, limit: RateLimit, max_late_s: float = math.inf) -> None:
        """Items that are more than `max_late_s` late do not count against the rate limit."""
        self._size_max = size_max
        self._limit = limit
        self._max_late_s = max_late_s
        self._waiting: list[Entry[Item]] = []  # A heap.
        self._taken: dict[int, Item] = {}
        self._finishing = 0
        """Items that are claimed and not finished."""
        self._numbers = itertools.count()
        self._has_leader = False
        self._is_closed = False
        lock = threading.Lock()
        self._head_changed = threading.Condition(lock)
        self._has_space = threading.Condition(lock)
        self._is_idle = threading.Condition(lock)

    def put(self, item: Item, due_s: float, timeout_s: float | None = None) -> bool:
        """Adds an item to be taken at `due_s` (monotonic). Waits while the queue is full; False, and
        nothing is added, when that takes longer than `timeout_s`."""
        with self._has_space:
            if not self._has_space.wait_for(lambda: len(self._waiting) < self._size_max, timeout_s):
                return False
            entry = Entry(due_s, next(self._numbers), item)
            heapq.heappush(self._waiting, entry)
            if self._waiting[0] is entry:
                # The leader waits for another time. It is one of the waiting threads, so wake them all.
                self._head_changed.notify_all()
        return True

    def take(self) -> Entry[Item] | None:
        """The first item, as soon as it is due and the rate allows; None once the queue is closed."""
        with self._head_changed:
            while not self._is_closed:
                if not self._waiting or self._has_leader:
                    self._head_changed.wait()
                    continue
                now_s = time.monotonic()
                wait_s = max(self._waiting[0].due_s, self._limit.free_s) - now_s
                if wait_s > 0:
                    self._has_leader = True
                    self._head_changed.wait(wait_s)
                    self._has_leader = False
                    continue
                return self._pop(now_s)
        return None

    def _pop(self, now_s: float) -> Entry[Item]:
        entry = heapq.heappop(self._waiting)
        self._taken[entry.number] = entry.item
        if now_s - entry.due_s <= self._max_late_s:
            self._limit.use(now_s)
        self._head_changed.notify()  # The next leader.
        self._has_space.notify()
        return entry

    def claim(self, entry: Entry[Item]) -> bool:
        """Whether the caller may report what became of a taken item, and then calls `finish`; False
        where `abandon` has returned it meanwhile."""
        with self._is_idle:
            if self._taken.pop(entry.number, None) is None:
                return False
            self._finishing += 1
            return True

    def finish(self) -> None:
        """A claimed item is reported."""
        with self._is_idle:
            self._finishing -= 1
            if self._is_empty():
                self._is_idle.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Waits until nothing waits, is taken or is being reported; False when time ran out first."""
        with self._is_idle:
            return self._is_idle.wait_for(self._is_empty, timeout_s)

    def close(self) -> list[Item]:
        """Ends `take` for every thread; returns what was waiting."""
        with self._head_changed:
            left = [entry.item for entry in self._waiting]
            self._waiting.clear()
            self._is_closed = True
            self._head_changed.notify_all()
            self._is_idle.notify_all()
        return left

    def abandon(self) -> list[Item]:
        """Returns what is taken and not claimed, once nothing is being reported."""
        with self._is_idle:
            left = list(self._taken.values())
            self._taken.clear()
            self._is_idle.notify_all()
            self._is_idle.wait_for(self._is_empty)
        return left

    def _is_empty(self) -> bool:
        return not (self._waiting or self._taken or self._finishing)
