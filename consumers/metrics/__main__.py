"""`metrics` of the Procfile: `python -m consumers.metrics`."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import time
from collections.abc import Callable
from threading import Event

import redis

from app.connections import open_connection_matcher
from app.groups import METRICS
from app.log import Batch
from app.loop_guard import LoopGuard
from app.routes import route_namer
from app.settings import Settings
from app.store.apply import apply, limits
from app.store.journal import Journal
from app.store.replay_key import ReplayKey
from consumers.alerts.standby import standby
from consumers.current_message import Cursor
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from consumers.metrics.tending import Tender
from consumers.run import Work, run_group

log = logging.getLogger(__name__)

GROUP = METRICS.name
GC_EVERY_OBJECTS = 200_000
"""A batch creates about 100,000 objects and no cycles: at Python's own threshold of 700, the worker would
spend a quarter of its time looking for cycles."""

BATCH_MESSAGES = 20_000
"""At most, when behind: what many messages add to one field is written once. However many rows that makes, no
step holds Redis for long (app/store/journal.py)."""


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    return run_group(METRICS, prepare, os.environ)


def prepare(settings: Settings, store: redis.Redis, stop: Event, cursor: Cursor) -> Work:
    """Counts each batch once. A thread judges alerts where no `alerts` worker does."""
    gc.set_threshold(GC_EVERY_OBJECTS)
    key = ReplayKey(store, settings.replay_key, creates=False)
    heals = settings.route_templates == "auto"
    names = Admission(store, settings.routes_max, heals=heals, named_by_rule=settings.route_rules)
    aggregator = Aggregator(
        route_namer(settings), names, cursor, LoopGuard(key).is_replayed, open_connection_matcher(settings)
    )
    tender = Tender(store, names.route_rows, settings.routes_max, heals=heals, kept=settings.route_rules)
    journal = Journal(store, GROUP, limits(settings.routes_max))

    def handle(batch: Batch, keepalive: Callable[[], None]) -> None:
        journal.finish(keepalive, stop)
        key.expire()
        changes = aggregator.changes(batch.messages, int(time.time()), batch.platform)
        changes.bad += batch.bad
        for name, count in (("duplicates", batch.duplicates), ("bad", len(changes.bad))):
            if count:
                changes.totals[name] = count
        if not apply(store, GROUP, batch.claim, changes, settings.routes_max, journal):
            log.warning("Redis was cleared: the figures start over from this position in the log")
        journal.finish(keepalive, stop)

    def tidy_up() -> None:
        with contextlib.suppress(redis.RedisError):  # The next poll says what is wrong.
            journal.recover()
            tender.tend(stop)

    alerts = standby(settings)
    alerts.start()
    return Work(handle=handle, max_messages=BATCH_MESSAGES, idle=tidy_up, finish=alerts.close)


if __name__ == "__main__":
    sys.exit(main())
