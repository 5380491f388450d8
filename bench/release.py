"""What the words of `compare` are worth: `python -m bench.release`.

Simulated releases in traffic that varies by itself (servers/release_traffic.py). Without an effect: how many
are called worse, or better, in any route. With one of ten routes slower: how often that one is found, by how
many requests it has in each span.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from servers.release_traffic import KINDS, Traffic, outcome

SIZES = ((10, 10.0), (100, 30.0), (200, 60.0))
"""(routes, requests a second)."""
CHANGES = (1.2, 1.35, 1.5)
RATES = (3.0, 10.0, 40.0)
CHANGED = 1
"""Number of the route that becomes slower: the second busiest."""


def main(argv: Sequence[str]) -> int:
    """Prints two tables, in Markdown; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.release", description=__doc__)
    parser.add_argument("--releases", type=int, default=100, help="simulated for each row (default 100)")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    with ProcessPoolExecutor(max_workers=2) as pool:
        _without(pool, args.releases, args.seed)
        _with(pool, args.releases, args.seed)
    return 0


def _without(pool: ProcessPoolExecutor, releases: int, seed: int) -> None:
    print("| traffic | routes | requests/s | called worse | called better |\n| --- | --- | --- | --- | --- |")
    cases = [(name, routes, per_s) for name in KINDS for routes, per_s in SIZES]
    waiting = [pool.submit(outcome, _traffic(*case), releases, seed) for case in cases]
    for (name, routes, per_s), one in zip(cases, waiting, strict=True):
        found = one.result()
        shares = f"{found.false_alarms} of {releases} | {found.better} of {releases}"
        print(f"| {name} | {routes} | {per_s:g} | {shares} |", flush=True)


def _with(pool: ProcessPoolExecutor, releases: int, seed: int) -> None:
    print("\n| traffic | requests of the route | slower by | found |\n| --- | --- | --- | --- |")
    cases = [(name, per_s, times) for name in KINDS for per_s in RATES for times in CHANGES]
    waiting = [
        pool.submit(outcome, _traffic(name, 10, per_s), releases, seed, {CHANGED: times})
        for name, per_s, times in cases
    ]
    for (name, _, times), one in zip(cases, waiting, strict=True):
        found = one.result()
        requests = round(statistics.median(found.requests))
        print(f"| {name} | {requests:,} | {times - 1:.0%} | {found.found} of {releases} |", flush=True)


def _traffic(name: str, routes: int, per_s: float) -> Traffic:
    return replace(KINDS[name], routes=routes, per_s=per_s)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
