"""The journal: settled rows that wait to be added to the figures, in steps of bounded cost.

One atomic step that adds all rows of a large batch would hold Redis for seconds, and with it every
append of the drain. So the step that settles a batch adds what one step may cost and puts the other
rows, in portions, into a list in Redis. From then on they belong to the figures: a portion is added
and removed in one script, so exactly once, by whichever worker of the group gets to it. A worker that is
killed in between leaves its portions to the next.

Where a batch has many (1,000 apps make 15 MB of them), to push them all in the settling step would take
Redis 100 ms and more. They go to a list of their own beforehand, in short commands, and the step puts
that list's name into the journal. A list that no step has named expires.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, cast

import orjson
import redis

from app.store import keys, replies
from app.store.grouping import grouped
from app.store.rows import ROWS_LUA
from app.store.settle import read_lua, run_raw

log = logging.getLogger(__name__)

STEP_MS = 12.0
"""How long one step should hold Redis, which serves nobody else in that time."""

RECOVER_EVERY_S = 2.0

UNITS_MAX_AT_FIRST = 4_000
"""Until a step was timed. One unit took 1 to 3 microseconds on the machine of bench/README.md."""

UNITS_MAX_LEAST = 1_000
UNITS_MAX_MOST = 8_000

PUSH_BYTES = 1_000_000
"""About what one command, or the settling step, pushes."""

UNNAMED_S = 60
"""How long a list is kept whose batch is not settled."""

_DROP = "if redis.call('PTTL', KEYS[1]) > 0 then redis.call('UNLINK', KEYS[1]) end"
"""A list that a settling step has named expires no more, so whatever is not known, it stays."""

_JOURNAL = ROWS_LUA + read_lua("earlier_rows.lua") + read_lua("journal.lua")


@dataclass(slots=True)
class StepCost:
    """How many units the next step may cost, judged by how long the last ones took."""

    units_max: int = UNITS_MAX_AT_FIRST
    _us_per_unit: deque[float] = field(default_factory=lambda: deque(maxlen=8))

    def note(self, units: int, took_s: float) -> None:
        """Notes how long a step of so many units took, including the wait for Redis.

        The median of the last few counts: some waited for other clients, some had cheap units.
        """
        if units >= UNITS_MAX_LEAST // 2:
            self._us_per_unit.append(took_s * 1e6 / units)
            fitting = int(STEP_MS * 1e3 / statistics.median(self._us_per_unit))
            self.units_max = max(UNITS_MAX_LEAST, min(fitting, UNITS_MAX_MOST))


class Journal:
    """The journal of one group, as one of its workers sees it."""

    def __init__(self, store: redis.Redis, group: str, limits: dict[str, Any]) -> None:
        """`limits`: see `apply.limits`."""
        self._store = store
        self._group = group
        self._keys = [keys.earlier_journal(group), keys.journal(group), keys.group(group)]
        self._limits = orjson.dumps(limits)
        self._recover_at_s = 0.0
        self.cost = StepCost()
        self.left = 0
        """What the journal had after the last step of this worker: portions, and lists of them."""

    def keep(self, portions: Sequence[bytes]) -> str:
        """Pushes portions to a list of their own, which a settling step may name within UNNAMED_S. Its key.
        Raises redis.RedisError."""
        key = keys.journal_part(self._group, uuid.uuid4().hex)
        pipeline = self._store.pipeline(transaction=False)
        for some in grouped(portions, len, PUSH_BYTES):
            pipeline.rpush(key, *some)
            pipeline.expire(key, UNNAMED_S)
        pipeline.execute()
        return key

    def drop(self, key: str) -> None:
        """Removes such a list, unless a step has named it."""
        with contextlib.suppress(redis.RedisError):  # It expires by itself.
            run_raw(self._store, _DROP, [key], [])

    def note(self, left: int, units: int, took_s: float, refused: int, fault: bytes) -> None:
        """Notes what a step answered and how long it took."""
        self.left = left
        self.cost.note(units, took_s)
        if refused:
            log.error("Redis refused %d updates of a batch: %s", refused, replies.text(fault)[:200])

    def finish(self, keepalive: Callable[[], None] | None = None, stop: Event | None = None) -> None:
        """Adds what is left, and calls `keepalive` after each step. A worker that is told to stop leaves the
        rest to the next. Raises redis.RedisError; another call continues.
        """
        while self.left and not (stop and stop.is_set()):
            self._step()
            if keepalive:
                keepalive()

    def recover(self) -> None:
        """Every RECOVER_EVERY_S, adds what a killed worker left. Raises redis.RedisError."""
        now_s = time.monotonic()
        if now_s >= self._recover_at_s:
            self._recover_at_s = now_s + RECOVER_EVERY_S
            self._step()

    def _step(self) -> None:
        started_s = time.perf_counter()
        answer = run_raw(self._store, _JOURNAL, self._keys, [self._limits, self.cost.units_max])
        left, units, refused, fault = cast(tuple[int, int, int, bytes], tuple(answer))
        self.note(left, units, time.perf_counter() - started_s, refused, fault)


def split(portions: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Those that the settling step takes with it, and those that are to be kept beforehand."""
    first = next(grouped(portions, len, PUSH_BYTES), [])
    return first, portions[len(first) :]
