"""From what was measured to findings: what is crossed, met, undecided or not judged. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from app.binomial import SURE, holm
from app.store.run_result import Finding, FindingState
from consumers.replay.gate.measure import Measure
from consumers.replay.gate.thresholds import SENT

MET_SHARE = 0.7
"""Where a judged interval contains the limit, the threshold is met all the same if the estimate is at most
so much of it. Half of such an interval is at most 0.6 of the limit. So a change of 1.5 limits passes in less
than 2 % of runs, and an unchanged route is held up in about 1 %: bench/gate.py measures both."""
FACTOR_MAX = 100
"""No number of missing samples is given where it would take more than so many times those there are: an
interval gets narrower with their square root only as long as it is the same place of the distribution."""
_ORDER: dict[FindingState, int] = {"crossed": 0, "inconclusive": 1, "not-judged": 2, "met": 3}


def findings_of(measures: Sequence[Measure], *, is_own_fault: bool) -> list[Finding]:
    """The gravest first. `is_own_fault`: the pace was missed, and not because of the target. Then response
    times and lateness beyond their limits say nothing about it."""
    by_threshold: dict[str, list[Measure]] = {}
    for one in measures:
        by_threshold.setdefault(one.threshold.text, []).append(one)
    found = []
    for group in by_threshold.values():
        shown, typical = _shown(group), _typical_need(group)
        for number, one in enumerate(group):
            state = _state(one, is_shown=number in shown, is_own_fault=is_own_fault)
            found.append(_finding(one, state, typical))
    return sorted(found, key=_gravity)


def _shown(group: Sequence[Measure]) -> set[int]:
    """Which measures of one threshold show what they must show to be crossed, corrected for their number.
    Those without an interval are not tested: how many samples there are does not depend on chance."""
    tested = [number for number, one in enumerate(group) if one.low is not None or one.is_judged]
    return {tested[index] for index in holm([group[number].is_shown for number in tested], SURE)}


def _typical_need(group: Sequence[Measure]) -> float | None:
    """About how many samples a route takes, by the others of the run; None if none of them tells."""
    needs = [one.samples_judged for one in group if one.samples_judged is not None]
    return statistics.median(needs) if needs else None


def _state(one: Measure, *, is_shown: bool, is_own_fault: bool) -> FindingState:
    if one.exceeds and is_shown:
        is_absolute_time = one.unit == "ms" and not one.threshold.is_relative
        is_unsure = one.threshold is SENT or (is_own_fault and is_absolute_time)
        return "inconclusive" if is_unsure else "crossed"
    if not one.is_judged or one.estimate is None:
        return "not-judged"
    if one.threshold.what == "sent":
        return "met"
    limit = one.threshold.value
    is_below = one.high is not None and one.high <= limit
    is_far_below = one.estimate <= MET_SHARE * limit
    has_interval = one.high is not None
    return "met" if is_below or is_far_below or not has_interval else "inconclusive"


def _finding(one: Measure, state: FindingState, typical_need: float | None) -> Finding:
    return Finding(
        threshold=one.threshold.text,
        route=one.route,
        state=state,
        unit=one.unit,
        before=one.before,
        after=one.after,
        estimate=one.estimate,
        low=one.low,
        high=one.high,
        limit=one.threshold.value,
        samples=one.samples,
        samples_missing=_missing(one, state, typical_need),
    )


def _missing(one: Measure, state: FindingState, typical_need: float | None) -> int | None:
    if state in ("crossed", "met"):
        return None
    most: float = one.samples * FACTOR_MAX
    if state == "inconclusive":
        need = one.samples_decided
    elif one.low is not None:
        need = one.samples_judged
    else:
        need, most = typical_need, math.inf
    if need is None or need > min(most, one.samples_max):
        return None
    missing = math.ceil(need) - one.samples
    return missing if missing > 0 else None


def _gravity(one: Finding) -> tuple[int, bool, float, str, str]:
    """By state; all requests together first; then the furthest beyond its limit, or the most frequent."""
    is_grave = one.state in ("crossed", "inconclusive")
    beyond = (one.estimate or 0.0) / one.limit if one.limit else math.inf
    return (
        _ORDER[one.state],
        bool(one.route),
        -beyond if is_grave else -one.samples,
        one.threshold,
        one.route,
    )
