"""`alerts` of the Procfile: `python -m consumers.alerts`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import Event

import redis

from app.groups import ALERTS
from app.settings import Settings
from consumers.periodic import Step
from consumers.run import run_periodic

EVERY_S = 10.0


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    return run_periodic(ALERTS, prepare, EVERY_S, os.environ)


def prepare(settings: Settings, store: redis.Redis, stop: Event) -> Step:
    """Judges one moment at each step."""

    def step(keepalive: Callable[[], None]) -> None:
        keepalive()

    return step


if __name__ == "__main__":
    sys.exit(main())
