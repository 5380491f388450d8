"""Alerting within a `metrics` worker, whenever no `alerts` worker reports: a thread of its own, with its own
connection to Redis. Whatever happens to it, counting goes on.

Of several `metrics` workers the lease keeps it to one. Once an `alerts` worker reports, the lease is its own.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

import redis

from app.backoff import Outage
from app.errors import LogUnavailable, first_words
from app.groups import ALERTS, METRICS
from app.log import READ_TIMEOUT_S
from app.redis_client import connect
from app.settings import Settings
from app.store.workers import GONE_AFTER_MS, all_workers

if TYPE_CHECKING:
    from consumers.alerts.alerting import Alerting

log = logging.getLogger(__name__)

EVERY_S = 2.0
ABSENT_S = 5.0
"""So long no `alerts` worker must have reported: when all processes start at once, it is not there yet."""

FAULT_LOG_EVERY_S = 60.0
FAULT_DELAY_S = 10.0

CLOSE_S = 4.0
"""A worker must be gone within 9 s of SIGTERM (guard.py)."""


class Standby:
    """The thread. Create it in the worker itself, after the guard's fork."""

    def __init__(
        self,
        store: redis.Redis,
        make: Callable[[], Alerting],
        *,
        every_s: float = EVERY_S,
        absent_s: float = ABSENT_S,
    ) -> None:
        self._store = store
        self._make = make
        self._every_s = every_s
        self._absent_s = absent_s
        self._stop = Event()
        self._work: Alerting | None = None
        self._absent_since_s: float | None = None
        self._logged_s = -math.inf
        self._thread = Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends it, and gives the lease back; waits CLOSE_S at most."""
        self._stop.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        outage = Outage(log, self._stop)
        while not self._stop.is_set():
            try:
                self._tick()
                outage.resolved()
                self._stop.wait(self._every_s)
            except (LogUnavailable, redis.RedisError, OSError) as fault:
                outage.wait(f"alerts: {first_words(fault)}")
            except Exception:
                self._log_fault()
                self._stop.wait(FAULT_DELAY_S)
        try:
            if self._work is not None:
                self._work.close()
        except Exception:
            self._log_fault()

    def _tick(self) -> None:
        """Raises whatever alerting raises."""
        if self._is_needed():
            if self._work is None:
                self._work = self._make()
            self._work.step(_do_nothing)
        elif self._work is not None:
            self._work.give_way()

    def _is_needed(self) -> bool:
        now_ms = int(time.time() * 1000)
        if any(
            worker.group == ALERTS.name and now_ms - worker.at_ms <= GONE_AFTER_MS
            for worker in all_workers(self._store, now_ms)
        ):
            self._absent_since_s = None
            return False
        now_s = time.monotonic()
        if self._absent_since_s is None:
            self._absent_since_s = now_s
        return now_s - self._absent_since_s >= self._absent_s

    def _log_fault(self) -> None:
        now_s = time.monotonic()
        if now_s - self._logged_s >= FAULT_LOG_EVERY_S:
            self._logged_s = now_s
            log.exception("alerts are not judged, and tried again; counting goes on")


def standby(settings: Settings) -> Standby:
    """Of a `metrics` worker, not started yet."""
    store = connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)

    def make() -> Alerting:
        # It takes 7 MB and half a second, which a worker beside an `alerts` need not spend.
        from consumers.alerts.start import alerting

        return alerting(settings, store, METRICS.name)

    return Standby(store, make)


def _do_nothing() -> None:
    return None
