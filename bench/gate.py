"""What the gate's verdicts are worth: `python -m bench.gate`.

Simulated runs of ten routes, of which one is slower by 0 to 50 %, judged by `p95>+20%`: how many passed,
failed or stayed inconclusive, how often that route could be judged, and how often its 95 % interval held the
truth. Then the same on a real target on loopback. docs/gate.md has the table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from bench import gate_on_loopback
from servers.gate_runs import SHAPES, THRESHOLD, Outcomes, judged_from, outcomes

RUNS = 200
SAMPLES = (200, 600, 1_200, 5_000)
HEADS = (
    *("shape of times", "samples", "change", "passed", "inconclusive", "failed", "route judged"),
    *("of those, passed", "of those, failed", "interval, half", "holds the truth"),
)


def main(argv: Sequence[str]) -> int:
    """Prints the tables, in Markdown; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.gate", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"simulated runs of each row (default {RUNS})")
    parser.add_argument("--real-runs", type=int, default=5, help="runs on loopback of each kind (default 5)")
    args = parser.parse_args(argv)
    _table(args.runs)
    print("\n| shape of times | an unchanged route is judged in 90 % of runs from |\n| --- | --- |")
    for shape in SHAPES:
        samples = judged_from(shape, min(args.runs, 100))
        print(f"| {shape} | {'more than 2,000' if samples is None else f'{samples:,}'} samples |", flush=True)
    if args.real_runs:
        print("\n| a real target on loopback | passed | inconclusive | failed |\n| --- | --- | --- | --- |")
        for change in (0.0, 0.5):
            found = gate_on_loopback.verdicts(change, args.real_runs, THRESHOLD)
            print(f"| {change:+.0%} | {_cells(found, args.real_runs)} |", flush=True)
    return 0


def _table(runs: int) -> None:
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    cases = [(shape, samples) for shape in SHAPES for samples in SAMPLES]
    with ProcessPoolExecutor(max_workers=2) as pool:
        waiting = [pool.submit(outcomes, shape, samples, runs) for shape, samples in cases]
        for (shape, samples), found in zip(cases, waiting, strict=True):
            for change, one in found.result().items():
                print(f"| {shape} | {samples:,} | {change:+.0%} | {_row(one)} |", flush=True)


def _row(one: Outcomes) -> str:
    judged = one.judged.total()
    of_judged = [one.judged[name] / judged if judged else None for name in ("passed", "failed")]
    half = statistics.median(one.halves) if one.halves else None
    shares = [judged / one.runs, *of_judged, half, one.covered / len(one.halves) if one.halves else None]
    texts = ["-" if share is None else f"{share * 100:.1f} %" for share in shares]
    return " | ".join([_cells(one.verdicts, one.runs), *texts])


def _cells(verdicts: Counter[str], runs: int) -> str:
    return " | ".join(f"{verdicts[name] / runs * 100:.1f} %" for name in ("passed", "inconclusive", "failed"))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
