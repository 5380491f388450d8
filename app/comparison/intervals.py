"""The change of one figure between two spans, and the interval of it. Pure.

The ends of a percentile are order statistics (app/binomial.py), which hold for every distribution; those of
a share are Wilson's. Both are of as many independent requests as those of the span are worth (blocks.py).
The intervals of two spans give that of the change by Zou and Donner's rule ("Construction of confidence
limits about effect measures", Statistics in Medicine 27, 2008), which for shares is Newcombe's; that of
percentiles on the scale of logarithms.

What the sketch and the router round to widens a percentile's interval in full: 1 % and half a millisecond, of
each span. So a route of 2 ms has to become one of 3 ms and more, however many requests there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app import student
from app.binomial import lower_rank, upper_rank, wilson, z_of
from app.comparison.blocks import Block, Buckets, Hits, Noise, larger, noise_of
from app.sketch import RELATIVE_ERROR, at_ranks, merged

ROUTER_ROUNDING_MS = 0.5
SMALLEST_MS = ROUTER_ROUNDING_MS
"""What the router logs as 0 ms took up to so long."""
TIES_MAX = 0.3
"""Requests that took as long as a percentile are few if they are at most such a part of those that took so
long or longer."""
EXACT_VARIANCE_MAX = 400.0
"""With more, ranks are known by the normal approximation to a rank or so."""

Interval = tuple[float | None, float, float | None]
"""(low, estimate, high); an end that so few requests do not tell is None."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after, and the interval of its change; `direction`: 1 where it is surely larger
    after, -1 where it is surely smaller, 0 where neither is shown."""

    before: float | None
    after: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    direction: int = 0
    has_ends: bool = False
    """Whether there are enough requests to tell a change to either side."""
    after_low: float | None = None
    after_high: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """The service times of a row in a span."""

    blocks: Sequence[Buckets]
    total: Buckets
    samples: int

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Times:
        total = merged(block.service for block in blocks)
        return cls([block.service for block in blocks], total, sum(total.values()))


# --- percentiles -----------------------------------------------------------------------------


def percentile_change(before: Times, after: Times, share: float, alpha: float) -> Change:
    """Of a percentile, as a share of that before. `alpha`: what lies beyond each end of the interval."""
    if not before.samples or not after.samples:
        return Change(_percentile_ms(before, share), _percentile_ms(after, share))
    noise = _noise(before, after, share)
    intervals = [
        _percentile_interval(times, share, noise, side, alpha) for side, times in enumerate((before, after))
    ]
    (before_low, before_ms, before_high), (after_low, after_ms, after_high) = intervals
    (before_down, before_up), (after_down, after_up) = (_log_resolution(before_ms), _log_resolution(after_ms))
    ratio = _log(after_ms) - _log(before_ms)
    low = high = None
    if after_low is not None and before_high is not None:
        low = (
            ratio
            - before_up
            - after_down
            - math.hypot(ratio_of(after_ms, after_low), ratio_of(before_high, before_ms))
        )
    if after_high is not None and before_low is not None:
        high = (
            ratio
            + before_down
            + after_up
            + math.hypot(ratio_of(after_high, after_ms), ratio_of(before_ms, before_low))
        )
    direction = 1 if low is not None and low > 0 else -1 if high is not None and high < 0 else 0
    has_change = before_ms > 0
    return Change(
        before_ms,
        after_ms,
        after_ms / before_ms - 1 if has_change else None,
        None if low is None or not has_change else math.expm1(low),
        None if high is None or not has_change else math.expm1(high),
        direction,
        low is not None and high is not None,
        None if after_low is None else max(0.0, after_low * (1 - RELATIVE_ERROR) - ROUTER_ROUNDING_MS),
        None if after_high is None else after_high * (1 + RELATIVE_ERROR) + ROUTER_ROUNDING_MS,
    )


def ratio_of(larger_ms: float, smaller_ms: float) -> float:
    """As a logarithm, never below 0: an end may lie in the estimate's own bucket."""
    return max(0.0, _log(larger_ms) - _log(smaller_ms))


def _log(time_ms: float) -> float:
    return math.log(max(time_ms, SMALLEST_MS))


def _log_resolution(time_ms: float) -> tuple[float, float]:
    """By how much its logarithm may be too large, and too small, however many requests there are."""
    known_ms = max(time_ms, SMALLEST_MS)
    off_ms = RELATIVE_ERROR * known_ms + ROUTER_ROUNDING_MS
    return _log(known_ms) - _log(known_ms - off_ms), math.log1p(off_ms / known_ms)


def _percentile_ms(times: Times, share: float) -> float | None:
    return at_ranks(times.total, [int(share * (times.samples - 1))])[0] if times.samples else None


def _percentile_interval(times: Times, share: float, noise: Noise, side: int, alpha: float) -> Interval:
    independent = int(times.samples / noise.per_independent(side, alpha)) if noise.is_known else 0
    low, high = ranks(independent, share, alpha)
    step = times.samples / max(1, independent)
    wanted = [
        None if not low else max(0, math.floor((low - 0.5) * step - 0.5)),
        int(share * (times.samples - 1)),
        None if high is None else min(times.samples - 1, math.ceil((high - 0.5) * step - 0.5)),
    ]
    ascending = sorted({rank for rank in wanted if rank is not None})
    values = dict(zip(ascending, at_ranks(times.total, ascending), strict=True))
    at_low, at_estimate, at_high = (None if rank is None else values[rank] for rank in wanted)
    assert at_estimate is not None
    return at_low, at_estimate, at_high


def ranks(samples: int, share: float, alpha: float) -> tuple[int, int | None]:
    """The ranks (1, 2, ...) of the order statistics that bound a percentile; 0 and None: too few samples."""
    variance = samples * share * (1 - share)
    if variance <= EXACT_VARIANCE_MAX:
        return lower_rank(samples, share, alpha), upper_rank(samples, share, alpha)
    half = z_of(alpha) * math.sqrt(variance)
    return math.floor(samples * share - half), math.ceil(samples * share + half) + 1


def _noise(before: Times, after: Times, share: float) -> Noise:
    """Of the share of requests slower than the percentile of their span. Where many took just as long, they
    count as slower, and then as not: the percentile moves with both."""
    (before_with, before_without), (after_with, after_without) = (
        _slow(times, share) for times in (before, after)
    )
    noise = noise_of(before_with, after_with)
    if before_with.hits == before_without.hits and after_with.hits == after_without.hits:
        return noise
    return larger(noise, noise_of(before_without, after_without))


def _slow(times: Times, share: float) -> tuple[Hits, Hits]:
    """In each block the requests that took as long as the percentile of the whole span, or longer; and those
    that took longer. The same ones twice where few took just as long."""
    left = int(share * (times.samples - 1))
    edge = 0
    for edge in sorted(times.total):
        left -= times.total[edge]
        if left < 0:
            break
    counts = [sum(block.values()) for block in times.blocks]
    with_edge = [sum(count for index, count in block.items() if index >= edge) for block in times.blocks]
    if times.total[edge] <= TIES_MAX * sum(with_edge):
        return (Hits(counts, with_edge),) * 2
    without = [all_of - block.get(edge, 0) for all_of, block in zip(with_edge, times.blocks, strict=True)]
    return Hits(counts, with_edge), Hits(counts, without)


# --- shares ----------------------------------------------------------------------------------


def share_change(before: Hits, after: Hits, alpha: float) -> Change:
    """Of a share: after minus before."""
    shares = [_share(found) for found in (before, after)]
    noise = noise_of(before, after)
    before_share, after_share = shares
    if before_share is None or after_share is None or not noise.is_known:
        return Change(before_share, after_share)
    z = z_of(alpha)
    (before_low, before_high), (after_low, after_high) = (
        _wilson(found, share, noise.per_independent(side, alpha), z)
        for side, (found, share) in enumerate(((before, before_share), (after, after_share)))
    )
    change = after_share - before_share
    low = change - math.hypot(after_share - after_low, before_high - before_share)
    high = change + math.hypot(after_high - after_share, before_share - before_low)
    return Change(
        before_share,
        after_share,
        change,
        max(-1.0, low),
        min(1.0, high),
        1 if low > 0 else -1 if high < 0 else 0,
        True,
        after_low,
        after_high,
    )


def _share(found: Hits) -> float | None:
    total = sum(found.counts)
    return sum(found.hits) / total if total else None


def _wilson(found: Hits, share: float, per_independent: float, z: float) -> tuple[float, float]:
    independent = sum(found.counts) / per_independent
    return wilson(share * independent, independent, z)


# --- rates -----------------------------------------------------------------------------------


def rate_change(before: Sequence[Block], after: Sequence[Block], alpha: float) -> Change:
    """Of requests a second, as a share of those before."""
    rates, variances, freedom = [], [], 0.0
    for blocks in (before, after):
        seconds, requests = sum(block.seconds for block in blocks), sum(block.requests for block in blocks)
        rate = requests / seconds if seconds else 0.0
        rates.append(rate)
        squares = sum(
            (block.requests - rate * block.seconds) ** 2 / (rate * block.seconds)
            for block in blocks
            if rate and block.seconds
        )
        freedom += max(0, len(blocks) - 1)
        variances.append(max(1.0, squares / max(1, len(blocks) - 1)) / requests if requests else math.inf)
    if not all(rates) or freedom < 1:
        return Change(rates[0], rates[1], rates[1] / rates[0] - 1 if rates[0] else None)
    ratio = math.log(rates[1] / rates[0])
    half = student.quantile(alpha, freedom) * math.sqrt(sum(variances))
    return Change(
        rates[0],
        rates[1],
        math.expm1(ratio),
        math.expm1(ratio - half),
        math.expm1(min(50.0, ratio + half)),
        1 if ratio > half else -1 if ratio < -half else 0,
        True,
    )
