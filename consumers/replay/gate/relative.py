"""Measures relative thresholds: service times against those of the original or the baseline. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from app.binomial import SURE
from consumers.replay.gate.measure import JUDGED_SHARE, Measure, unknown
from consumers.replay.gate.quantiles import FREEDOM_MIN, Change, change_of, quantile_of
from consumers.replay.gate.thresholds import Threshold
from consumers.replay.pairs import PairSample

ORIGINAL_RESOLUTION_MS = 1.0
"""Routers log whole milliseconds."""


class RelativeTimes:
    """Measures the relative thresholds of one route: sorts its times once."""

    def __init__(self, route: str, sample: PairSample, *, has_baseline: bool) -> None:
        self._route = route
        self._sample = sample
        self._resolution_ms = 0.0 if has_baseline else ORIGINAL_RESOLUTION_MS
        self._before_ms = sorted(sample.before_ms)
        self._after_ms = sorted(sample.after_ms)
        self._known: dict[float, Change] = {}

    def measure(self, threshold: Threshold, share: float) -> Measure:
        """`share`: of the percentile."""
        samples = len(self._before_ms)
        if samples < 2:
            return unknown(threshold, self._route, samples)
        change = self._known.get(share)
        if change is None:
            change = self._known[share] = self._change(share)
        return (_ratio if threshold.unit == "%" else _difference)(
            threshold, self._route, change, self._sample.size_max
        )

    def _change(self, share: float) -> Change:
        before = quantile_of(self._before_ms, share, self._resolution_ms)
        after = quantile_of(self._after_ms, share)
        return change_of(self._sample.before_ms, self._sample.after_ms, before, after, self._resolution_ms)


def _slower(change: Change) -> Callable[[float], bool]:
    """Shown twice: by the jackknife, and by single order statistics, which hold for every distribution."""

    def is_shown(alpha: float) -> bool:
        return change.log_interval(alpha)[0] > 0 and change.certain_log_low(alpha) > 0

    return is_shown


def _ratio(threshold: Threshold, route: str, change: Change, samples_max: int) -> Measure:
    """after / before - 1."""
    before, after, samples = change.before.ms, change.after.ms, change.before.samples
    if before <= change.resolution_ms / 2:  # It took less than a millisecond, so any ratio is possible.
        return unknown(threshold, route, samples, before=before, after=after)
    estimate = math.expm1(change.log_ratio)
    if change.freedom < FREEDOM_MIN:
        return unknown(threshold, route, samples, before=before, after=after, estimate=estimate)
    low, high = change.log_interval(SURE)
    limit = math.log1p(threshold.value)
    # As wide as it would be on a route that is as slow as before: being slower must not be a way out.
    half = math.hypot(change.log_half(SURE), max(change.rounding()))
    half_max = math.asinh(JUDGED_SHARE * threshold.value)
    return Measure(
        threshold=threshold,
        route=route,
        unit="share",
        before=before,
        after=after,
        estimate=estimate,
        low=math.expm1(low),
        high=math.expm1(high) if math.isfinite(high) else None,
        samples=samples,
        is_judged=half <= half_max,
        exceeds=low > limit,
        is_shown=_slower(change),
        samples_judged=_samples_for(change, half_max),
        samples_decided=_samples_for(change, abs(change.log_ratio - limit)),
        samples_max=samples_max,
    )


def _samples_for(change: Change, log_half: float) -> float | None:
    """So many that half of the interval is `log_half`; None where the rounding alone makes it wider."""
    left = log_half**2 - max(change.rounding()) ** 2
    return change.before.samples * change.log_half(SURE) ** 2 / left if left > 0 else None


def _difference(threshold: Threshold, route: str, change: Change, samples_max: int) -> Measure:
    """after - before, ms."""
    samples, estimate = change.before.samples, change.after.ms - change.before.ms
    if change.freedom < FREEDOM_MIN:
        return unknown(
            threshold, route, samples, before=change.before.ms, after=change.after.ms, estimate=estimate
        )
    low, high = change.ms_interval(SURE)
    unchanged_low, unchanged_high = change.ms_interval(SURE, ratio_max=1.0)
    half, half_max = (unchanged_high - unchanged_low) / 2, JUDGED_SHARE * threshold.value
    distance = abs(estimate - threshold.value)
    return Measure(
        threshold=threshold,
        route=route,
        unit="ms",
        before=change.before.ms,
        after=change.after.ms,
        estimate=estimate,
        low=low,
        high=high,
        samples=samples,
        is_judged=half <= half_max,
        exceeds=low > threshold.value,
        is_shown=_slower(change),
        samples_judged=samples * (half / half_max) ** 2,
        samples_decided=samples * ((high - low) / 2 / distance) ** 2 if distance else None,
        samples_max=samples_max,
    )
