"""Measures response times, and shares of requests, which are compared with their limit alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from app.binomial import SURE, lower_rank, upper_rank, upper_tail, wilson
from app.sketch import RELATIVE_ERROR, at_rank, percentile
from app.store.queries.replays import changed_statuses
from app.store.run_figures import RouteFigures
from consumers.replay.gate.measure import JUDGED_SHARE, Measure, unknown
from consumers.replay.gate.thresholds import Threshold


def absolute_time(threshold: Threshold, share: float, route: str, figures: RouteFigures) -> Measure:
    """A percentile of the response times; of the service times in a run of an earlier version. The interval
    is that of order statistics, widened by the error of the sketch."""
    times: Mapping[int, int] = figures.response or figures.replayed
    samples = sum(times.values())
    if not samples:
        return unknown(threshold, route)
    limit = threshold.value

    def low_of(alpha: float) -> float:
        rank = lower_rank(samples, share, alpha)
        return at_rank(times, rank - 1) * (1 - RELATIVE_ERROR) if rank else 0.0

    estimate = percentile(times, share)
    low, highest = low_of(SURE), upper_rank(samples, share, SURE)
    high = None if highest is None else at_rank(times, highest - 1) * (1 + RELATIVE_ERROR)
    half = math.inf if high is None else (high - low) / 2
    half_max, distance = JUDGED_SHARE * limit, abs(estimate - limit)
    return Measure(
        threshold=threshold,
        route=route,
        unit="ms",
        before=None,
        after=estimate,
        estimate=estimate,
        low=low,
        high=high,
        samples=samples,
        is_judged=half <= half_max,
        exceeds=low > limit,
        is_shown=lambda alpha: low_of(alpha) > limit,
        # Without an upper end: as many as it takes for the largest to be one.
        samples_judged=math.log(SURE) / math.log(share) if high is None else samples * (half / half_max) ** 2,
        samples_decided=samples * (half / distance) ** 2 if high is not None and distance else None,
    )


def share_of_requests(threshold: Threshold, route: str, figures: RouteFigures) -> Measure:
    """A share of bad ones, with Wilson's interval."""
    hits, samples = _BAD[threshold.what](figures)
    if not samples:
        return unknown(threshold, route)
    limit, estimate = threshold.value, hits / samples
    low, high = wilson(hits, samples)
    half, half_max, distance = (high - low) / 2, JUDGED_SHARE * limit, abs(estimate - limit)
    return Measure(
        threshold=threshold,
        route=route,
        unit="share",
        before=None,
        after=estimate,
        estimate=estimate,
        low=low,
        high=high,
        samples=samples,
        # With a limit of 0 there is no noise to tell it from: a single one is too much.
        is_judged=half <= half_max or not limit,
        exceeds=low > limit,
        is_shown=lambda alpha: upper_tail(hits, samples, limit) <= alpha,
        samples_judged=_samples_of_share(hits, samples, half_max) if limit else None,
        samples_decided=samples * (half / distance) ** 2 if distance else None,
    )


def _samples_of_share(hits: int, samples: int, half_max: float) -> float:
    """So many that half of Wilson's interval is `half_max`, if the share stays."""
    low, high = samples, samples
    while _half(hits * high / samples, high) > half_max:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _half(hits * middle / samples, middle) > half_max else (low, middle)
    return high


def _half(hits: float, samples: int) -> float:
    low, high = wilson(round(hits), samples)
    return (high - low) / 2


def _changed(figures: RouteFigures) -> tuple[int, int]:
    """(requests with another status than the original, requests that both answered)."""
    known = sum(count for (before, _), count in figures.statuses.items() if before)
    return sum(changed_statuses(figures).values()), known


def _errors(figures: RouteFigures) -> tuple[int, int]:
    """(requests without an answer or with a new 5xx, requests sent)."""
    return figures.errors, figures.sent


def _bodies(figures: RouteFigures) -> tuple[int, int]:
    """(requests whose answers differ beyond the baseline's own noise, requests whose were compared)."""
    return figures.bodies.changed, figures.bodies.compared


_BAD: Mapping[str, Callable[[RouteFigures], tuple[int, int]]] = {
    "status-changed": _changed,
    "errors": _errors,
    "body-changed": _bodies,
}
