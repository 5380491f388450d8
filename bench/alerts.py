"""How many incidents the default rules find, and how often they call in vain: `python -m bench.alerts`.

Simulated days of six apps (servers/alert_story.py) with incidents of ten kinds (servers/alert_faults.py),
judged every ten seconds by the rules that are on without a file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from app.alerts.defaults import DEFAULT_RULES
from app.formatting import duration
from servers.alert_days import Outcome, run, world
from servers.alert_faults import KINDS
from servers.alert_story import ADMIN, APPS, BLOG, HOOKS

SMALL = (BLOG, ADMIN, HOOKS)
WIDTH = 40


def main(argv: Sequence[str]) -> int:
    """Prints a table, in Markdown, and what was told in vain; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--incidents", type=int, default=40)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--small", action="store_true", help="only apps with under one request a second")
    args = parser.parse_args(argv)
    if args.incidents > 4 * args.days:
        parser.error("incidents are hours apart: at most four for each day")
    made = world(args.days, args.incidents, args.seed, SMALL if args.small else APPS)
    outcome = run(made, DEFAULT_RULES, _progress if sys.stderr.isatty() else lambda share: None)
    if sys.stderr.isatty():
        print("\r" + " " * (WIDTH + 8) + "\r", end="", file=sys.stderr)
    _print(outcome)
    return 0


def _progress(share: float) -> None:
    done = round(WIDTH * share)
    print(f"\r[{'#' * done}{'.' * (WIDTH - done)}] {share:4.0%}", end="", file=sys.stderr, flush=True)


def _print(outcome: Outcome) -> None:
    print("| incident | found | median delay | the longest |\n| --- | --- | --- | --- |")
    for kind in KINDS:
        of_kind = [fault for fault in outcome.faults if fault.kind == kind]
        _row(kind, [outcome.delay_s(fault) for fault in of_kind])
    _row("all", [outcome.delay_s(fault) for fault in outcome.faults])
    found = [outcome.firing(fault) for fault in outcome.faults]
    print(f"\ntold more than once as new: {sum(len(messages) > 1 for messages in found)} incidents")
    print(f"false alerts: {len(outcome.false_alerts)}")
    for one in outcome.false_alerts:
        first = one.notice.incident.alerts[0]
        at = f"day {one.at_s / 86_400:.3f}"
        print(f"- {at}, {first.subject.app} {first.subject.route}: {first.rule}: {first.judgement.text}")


def _row(name: str, delays_s: Sequence[int | None]) -> None:
    found = sorted(delay for delay in delays_s if delay is not None)
    said = [duration(median(found)), duration(found[-1])] if found else ["-", "-"]
    print(f"| {name} | {len(found)} of {len(delays_s)} | {said[0]} | {said[1]} |", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
