"""`alerts` of the Procfile: `python -m consumers.alerts`."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from functools import partial
from threading import Event

import redis

from app.groups import ALERTS
from app.settings import Settings
from consumers.alerts.start import alerting
from consumers.periodic import Step
from consumers.run import run_periodic

log = logging.getLogger(__name__)

EVERY_S = 2.0
"""How often the lease is renewed. A moment is judged every ten seconds."""


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    with ExitStack() as at_end:
        return run_periodic(ALERTS, partial(prepare, at_end=at_end), EVERY_S, os.environ)


def prepare(settings: Settings, store: redis.Redis, stop: Event, at_end: ExitStack) -> Step:
    """Judges, and sends from threads that end with `at_end`."""
    work = alerting(settings, store, ALERTS.name)
    at_end.callback(work.close)
    names = ", ".join(work.deliveries.targets) or "none: alerts are on the page and in `alerts list` alone"
    log.info("alerts: rules=%d targets=%s", len(work.rules), names)
    return work.step


if __name__ == "__main__":
    sys.exit(main())
