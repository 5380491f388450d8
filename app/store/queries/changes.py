"""Figures of a span beside those of an earlier one, and whether a difference is shown or only noise. Pure.

A table has hundreds of cells, so a change is shown only where 99 of 100 spans of the same traffic would show
none:

- a share, by Newcombe's interval for the difference of two shares, from Wilson's for each (R. Newcombe,
  "Interval estimation for the difference between independent proportions", Statistics in Medicine 17, 1998);
- a percentile, by the same rule from order statistics, which hold for every distribution (app/binomial.py).
  What the sketch and the router round to has to be exceeded beside: 1 % and half a millisecond, of each;
- a rate, by the score test for two Poisson counts, whose variance is scaled up to that of the traffic itself:
  requests come in bursts. It is measured between steps, and between groups of them, because bursts outlast a
  step; and where the steps of both spans are those of the same times of day, of the differences of these, so
  that what repeats itself is no noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.binomial import lower_rank, upper_rank, wilson, z_of
from app.sketch import RELATIVE_ERROR, at_ranks
from app.store.queries.figures import rounded
from app.store.queries.spans import Bin
from app.store.schema import Buckets
from app.store.sums import Sums

Earlier = Literal["hour", "day", "week"]
"""The hour before; the same time yesterday; the same time a week ago."""

OFFSETS_S: dict[Earlier, int] = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

BEYOND = 0.005
"""What lies beyond one end of an interval: a change is shown in vain once in a hundred times."""
EXACT_VARIANCE_MAX = 25.0
"""With more, ranks are known by the normal approximation to a rank or so."""
ROUTER_ROUNDING_MS = 0.5
FREEDOM_MIN = 3
"""Fewer steps do not tell how much traffic varies, so that no change of the rate is shown."""
STEPS_A_GROUP, GROUP_S = 3, 60
"""So many steps, or seconds, at least: what belongs together, such as a visit, mostly takes less."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure before and after."""

    before: float | None
    after: float | None
    change: float | None
    """(after - before) / before; None where there is nothing to divide by."""
    is_shown: bool
    """Whether the counts are large enough to say that it changed: its 99 % interval does not hold 0."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a span is compared with; times in Unix seconds. It may be longer than the span, where only whole
    minutes or hours are kept, and begins later where nothing was counted or is kept of its beginning."""

    earlier: Earlier
    from_s: int
    to_s: int


CHANGED = ("rate", "error_rate", *PERCENTILES)
"""The figures that are compared; percentiles are those of service time."""

Changes = dict[str, FigureChange]
"""Name in CHANGED -> its change."""


Interval = tuple[float | None, float, float | None]
"""(low, estimate, high); an end that so few samples do not tell is None."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in a span: its sums, and the requests of each whole step."""

    sums: Sums
    steps: Sequence[Bin]
    requests: Sequence[int]
    """In each of the steps."""
    seconds: int
    """How long was counted within the steps."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return sum(self.requests) / max(1, self.seconds)


def changes(before: Counted, after: Counted, offset_s: int) -> Changes:
    """The change of each figure. `offset_s`: by how much the spans lie apart."""
    return {
        "rate": _rate_change(before, after, offset_s),
        "error_rate": _share_change(before.sums, after.sums),
        **_percentile_changes(before.sums.service, after.sums.service),
    }


def _change(before: float | None, after: float | None, *, is_shown: bool) -> FigureChange:
    ratio = rounded(after / before - 1) if before and after is not None else None
    return FigureChange(
        None if before is None else rounded(before),
        None if after is None else rounded(after),
        ratio,
        is_shown,
    )


# --- shares ----------------------------------------------------------------------------------


def _share_change(before: Sums, after: Sums) -> FigureChange:
    shares = [sums.errors / sums.requests if sums.requests else None for sums in (before, after)]
    is_shown = bool(before.requests and after.requests) and share_differs(
        before.errors, before.requests, after.errors, after.requests
    )
    return _change(*shares, is_shown=is_shown)


def share_differs(hits_before: int, before: int, hits_after: int, after: int) -> bool:
    """Whether two shares are surely not the same. Of a handful of requests Newcombe's interval is too narrow,
    so the pooled score test, corrected for whole numbers, must say so too."""
    z = z_of(BEYOND)
    low_before, high_before = wilson(hits_before, before, z)
    low_after, high_after = wilson(hits_after, after, z)
    share_before, share_after = hits_before / before, hits_after / after
    pooled = (hits_before + hits_after) / (before + after)
    distance = abs(share_after - share_before) - (1 / before + 1 / after) / 2
    return distance > z * math.sqrt(pooled * (1 - pooled) * (1 / before + 1 / after)) and _apart(
        (low_before, share_before, high_before), (low_after, share_after, high_after), resolution=0.0
    )


def _apart(before: Interval, after: Interval, resolution: float) -> bool:
    """Whether the interval of the difference does not hold 0, by Newcombe's rule from the intervals of both.
    `resolution`: what the difference has to exceed beside."""
    smaller, larger = (before, after) if before[1] <= after[1] else (after, before)
    low, high = larger[0], smaller[2]
    if low is None or high is None:
        return False
    return larger[1] - smaller[1] - resolution > math.hypot(larger[1] - low, high - smaller[1])


# --- percentiles -----------------------------------------------------------------------------


def _percentile_changes(before: Buckets, after: Buckets) -> Changes:
    intervals_before, intervals_after = intervals(before), intervals(after)
    return {
        name: _percentile_change(intervals_before.get(name), intervals_after.get(name))
        for name in PERCENTILES
    }


def _percentile_change(before: Interval | None, after: Interval | None) -> FigureChange:
    if before is None or after is None:
        return _change(before and before[1], after and after[1], is_shown=False)
    resolution = sum(ROUTER_ROUNDING_MS + RELATIVE_ERROR * found[1] for found in (before, after))
    return _change(before[1], after[1], is_shown=_apart(before, after, resolution))


def intervals(buckets: Buckets) -> dict[str, Interval]:
    """The interval of each of PERCENTILES, in ms; empty if nothing was measured."""
    samples = sum(buckets.values())
    if samples <= 0:
        return {}
    wanted = {}
    for name, share in PERCENTILES.items():
        low, high = ranks(samples, share)
        wanted[name] = (low - 1 if low else None, int(share * (samples - 1)), high - 1 if high else None)
    ascending = sorted({rank for some in wanted.values() for rank in some if rank is not None})
    values = dict(zip(ascending, at_ranks(buckets, ascending), strict=True))
    return {
        name: (
            None if low is None else values[low],
            values[estimate],
            None if high is None else values[high],
        )
        for name, (low, estimate, high) in wanted.items()
    }


def ranks(samples: int, share: float) -> tuple[int, int | None]:
    """The ranks (1, 2, ...) of the order statistics that bound a percentile; 0 and None: too few samples."""
    variance = samples * share * (1 - share)
    if variance <= EXACT_VARIANCE_MAX:
        return lower_rank(samples, share, BEYOND), upper_rank(samples, share, BEYOND)
    half = z_of(BEYOND) * math.sqrt(variance)
    return math.floor(samples * share - half), math.ceil(samples * share + half) + 1


# --- rates -----------------------------------------------------------------------------------


def _rate_change(before: Counted, after: Counted, offset_s: int) -> FigureChange:
    return _change(before.rate, after.rate, is_shown=rate_differs(before, after, offset_s))


def rate_differs(before: Counted, after: Counted, offset_s: int) -> bool:
    """Whether two rates are surely not the same."""
    requests = sum(before.requests) + sum(after.requests)
    if not requests:
        return False
    weight = after.seconds / max(1, before.seconds + after.seconds)
    # Half a request: counts are whole numbers.
    distance = abs(sum(after.requests) - requests * weight) - 0.5
    poisson = math.sqrt(requests * weight * (1 - weight))
    step_s = max(step.seconds for step in after.steps)
    for group_s in (step_s, max(STEPS_A_GROUP * step_s, GROUP_S)):
        dispersion, freedom = _dispersion(before, after, offset_s, group_s)
        if freedom < FREEDOM_MIN:
            return False
        if distance <= _student(freedom) * poisson * math.sqrt(max(1.0, dispersion)):
            return False
    return True


def _dispersion(before: Counted, after: Counted, offset_s: int, group_s: int) -> tuple[float, int]:
    """How much more the counts vary than those of single, independent requests would, and the degrees of
    freedom of that. `group_s`: steps of so many seconds are taken together."""
    earlier = {
        (step.start_s + offset_s, step.end_s + offset_s): count
        for step, count in zip(before.steps, before.requests, strict=True)
    }
    pairs = [
        (step.seconds, earlier[step.start_s, step.end_s], count)
        for step, count in zip(after.steps, after.requests, strict=True)
        if (step.start_s, step.end_s) in earlier
    ]
    if 2 * len(pairs) > len(after.steps):
        groups = _grouped(pairs, group_s)
        seconds = sum(length_s for length_s, _, _ in groups)
        shift = sum(count - other for _, other, count in groups) / seconds
        requests = sum(count + other for _, other, count in groups)
        squares = sum((count - other - shift * length_s) ** 2 / length_s for length_s, other, count in groups)
        freedom = len(groups) - 1
        return (squares * seconds / (requests * freedom) if requests and freedom else 0.0), freedom
    squares, freedom = 0.0, 0
    for counted in (before, after):
        groups = _grouped(
            [(step.seconds, 0, count) for step, count in zip(counted.steps, counted.requests, strict=True)],
            group_s,
        )
        rate = sum(count for _, _, count in groups) / sum(length_s for length_s, _, _ in groups)
        if rate:
            squares += sum(
                (count - rate * length_s) ** 2 / (rate * length_s) for length_s, _, count in groups
            )
            freedom += len(groups) - 1
    return (squares / freedom if freedom else 0.0), freedom


def _grouped(steps: Sequence[tuple[int, int, int]], group_s: int) -> list[tuple[int, int, int]]:
    """Steps, (seconds, count, count): as many taken together as last so long, the rest with the last ones."""
    groups: list[tuple[int, int, int]] = []
    for step in steps:
        if groups and groups[-1][0] < group_s:
            groups[-1] = _added(groups[-1], step)
        else:
            groups.append(step)
    if len(groups) > 1 and groups[-1][0] < group_s:
        rest = groups.pop()
        groups[-1] = _added(groups[-1], rest)
    return groups


def _added(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _student(freedom: int) -> float:
    """The quantile of Student's t beyond which BEYOND lies (Abramowitz and Stegun, 26.7.5)."""
    z = z_of(BEYOND)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
