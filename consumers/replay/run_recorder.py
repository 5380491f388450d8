"""Writes a window replay's run to Redis, also while it is running: what the page shows live.

A replay is useful without Redis too, so failures are not raised. Nothing counts twice after one:
where it is unknown whether a write was done, the next write replaces the whole run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from app.store.replay import Run, record
from app.store.run_figures import RunFigures

WRITE_EVERY_S = 2.0
RETRY_AFTER_S = 10.0


class RunRecorder:
    """`take` returns what has been counted since its last call."""

    def __init__(
        self,
        store: redis.Redis,
        run: Run,
        take: Callable[[], RunFigures],
        clock: Callable[[], float] = time.monotonic,
        *,
        is_resumed: bool = False,
    ) -> None:
        """`is_resumed`: the run has figures and a progress already. Its first write replaces what Redis
        has, because the figures no longer count what is to be sent now."""
        self._store = store
        self._run = run
        self._take = take
        self._clock = clock
        self._next_s = clock() + WRITE_EVERY_S
        self._progress = self._earlier = float(run.info.get("progress", 0)) if is_resumed else 0.0
        self._replaces_run = is_resumed
        self.is_in_redis = True
        """The last write succeeded."""

    def flush_if_due(self, progress: float) -> None:
        """Writes what is new, if the last write is long enough ago. `progress`: 0 to 1, of this part."""
        self._progress = self._earlier + (1 - self._earlier) * progress
        if self._clock() >= self._next_s:
            self._write("running")
            self._next_s = self._clock() + (WRITE_EVERY_S if self.is_in_redis else RETRY_AFTER_S)

    def finish(self, state: str) -> Run:
        """Writes the rest; returns the whole run."""
        if state == "finished":
            self._progress = 1.0
        self._write(state)
        return self._run

    def _write(self, state: str) -> None:
        run = self._run
        run.info["state"] = state
        run.info["progress"] = f"{self._progress:.2f}"
        new = self._take()
        run.figures.merge(new)
        if not run.figures.sent and not run.figures.skipped:
            return  # There is nothing to show yet, as after a start that was refused.
        replaces_run, self.is_in_redis = self._replaces_run or not self.is_in_redis, False
        try:
            record(
                self._store, run.id, run.figures if replaces_run else new, run.info, replaces_run=replaces_run
            )
        except redis.RedisError:
            return
        self.is_in_redis, self._replaces_run = True, False
