"""`metrics` of the Procfile: `python -m consumers.metrics`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable

import redis

from app.errors import TailraceError
from app.escaping import lines_for_terminal
from app.log import READ_TIMEOUT_S, Batch, open_reader
from app.logging_setup import start_logging
from app.redis_client import connect
from app.routes import route_namer
from app.settings import Settings
from app.store.apply import apply, limits
from app.store.journal import Journal
from consumers.guard import guarded
from consumers.hand import Hand
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from consumers.worker import Worker, stop_on_signals

log = logging.getLogger(__name__)

GROUP = "metrics"
BATCH_MESSAGES = 20_000
"""At most, when behind: what many messages add to the same field is written once. However many rows
that makes, no step takes Redis long (app/store/journal.py)."""


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    start_logging(os.environ.get("DYNO", GROUP))
    return guarded(work)


def work(hand: Hand) -> int:
    """What `main` does, in the process that the guard watches over."""
    try:
        settings = Settings.load(os.environ)
        store = connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)
        aggregator = Aggregator(route_namer(settings), Admission(store, settings.routes_max), hand.place)
        journal = Journal(store, GROUP, limits(settings.routes_max))
        stop = stop_on_signals()

        def handle(batch: Batch, keepalive: Callable[[], None]) -> None:
            journal.finish(keepalive, stop)
            changes = aggregator.changes(batch.messages, int(time.time()))
            changes.bad += batch.bad
            for name, count in (("duplicates", batch.duplicates), ("bad", len(changes.bad))):
                if count:
                    changes.totals[name] = count
            if not apply(store, GROUP, batch.claim, changes, settings.routes_max, journal):
                log.warning("Redis was cleared: the figures start over from this position in the log")
            journal.finish(keepalive, stop)

        def look_for_leftovers() -> None:
            with contextlib.suppress(redis.RedisError):  # The next poll says what is wrong.
                journal.look()

        worker = Worker(
            group=GROUP,
            open_reader=lambda: open_reader(settings, group=GROUP, start="earliest", rewind_to_store=True),
            handle=handle,
            store=store,
            stop=stop,
            max_messages=BATCH_MESSAGES,
            idle=look_for_leftovers,
            hand=hand,
        )
        worker.run()
    except TailraceError as fault:
        print(lines_for_terminal(str(fault)), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
