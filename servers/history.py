"""An hour of traffic before the demo began: `python -m servers.history --rate 100`, with REDIS_URL set.

The metrics worker's own code counts invented lines of the past, newest first, so that the page has
figures, releases and dynos when it opens. They go past the message log: there, the replay would take them
for requests that it missed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from servers.platform import Said
from servers.platform_story import APP, SLOWER_PATH, SLOWER_TIMES, Story
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


@dataclass(frozen=True, slots=True)
class Span:
    """What the platform has said in a span, and how the app was in it."""

    said: list[Said]
    slower: Mapping[str, float]
    failing_dyno: str


def spans(minutes: int, until_s: float, seed: int) -> list[Span]:
    """Those of SPAN_S before `until_s`, the newest first."""
    started_s = until_s - minutes * MINUTE_S
    story = Story(seed, started_s)
    found = []
    for number in range(1, minutes * MINUTE_S // SPAN_S + 1):
        now_s = started_s + number * SPAN_S
        found.append(Span(story.until(now_s), story.slower(now_s - SPAN_S / 2), story.failing_dyno(now_s)))
    return found[::-1]


def batches(
    rate: float, minutes: int, until_s: float, seed: int = 2
) -> Iterator[tuple[list[RouterMessage], list[RouterMessage]]]:
    """The messages of each minute before `until_s`, the newest minute first: the router's, the platform's."""
    rng = random.Random(seed)
    traffic = Traffic(seed)
    usual = [traffic.answered_line() for _ in range(LINES_MADE)]
    traffic.slower = {SLOWER_PATH: SLOWER_TIMES}
    slower = [traffic.answered_line() for _ in range(LINES_MADE)]
    story = iter(spans(minutes, until_s, seed))
    number = itertools.count()
    for minute in range(minutes):
        batch: list[RouterMessage] = []
        platform: list[RouterMessage] = []
        for span in range(MINUTE_S // SPAN_S):
            newest_s = minute * MINUTE_S + span * SPAN_S
            told = next(story)
            platform += [
                said.message(message_id("history-platform", next(number)), APP) for said in told.said
            ]
            traffic.failing_dyno = told.failing_dyno
            wanted = requests_s(rate, newest_s) * SPAN_S
            # As spread as the requests of many independent clients are.
            count = max(0, round(rng.gauss(wanted, math.sqrt(wanted))))
            for line in rng.choices(slower if told.slower else usual, k=count):
                # Each failure is one of its own: they are few enough to be looked at.
                text = traffic.failed_line() if rng.random() < FAILURE_SHARE else line
                at_s = until_s - newest_s - rng.random() * SPAN_S
                batch.append(router_message(text, at_s, id=message_id("history", len(batch)), app=APP))
        yield batch, platform


def fill(store: redis.Redis, settings: Settings, rate: float, minutes: int, until_s: float) -> int:
    """Counts them; how many there were."""
    aggregator = Aggregator(
        route_namer(settings),
        Admission(store, settings.routes_max),
        is_connection=open_connection_matcher(settings),
    )
    total = 0
    for number, (batch, platform) in enumerate(batches(rate, minutes, until_s)):
        claim = offsets_claim(POSITIONS, [(0, number, number + 1, number > 0)])
        changes = aggregator.changes(batch, int(time.time()), platform)
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
