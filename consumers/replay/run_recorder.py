"""A window replay's run as Redis keeps it, also while it goes on: what the page shows live.

A replay is worth having without Redis, so failures are not raised. Nothing counts twice after one:
what may or may not have been written is replaced as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from app.store.replay import Figures, Run, record

EVERY_S = 2.0
AGAIN_AFTER_S = 10.0


class RunRecorder:
    """`take` gives what has been counted since it was last called."""

    def __init__(
        self,
        store: redis.Redis,
        run: Run,
        take: Callable[[], Figures],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._run = run
        self._take = take
        self._clock = clock
        self._next_s = clock() + EVERY_S
        self.is_in_redis = True
        """The last write was taken."""

    def flush_if_due(self, progress: float) -> None:
        """Writes what is new, once in a while. `progress`: 0 to 1."""
        if self._clock() >= self._next_s:
            self._write("running", progress)
            self._next_s = self._clock() + (EVERY_S if self.is_in_redis else AGAIN_AFTER_S)

    def finish(self, state: str) -> Run:
        """Writes the rest; the whole run."""
        self._write(state, 1.0 if state == "finished" else None)
        return self._run

    def _write(self, state: str, progress: float | None) -> None:
        run = self._run
        run.info["state"] = state
        if progress is not None:
            run.info["progress"] = f"{progress:.2f}"
        new = self._take()
        run.figures.merge(new)
        if not run.figures.sent and not run.figures.skipped:
            return  # Nothing to look at, as after a refused start.
        is_whole, self.is_in_redis = not self.is_in_redis, False
        try:
            record(self._store, run.id, run.figures if is_whole else new, run.info, is_whole=is_whole)
        except redis.RedisError:
            return
        self.is_in_redis = True
