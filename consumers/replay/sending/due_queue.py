"""A bounded queue whose items come out when they are due, the earliest first.

Among the threads that call `take`, one at a time, the leader, waits for the first item's time; the
others wait without a timeout until a leader has taken an item and wakes the next. So an item that
becomes due wakes one thread, not all of them (the leader-follower pattern, as in Java's DelayQueue).
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import threading
import time
from typing import Generic, NamedTuple, TypeVar

from consumers.replay.load.pace import RateLimit

Item = TypeVar("Item")

BEHIND_S = 0.02
"""A due item that waits longer than this waits for a thread: they are all busy."""


class Entry(NamedTuple, Generic[Item]):
    """Ordered by due time (monotonic, s), then by number, the order of arrival: items are not compared."""

    due_s: float
    number: int
    item: Item
    read_s: float
    """`due_s`, or later where it was put in late though the threads kept up."""
    ready_s: float
    """From when a free thread could have taken it: `read_s`, or later where the rate did not allow it."""


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
        self._reporting: set[int] = set()
        """Numbers of the items that are claimed and not finished."""
        self._numbers = itertools.count()
        self._has_leader = False
        self.idle = 0
        """Threads that wait in `take`."""
        self.taken_max = 0
        """The most items that were taken and not claimed yet, at once."""
        self._is_closed = False
        self._lock = threading.Lock()
        self._head_changed = threading.Condition(self._lock)
        self._has_space = threading.Condition(self._lock)
        self._is_idle = threading.Condition(self._lock)

    def put(self, item: Item, due_s: float, timeout_s: float | None = None) -> bool:
        """Adds an item to be taken at `due_s` (monotonic). Waits while the queue is full; False, and
        nothing is added, when that takes longer than `timeout_s`."""
        with self._lock:
            if self._is_full() and not self._has_space.wait_for(lambda: not self._is_full(), timeout_s):
                return False
            now_s = time.monotonic()
            read_s = now_s if now_s > due_s and not self._is_behind(now_s) else due_s
            entry = Entry(due_s, next(self._numbers), item, read_s, read_s)
            heapq.heappush(self._waiting, entry)
            if self._waiting[0] is entry:
                # The leader waits for another time. It is one of the waiting threads, so wake them all.
                self._head_changed.notify_all()
        return True

    def take(self) -> Entry[Item] | None:
        """The first item, as soon as it is due and the rate allows; None once the queue is closed."""
        with self._lock:
            self.idle += 1
            try:
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
            finally:
                self.idle -= 1
        return None

    def _pop(self, now_s: float) -> Entry[Item]:
        entry = heapq.heappop(self._waiting)
        self._taken[entry.number] = entry.item
        self.taken_max = max(self.taken_max, len(self._taken))
        if now_s - entry.due_s <= self._max_late_s:
            if self._limit.free_s > entry.ready_s:
                entry = entry._replace(ready_s=self._limit.free_s)
            self._limit.use(now_s)
        self._head_changed.notify()  # The next leader.
        self._has_space.notify()
        return entry

    @property
    def taken(self) -> int:
        """Items that are taken and not claimed yet."""
        return len(self._taken)

    def overdue(self) -> int:
        """How many items are due and wait for a thread; 0 where the first has not waited for BEHIND_S."""
        with self._lock:
            now_s = time.monotonic()
            if self._limit.free_s > now_s or not self._is_behind(now_s):
                return 0
            return sum(entry.due_s <= now_s for entry in self._waiting)

    # `claim` and `finish` run once for each request, so they take the lock only at the end: each of their
    # steps is a single operation on a dict or a set, which is atomic.

    def claim(self, entry: Entry[Item]) -> bool:
        """Whether the caller may report what became of a taken item, and then calls `finish`; False
        where `abandon` has returned it meanwhile."""
        self._reporting.add(entry.number)  # First, so that the item is always in one of the two.
        if self._taken.pop(entry.number, None) is None:
            self._reporting.discard(entry.number)
            return False
        return True

    def finish(self, entry: Entry[Item]) -> None:
        """A claimed item is reported."""
        self._reporting.discard(entry.number)
        if self._is_empty():
            with self._lock:
                self._is_idle.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Waits until nothing waits, is taken or is being reported; False when time ran out first."""
        with self._lock:
            return self._is_idle.wait_for(self._is_empty, timeout_s)

    def close(self) -> list[Item]:
        """Ends `take` for every thread; returns what was waiting."""
        with self._lock:
            left = [entry.item for entry in self._waiting]
            self._waiting.clear()
            self._is_closed = True
            self._head_changed.notify_all()
            self._is_idle.notify_all()
        return left

    def abandon(self) -> list[Item]:
        """Returns what is taken and not claimed, once nothing is being reported."""
        with self._lock:
            left = []
            with contextlib.suppress(KeyError):
                while True:  # One by one, so that no item is claimed as well.
                    left.append(self._taken.popitem()[1])
            self._is_idle.notify_all()
            self._is_idle.wait_for(self._is_empty)
        return left

    def _is_behind(self, now_s: float) -> bool:
        """The first item has waited for a while, and no thread is free."""
        return bool(self._waiting) and not self.idle and now_s - self._waiting[0].ready_s > BEHIND_S

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._size_max

    def _is_empty(self) -> bool:
        return not (self._waiting or self._taken or self._reporting)
