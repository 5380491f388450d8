"""The plots of the HTML report as coordinates: 0 to 100 across and down. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.formatting import duration, milliseconds
from app.html_files import Tick, polylines, round_up, time_ticks
from app.store.queries.replays import ReplayedRoute
from app.store.run_result import TimePoint

ROUTES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Shift:
    """One route: where its p95 was before, and where it is now."""

    route: str
    before: float
    after: float
    text: str
    is_slower: bool


@dataclass(frozen=True, slots=True)
class ShiftPlot:
    """Routes below each other, on one logarithmic axis."""

    ticks: list[Tick]
    shifts: list[Shift]
    left_out: int
    """Routes that have times too, but are not shown."""


@dataclass(frozen=True, slots=True)
class TimePlot:
    """Lines over time; each is the points of an SVG polyline."""

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    late: str
    service: list[str]
    """In pieces, where there are steps without an answer."""


def shift_plot(routes: Sequence[ReplayedRoute]) -> ShiftPlot | None:
    """The p95 of the busiest routes before and after; None where nothing can be compared."""
    timed = [
        (row, max(0.1, row.original.p95), max(0.1, row.replayed.p95))
        for row in routes
        if row.original.p95 is not None and row.replayed.p95 is not None
    ]
    if not timed:
        return None
    shown = timed[:ROUTES_SHOWN]
    values = [value for _, *pair in shown for value in pair]
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(values) * 1.000_001))
    span = math.log10(high / low)

    def at(value_ms: float) -> float:
        return round(100 * math.log10(value_ms / low) / span, 2)

    return ShiftPlot(
        ticks=[Tick(at(low * 10**n), milliseconds(low * 10**n)) for n in range(round(span) + 1)],
        shifts=[
            Shift(
                route=row.route,
                before=at(before),
                after=at(after),
                text=f"{milliseconds(before)} before, {milliseconds(after)} now",
                is_slower=after > before,
            )
            for row, before, after in shown
        ],
        left_out=len(timed) - len(shown),
    )


def time_plot(points: Sequence[TimePoint]) -> TimePlot | None:
    """Lateness and service time over the run; None without two points."""
    if len(points) < 2:
        return None
    begin_s, end_s = points[0].at_s, max(points[-1].at_s, points[0].at_s + 0.001)
    top = round_up(max(max(point.late_ms, point.service_ms or 0.0) for point in points))
    return TimePlot(
        x_ticks=time_ticks(
            [duration(begin_s + part * (end_s - begin_s)) for part in (0, 0.25, 0.5, 0.75, 1)]
        ),
        y_ticks=[Tick(100 - 100 * part, milliseconds(part * top)) for part in (0, 0.5, 1)],
        late=" ".join(polylines(((point.at_s, point.late_ms) for point in points), begin_s, end_s, top)),
        service=polylines(((point.at_s, point.service_ms) for point in points), begin_s, end_s, top),
    )
