"""Compares rows in two spans, figure by figure, and says which are better or worse. Pure.

Many figures are compared at once, and one of hundreds is always far off by chance. So each interval is
Bonferroni's: all of them together hold the truth in 95 of 100 comparisons. (Holm's procedure would find
hardly more, and its words could contradict the intervals that are shown.) Worse is one side of these: by
chance alone, 2 or 3 of 100 releases have a figure that is called worse, if nothing else differs between the
spans.

Which figures are compared follows from the numbers of requests alone, never from what they show. Those with
too few are not compared, and do not make the intervals of the others wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.comparison.blocks import Block, Hits
from app.comparison.intervals import Change, Times, percentile_change, rate_change, share_change
from app.comparison.result import FigureComparison, FigureName, RouteComparison, Word

LEVEL = 0.05
"""In so many of all comparisons at most an interval does not hold the truth."""

PERCENTILES: dict[FigureName, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SLOWER_MIN = 10
"""A percentile is compared where about so many requests, or more, lie on its rarer side in each span: 20
requests for p50, 200 for p95, 1,000 for p99."""
REQUESTS_MIN = 100
"""A share is compared where each span has so many requests,"""
HITS_MIN = 5
"""and so many of both are such: of fewer, no number could be shown to be too many (Tarone, "A modified
Bonferroni method for discrete data", Biometrics 46, 1990)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A route, or with an empty name all of them, in both spans."""

    route: str
    digest: str
    before: Sequence[Block]
    after: Sequence[Block]


def compared(rows: Sequence[Row]) -> list[RouteComparison]:
    """The rows, in the same order."""
    found = [_Counted.of(row) for row in rows]
    tests = sum(len(one.tested) for one in found)
    alpha = LEVEL / 2 / max(1, tests)
    return [_row(one, alpha) for one in found]


@dataclass(frozen=True, slots=True)
class _Counted:
    """A row, and which of its figures are compared."""

    row: Row
    times: tuple[Times, Times]
    shares: dict[FigureName, tuple[Hits, Hits]]
    tested: frozenset[FigureName]

    @classmethod
    def of(cls, row: Row) -> _Counted:
        times = Times.of(row.before), Times.of(row.after)
        samples = min(one.samples for one in times)
        shares: dict[FigureName, tuple[Hits, Hits]] = {
            "errors": (
                _hits(row.before, [block.errors for block in row.before]),
                _hits(row.after, [block.errors for block in row.after]),
            ),
            "aborted": (
                _hits(row.before, [block.aborted for block in row.before]),
                _hits(row.after, [block.aborted for block in row.after]),
            ),
        }
        tested = {name for name, share in PERCENTILES.items() if samples * (1 - share) >= SLOWER_MIN - 1e-9}
        requests = min(_requests(row.before), _requests(row.after))
        tested |= {
            name
            for name, sides in shares.items()
            if requests >= REQUESTS_MIN and sum(sum(side.hits) for side in sides) >= HITS_MIN
        }
        return cls(row, times, shares, frozenset(tested))


def _hits(blocks: Sequence[Block], hits: Sequence[int]) -> Hits:
    return Hits([block.requests for block in blocks], hits)


def _requests(blocks: Sequence[Block]) -> int:
    return sum(block.requests for block in blocks)


def _row(found: _Counted, alpha: float) -> RouteComparison:
    row = found.row
    requests = _requests(row.before), _requests(row.after)
    figures = [_figure("requests", rate_change(row.before, row.after, alpha), None)]
    for name, (before, after) in found.shares.items():
        change = share_change(before, after, alpha)
        has_enough = min(requests) >= REQUESTS_MIN
        figures.append(_figure(name, change, _word(change, name in found.tested, has_enough)))
    for name, share in PERCENTILES.items():
        change = percentile_change(*found.times, share, alpha)
        is_tested = name in found.tested
        figures.append(_figure(name, change, _word(change, is_tested, is_tested)))
    return RouteComparison(row.route, row.digest, *requests, _whole([one.word for one in figures]), figures)


def _word(change: Change, is_tested: bool, has_enough: bool) -> Word:
    """Of a figure of which less is better, as of all but requests."""
    if is_tested and change.direction:
        return "worse" if change.direction > 0 else "better"
    return "no difference shown" if has_enough and change.has_ends else "too few"


def _whole(words: Sequence[Word | None]) -> Word:
    for word in ("worse", "better", "no difference shown"):
        if word in words:
            return word
    return "too few"


def _figure(name: FigureName, change: Change, word: Word | None) -> FigureComparison:
    return FigureComparison(
        name,
        _rounded(change.before),
        _rounded(change.after),
        _rounded(change.change),
        _rounded(change.low),
        _rounded(change.high),
        word,
        _rounded(change.after_low),
        _rounded(change.after_high),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
