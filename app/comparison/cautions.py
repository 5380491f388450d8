"""What may explain a difference beside a release, in plain words: other traffic, or the time of day. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from app.comparison.result import Comparison, FigureComparison, RouteComparison, Side
from app.escaping import for_terminal
from app.formatting import percent, rate, shortened

RATE_MUCH = 1.25
"""A rate that is so many times that before, or the reverse, changed much."""
MIX_MUCH = 0.1
"""The mix changed much where so large a share of requests goes to other routes than before, beyond what
chance alone would move."""
SAME_SHARE = 0.5
"""Yesterday showed the same difference where it was at least so much of today's."""
NAMED = 3
"""Routes named in a sentence."""
NAME_WIDTH = 60


def of_rate(before: Side, after: Side) -> list[str]:
    """That there were many more requests, or fewer."""
    if not before.rate or not after.rate or 1 / RATE_MUCH < after.rate / before.rate < RATE_MUCH:
        return []
    word = "more" if after.rate > before.rate else "fewer"
    return [
        f"there were {word} requests: {rate(before.rate)} a second before, {rate(after.rate)} after. "
        "Load alone changes response times"
    ]


def of_mix(routes: Sequence[RouteComparison], total: RouteComparison) -> list[str]:
    """That other routes were requested: then the figures of all routes together say little."""
    before, after = total.requests_before, total.requests_after
    if not before or not after:
        return []
    moved = noise = 0.0
    changes: list[tuple[float, str]] = []
    for route in routes:
        change = route.requests_after / after - route.requests_before / before
        share = (route.requests_before + route.requests_after) / (before + after)
        moved += abs(change) / 2
        # The mean of the absolute value of a normal one.
        noise += math.sqrt(share * (1 - min(1.0, share)) * (1 / before + 1 / after) * 2 / math.pi) / 2
        changes.append((change, route.route))
    if moved - noise <= MIX_MUCH:
        return []
    largest = sorted(changes, key=lambda one: -abs(one[0]))[:NAMED]
    named = ", ".join(f"{_name(route)} {change * 100:+.0f} points" for change, route in largest)
    return [
        f"other routes were requested: {percent(moved)} of the requests moved ({named}). "
        "The figures of all routes together change with that alone"
    ]


def of_yesterday(today: Comparison, yesterday: Comparison) -> list[str]:
    """Which of today's differences yesterday showed at the same times of day."""
    same: list[str] = []
    differences = 0
    for route, figure in _differences(today):
        differences += 1
        if found := _found(yesterday, route, figure):
            change = "" if found.change is None else f" ({_change(found)})"
            same.append(f"{figure.figure} of {_name(route.route)}{change}")
    if not differences:
        return []
    if not same:
        return [
            "yesterday at the same times there was no such difference: the time of day does not explain it"
        ]
    more = f" and {len(same) - NAMED} more" if len(same) > NAMED else ""
    return [
        f"yesterday at the same times, the same difference: {', '.join(same[:NAMED])}{more}. "
        "The time of day may explain it"
    ]


def _differences(found: Comparison) -> Iterator[tuple[RouteComparison, FigureComparison]]:
    for route in (*([found.total] if found.total else []), *found.routes):
        for figure in route.figures:
            if figure.word in ("worse", "better"):
                yield route, figure


def _found(yesterday: Comparison, route: RouteComparison, today: FigureComparison) -> FigureComparison | None:
    """The figure yesterday, if it changed likewise."""
    rows = [yesterday.total, *yesterday.routes]
    row = next((one for one in rows if one and one.digest == route.digest), None)
    figure = next((one for one in row.figures if one.figure == today.figure), None) if row else None
    if figure is None or figure.change is None or today.change is None:
        return None
    is_same = figure.change * today.change > 0 and abs(figure.change) >= SAME_SHARE * abs(today.change)
    return figure if is_same else None


def _change(figure: FigureComparison) -> str:
    unit = " points" if figure.figure in ("errors", "aborted") else " %"
    return f"{(figure.change or 0) * 100:+.3g}{unit}"


def _name(route: str) -> str:
    return shortened(for_terminal(route), NAME_WIDTH) if route else "all routes together"
