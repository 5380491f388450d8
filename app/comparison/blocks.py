"""Blocks: what was counted of a row in each stretch of a span, and how much that varies. Pure.

Requests are not independent: a visit brings several, a slow minute slows all that come in it, a database that
works harder for a while slows everything. Intervals that took each request for a draw of its own would be too
narrow. So the share of requests that are slow, or failed, is counted block by block: how much more it varies
between blocks than such draws would is the design effect (Kish, "Survey Sampling", 1965), and n requests are
worth n / effect independent ones (Rao and Scott, "A simple method for the analysis of clustered binary data",
Biometrics 48, 1992).

It is measured between single blocks, and between several of them taken together (TOGETHER), at every place
where so many lie side by side (overlapping batch means: Meketon and Schmeiser, "Overlapping batch means:
something for nothing?", Winter Simulation Conference 1984), because what swings for minutes hardly differs
from one block to the next. The largest one counts. What swings for longer than a third of a span cannot be
told from a change by anyone who looks at two spans alone: that is what the comparison with yesterday is
for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app import student
from app.binomial import z_of

Buckets = Mapping[int, int]
"""A sketch: bucket -> count, as in app/sketch.py."""

TOGETHER = (1, 3, 5)
"""So many blocks are taken together."""
OVERLAP_FREEDOM = 1.5
"""Overlapping batches tell the variance as well as so many times the batches that do not overlap."""
GROUPS_ALPHA_MIN = 0.0025
"""Groups are few, so at the level of one of hundreds of figures their Student's t would make a third of all
requests, and less, count. The effect between groups is widened as at this level at most. Simulated
(bench/release.py), that finds up to twice as many real changes, and of 100 releases without an effect no more
than 5 are called worse in any kind of traffic."""
FREEDOM_MIN = 3.0
"""Degrees of freedom below which the variation between blocks is not known."""


@dataclass(frozen=True, slots=True)
class Block:
    """What was counted of a row in one stretch of a span."""

    seconds: int
    requests: int = 0
    errors: int = 0
    aborted: int = 0
    service: Buckets = field(default_factory=dict)
    """Times of service, without connections."""


@dataclass(frozen=True, slots=True)
class Hits:
    """In each block of a span: of how many, and how many of these are slow, failed, or the like."""

    counts: Sequence[int]
    hits: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Scale:
    effects: tuple[float, float]
    """Of the span before, and after."""
    freedom: float


@dataclass(frozen=True, slots=True)
class Noise:
    """How much a share varies between the blocks of two spans. `scales`: as TOGETHER."""

    scales: tuple[_Scale, ...]

    @property
    def is_known(self) -> bool:
        """There are enough blocks with requests in them."""
        return self.scales[0].freedom >= FREEDOM_MIN

    def per_independent(self, side: int, alpha: float) -> float:
        """So many requests of a span (0: before, 1: after) are worth one independent one, at the level at
        which `alpha` lies beyond an end. It is 1 or more, and holds that the effect is itself an estimate:
        Student's t in place of the normal distribution."""
        single, *groups = self.scales
        of_groups = max(alpha, GROUPS_ALPHA_MIN)
        return max(
            _widened(single.effects[side], single.freedom, alpha),
            *(
                _widened(scale.effects[side], scale.freedom, of_groups)
                for scale in groups
                if scale.freedom >= FREEDOM_MIN
            ),
            1.0,
        )


def _widened(effect: float, freedom: float, alpha: float) -> float:
    return effect * (student.quantile(alpha, freedom) / z_of(alpha)) ** 2


def noise_of(before: Hits, after: Hits) -> Noise:
    """The noise of a share in two spans."""
    return Noise(tuple(_scale(before, after, length) for length in TOGETHER))


def larger(one: Noise, other: Noise) -> Noise:
    """Of two shares of the same requests, whatever of their noise is larger."""
    pairs = zip(one.scales, other.scales, strict=True)
    return Noise(
        tuple(
            _Scale(
                (max(a.effects[0], b.effects[0]), max(a.effects[1], b.effects[1])), min(a.freedom, b.freedom)
            )
            for a, b in pairs
        )
    )


def _scale(before: Hits, after: Hits, length: int) -> _Scale:
    """In each span the larger of its own effect and of that of both: a slow minute that came in one alone is
    noise of that one, and a quiet span is not quieter than the other by more than chance."""
    squares, expected, freedoms = zip(*(_spread(one, length) for one in (before, after)), strict=True)
    pooled = _effect(sum(squares), sum(expected))
    if length > 1:  # A span has too few groups to tell it by itself.
        return _Scale((pooled, pooled), _rounded_down(sum(freedoms)))
    own = [max(pooled, _effect(*one)) for one in zip(squares, expected, strict=True)]
    return _Scale((own[0], own[1]), _rounded_down(sum(freedoms)))


def _effect(squares: float, expected: float) -> float:
    return max(1.0, squares / expected) if expected > 0 else 1.0


def _spread(found: Hits, length: int) -> tuple[float, float, float]:
    """(Squares of the differences from the span's own share, what independent requests would make of them,
    degrees of freedom), of all groups of so many blocks side by side."""
    total = sum(found.counts)
    if not total or len(found.counts) < length:
        return 0.0, 0.0, 0.0
    share = sum(found.hits) / total
    squares = weights = 0.0
    for start in range(len(found.counts) - length + 1):
        count = sum(found.counts[start : start + length])
        squares += (sum(found.hits[start : start + length]) - count * share) ** 2
        weights += count * (1 - count / total)
    groups = total**2 / sum(count**2 for count in found.counts) / length
    freedom = max(0.0, groups - 1) * (1.0 if length == 1 else OVERLAP_FREEDOM)
    return squares, share * (1 - share) * weights, freedom


def _rounded_down(freedom: float) -> float:
    """To few different values: Student's quantiles take a moment each, and are kept."""
    return float(int(freedom)) if freedom >= 20 else int(freedom * 4) / 4
