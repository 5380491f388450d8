"""Evidence of runs, made up, for the gate's tests."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from app.store.run_figures import RunFigures
from app.store.run_result import Coverage, Fault, Finding, Milliseconds, Pace, RunResult
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.gate.absolute import share_of_requests
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import parse_threshold
from consumers.replay.pairs import Pairs


def pace(
    share: float | None = 1.0,
    fault: Fault = "",
    explanation: str = "",
    late_p99_ms: float | None = 5.0,
) -> Pace:
    late = Milliseconds(1.0, 2.0, late_p99_ms, late_p99_ms)
    return Pace("10x", 10.0, None, None, 100.0, share, 60.0, late, fault, explanation, 4, 16)


def times(
    slower: Mapping[str, float], samples: int | Mapping[str, int], median_ms: float = 100.0, seed: int = 1
) -> Evidence:
    """A run whose routes are so many times slower than before, with log-normal times, sigma 0.5; half of
    the variance is the request's own. All were answered 200."""
    rng = random.Random(seed)
    figures, pairs = RunFigures(), Pairs()
    for route, factor in slower.items():
        for _ in range(samples if isinstance(samples, int) else samples[route]):
            own = rng.lognormvariate(0, 0.354)
            before_ms = round(median_ms * own * rng.lognormvariate(0, 0.354))
            after_ms = median_ms * own * rng.lognormvariate(0, 0.354) * factor
            pairs.add(route, before_ms, after_ms)
            figures.of(route).add("answered", 200, after_ms, 200, before_ms, after_ms)
    return Evidence(figures, pairs, coverage_of(figures), pace())


def constant(before_ms: float, after_ms: float, samples: int, *, has_baseline: bool = False) -> Evidence:
    """A run of one route in which every request took the same time before, and the same after."""
    figures, pairs = RunFigures(), Pairs()
    for _ in range(samples):
        pairs.add("/a", before_ms, after_ms)
        figures.of("/a").add("answered", 200, after_ms, 200, before_ms, after_ms)
    return Evidence(figures, pairs, coverage_of(figures), pace(), has_baseline=has_baseline)


def answers(
    statuses: Mapping[int, int], kinds: Mapping[str, int] | None = None, route: str = "/a"
) -> Evidence:
    """A run of one route: new status (the originals' was 200) -> requests, and kind -> those not answered."""
    figures = RunFigures()
    row = figures.of(route)
    for status, count in statuses.items():
        for _ in range(count):
            row.add("answered", status, 10.0, 200, 10.0, 10.0)
    for kind, count in (kinds or {}).items():
        for _ in range(count):
            row.add(kind, 0, 10.0, 200, 10.0)
    return Evidence(figures, Pairs(), coverage_of(figures), pace())


def coverage(
    asked: int, sent: int, answered: int | None = None, left_out: Mapping[str, int] | None = None
) -> Coverage:
    return Coverage(asked, asked, sent, sent if answered is None else answered, left_out or {}, {}, {})


def verdict_of(
    evidence: Evidence, *texts: str, is_strict: bool = False, allow_slower: bool = False
) -> RunResult:
    thresholds = [parse_threshold(text) for text in texts]
    return judge(evidence, thresholds, is_strict=is_strict, allow_slower=allow_slower)


def finding(findings: Sequence[Finding], route: str = "", what: str = "p") -> Finding:
    """The only one on a route whose threshold begins so."""
    (found,) = [one for one in findings if one.route == route and one.threshold.startswith(what)]
    return found


def share_of(what: str, figures: RunFigures) -> float | None:
    """What the gate takes as the share of `errors` or `status-changed` of all requests; None for none."""
    return share_of_requests(parse_threshold(f"{what}>0%"), "", figures.total()).estimate
