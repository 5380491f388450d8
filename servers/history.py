"""An hour of traffic before the demo began: `python -m servers.history --rate 100`, with REDIS_URL set.

The metrics worker's own code counts invented lines of the past, newest first, so that the page has
figures when it opens. They go past the message log: there, the replay would take them for requests
that it missed.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence

import redis

from app.connections import open_connection_matcher
from app.message import RouterMessage, message_id
from app.redis_client import connect
from app.routes import route_namer
from app.settings import Settings
from app.store import keys
from app.store.apply import apply
from app.store.claims import offsets_claim
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.messages import router_message
from servers.shop import FAILURE_SHARE
from servers.traffic import Traffic

POSITIONS = keys.positions("demo-history")
"""Not a worker's: each batch of the history counts once, whatever the log's own positions are."""

MINUTES = 60
MINUTE_S = 60
SPAN_S = 10
REQUESTS_MAX = 400_000
LINES_MADE = 5_000
"""Different lines, from which those of all minutes are drawn."""

WAVE_S = 1_500
QUIETER = 0.35
"""The share by which traffic was lower, once every WAVE_S."""


def requests_s(rate: float, age_s: float) -> float:
    """The traffic of so long ago; with no step to `rate` of now."""
    return rate * (1 - QUIETER * (1 - math.cos(2 * math.pi * age_s / WAVE_S)) / 2)


def batches(rate: float, minutes: int, until_s: float, seed: int = 2) -> Iterator[list[RouterMessage]]:
    """The messages of each minute before `until_s`, the newest minute first."""
    rng = random.Random(seed)
    traffic = Traffic(seed)
    lines = [traffic.answered_line() for _ in range(LINES_MADE)]
    for minute in range(minutes):
        batch: list[RouterMessage] = []
        for span in range(MINUTE_S // SPAN_S):
            newest_s = minute * MINUTE_S + span * SPAN_S
            wanted = requests_s(rate, newest_s) * SPAN_S
            # As spread as the requests of many independent clients are.
            count = max(0, round(rng.gauss(wanted, math.sqrt(wanted))))
            for line in rng.choices(lines, k=count):
                # Each failure is one of its own: they are few enough to be looked at.
                text = traffic.failed_line() if rng.random() < FAILURE_SHARE else line
                at_s = until_s - newest_s - rng.random() * SPAN_S
                batch.append(router_message(text, at_s, id=message_id("history", len(batch))))
        yield batch


def fill(store: redis.Redis, settings: Settings, rate: float, minutes: int, until_s: float) -> int:
    """Counts them; how many there were."""
    aggregator = Aggregator(
        route_namer(settings),
        Admission(store, settings.routes_max),
        is_connection=open_connection_matcher(settings),
    )
    total = 0
    for number, batch in enumerate(batches(rate, minutes, until_s)):
        claim = offsets_claim(POSITIONS, [(0, number, number + 1, number > 0)])
        changes = aggregator.changes(batch, int(time.time()))
        apply(store, "metrics", claim, changes, settings.routes_max)
        total += len(batch)
    store.delete(POSITIONS)
    return total


def main(argv: Sequence[str]) -> int:
    """Exit code 0, also after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.history", description="Counts an hour of invented traffic up to now."
    )
    parser.add_argument("--rate", type=float, default=100, help="requests a second (default 100)")
    parser.add_argument("--until", type=float, default=time.time(), help="end, in Unix time (default: now)")
    args = parser.parse_args(argv)
    # What serves the page comes first.
    os.nice(10)
    minutes = min(MINUTES, max(1, int(REQUESTS_MAX / (args.rate * MINUTE_S)))) if args.rate > 0 else 0
    settings = Settings.load(os.environ)
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(connect(settings, connections=1, timeout_s=10)) as store,
    ):
        count = fill(store, settings, args.rate, minutes, args.until)
        print(f"counted {count:,} simulated requests of the last {minutes} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
