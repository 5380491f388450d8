"""How many requests may be under way at once: a fixed number, or one that grows as needed.

By Little's law the requests that are due and unanswered are, on average, the rate at which they are due
times how long an answer takes: so their number says how many senders the rate takes, whatever the target
does. It is only looked at while due requests find no free sender.
"""

from __future__ import annotations

import math
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

GROWS_FROM = 16
GROWS_TO = 256
CONCURRENCY_MAX = 1_024
"""The highest that may be set."""

HEAD_ROOM = 1.25
BUSY_CPU_SHARE = 0.9
"""Of one core, which is all that the threads of one process can use: more of them would make it slower."""

CPU_STEP_S = 0.1
FILES_KEPT = 128
"""For all that is not a connection to a target: the log, Redis, reports."""

STACK_BYTES = 512 * 1024
"""Of a sender's thread, in place of the system's 8 MB. Resolving a name takes the most of it."""

_stack_lock = threading.Lock()

Shortage = Literal["", "files", "threads"]


@dataclass(slots=True)
class Concurrency:
    """The limit, from now to at most `most`. One thread changes it."""

    limit: int
    most: int
    shortage: Shortage = ""
    """What this machine did not have enough of for more."""

    @classmethod
    def of(cls, chosen: int | None, files: int) -> Concurrency:
        """`chosen`: a fixed limit; None: it grows. `files`: connections that this process can have."""
        start, most = (GROWS_FROM, GROWS_TO) if chosen is None else (chosen, chosen)
        possible = max(1, min(most, files))
        return cls(min(start, possible), possible, "files" if possible < most else "")

    @property
    def can_grow(self) -> bool:
        return self.limit < self.most

    def grow(self, unanswered: int) -> None:
        """`unanswered`: requests that are due, under way or not."""
        self.limit = min(self.most, max(self.limit, math.ceil(unanswered * HEAD_ROOM)))

    def no_more_threads(self, count: int) -> None:
        """The system did not start another thread after `count`."""
        self.limit = self.most = max(1, count)
        self.shortage = "threads"


class CpuShare:
    """How much of one core this process uses, as of the last CPU_STEP_S or a little more."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._cpu = cpu
        self._at = (clock(), cpu())
        self._share = 0.0

    def __call__(self) -> float:
        now_s = self._clock()
        passed_s = now_s - self._at[0]
        if passed_s >= CPU_STEP_S:
            cpu_s = self._cpu()
            self._share = (cpu_s - self._at[1]) / passed_s
            self._at = (now_s, cpu_s)
        return self._share


def allow_files(wanted: int) -> int:
    """Raises this process's limit of open files as far as the system lets it, for `wanted` connections;
    returns how many it can have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + FILES_KEPT
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (OSError, ValueError):
            pass  # macOS has a limit of its own below the hard one.
    return max(1, min(wanted, soft - FILES_KEPT))


def start_small(thread: threading.Thread) -> None:
    """Starts a thread with a small stack. Raises RuntimeError where the system has no thread left."""
    with _stack_lock:
        earlier = threading.stack_size(STACK_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(earlier)
