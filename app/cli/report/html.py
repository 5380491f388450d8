"""The report as one HTML file that loads nothing: tables, and plots as inline SVG. Pure but for reading the
template, which escapes all it is given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Template

from app.cli.figures import Report
from app.cli.period import Period
from app.cli.report.selection import Selection, compared, heading, rounded, tables
from app.cli.route_detail import (
    SAMPLE_HEADS,
    SAMPLE_LEFT,
    detail_facts,
    of_all_time,
    sample_cells,
    sample_tables,
)
from app.cli.tables import facts
from app.formatting import milliseconds, percent, plural, rate
from app.html_files import Tick, load_template, polylines, round_up, time_ticks
from app.platform.release import Release
from app.store import queries

X_TICKS = 3
"""More would overlap on a phone."""
DAY_S = 86_400

MARKS_MAX = 200
"""Releases that are marked in a plot, the newest."""
LABEL_SHARE = 6.0
"""What a label of a mark takes of a plot's width, in percent: closer ones have none."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A quantity over time, in two lines."""

    title: str
    names: tuple[str, str]
    y_ticks: list[Tick]
    main: list[str]
    """The points of SVG polylines, in pieces where there are gaps."""
    second: list[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A release in a plot."""

    at: float
    """From 0 at the left to 100."""
    title: str
    label: str
    """Empty where there is no room for it."""


@functools.cache
def _template() -> Template:
    return load_template(Path(__file__).parent / "report.html.j2", {})


def as_html(report: Report, asked: Period, shown: Selection) -> str:
    """The whole file."""
    detail = report.route.detail if report.route else None
    return _template().render(
        heading=heading(report, asked),
        notes=list(filter(None, [rounded(report, asked), compared(report, shown)])),
        route=detail.route if detail else "",
        matching=plural(len(report.table.routes), "route") if shown.pattern and not detail else "",
        pattern=shown.pattern,
        facts=detail_facts(detail) if detail else facts(report.table.total, report.table.total_changes),
        note=of_all_time(detail) if detail else "",
        alerts=report.alerts,
        plots=_plots(report.series) if report.series else [],
        marks=marks(report.events.releases, report.series) if report.series else [],
        times=_time_ticks(report.series) if report.series else [],
        steps=_steps(report.series) if report.series else [],
        tables=tables(report, shown),
        sample_heads=SAMPLE_HEADS,
        sample_left=SAMPLE_LEFT,
        samples=[
            (title, [sample_cells(sample) for sample in found])
            for title, found in (sample_tables(report.route.samples) if report.route else ())
        ],
    )


def _plots(found: queries.Series) -> list[Plot]:
    if len(found.times) < 2:
        return []
    per_s = ("requests per second", "errors per second")
    service = ("95 % of requests are faster", "half of the requests are faster")
    return [
        _plot("Requests", per_s, found.times, found.requests_per_s, found.errors_per_s, rate),
        _plot("Service time", service, found.times, found.service_p95, found.service_p50, milliseconds),
    ]


def _plot(
    title: str,
    names: tuple[str, str],
    times: Sequence[int],
    main: Sequence[float | None],
    second: Sequence[float | None],
    written: Callable[[float], str],
) -> Plot:
    top = round_up(max((value for value in (*main, *second) if value is not None), default=1.0))
    begin_s, end_s = times[0], times[-1]
    return Plot(
        title,
        names,
        [Tick(100 - 100 * part, written(part * top)) for part in (0, 0.5, 1)],
        polylines(zip(times, main, strict=True), begin_s, end_s, top),
        polylines(zip(times, second, strict=True), begin_s, end_s, top),
    )


def marks(releases: Sequence[Release], found: queries.Series) -> list[Mark]:
    """The releases (newest first) as the plots of this series mark them, oldest first."""
    begin_s, end_s = found.times[0], found.times[-1]
    placed: list[Mark] = []
    labelled_at = -LABEL_SHARE
    for release in reversed(releases[:MARKS_MAX]):
        at_s = release.at_ms / 1000
        if begin_s <= at_s <= found.to_s and begin_s < end_s:
            # The last step's value stands at its beginning.
            at = round(min(100.0, 100 * (at_s - begin_s) / (end_s - begin_s)), 2)
            has_room = at >= labelled_at + LABEL_SHARE
            labelled_at = at if has_room else labelled_at
            title = f"{release.text}, {_clock(at_s, '%Y-%m-%d %H:%M:%S')} UTC"
            placed.append(Mark(at, title, _mark_label(release) if has_room else ""))
    return placed


def _mark_label(release: Release) -> str:
    return f"v{release.version}" if release.version else release.cause or "release"


def _time_ticks(found: queries.Series) -> list[Tick]:
    begin_s, end_s = found.times[0], found.times[-1]
    places = (begin_s + (end_s - begin_s) * at / (X_TICKS - 1) for at in range(X_TICKS))
    return time_ticks(
        [_clock(at_s, "%m-%d %H:%M" if end_s - begin_s > DAY_S else "%H:%M:%S") for at_s in places]
    )


def _steps(found: queries.Series) -> list[tuple[str, str, str, str, str]]:
    """A row of text for each step of the plots."""
    columns = zip(
        found.times, found.requests_per_s, found.error_rate, found.service_p50, found.service_p95, strict=True
    )
    return [
        (
            _clock(at_s, "%Y-%m-%d %H:%M:%S"),
            rate(per_s),
            "" if errors is None else percent(errors),
            milliseconds(p50),
            milliseconds(p95),
        )
        for at_s, per_s, errors, p50, p95 in columns
    ]


def _clock(at_s: float, form: str) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):{form}}"
