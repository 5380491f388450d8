"""What a panel of the dashboard is, and the usual ones, which take name, help and unit from a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drain.monitoring.exports.promql import mean, rate, selector, total
from drain.monitoring.family import CounterFamily, Family, GaugeFamily, HistogramFamily, Unit

PanelKind = Literal["timeseries", "stat", "table"]

INTERVAL = "$__rate_interval"
"""Grafana's own: long enough for rate() at the zoom and the scrape interval."""

UNITS: Mapping[Unit, str] = {"": "short", "seconds": "s", "bytes": "bytes", "timestamp": "dateTimeFromNow"}
RATES: Mapping[Unit, str] = {"": "cps", "seconds": "s", "bytes": "Bps", "timestamp": "short"}
"""Of a counter, per second."""

SHARE = "percentunit"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and what its lines are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot, number or table."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    help: str = ""
    kind: PanelKind = "timeseries"
    width: int = 8
    """Of 24 columns."""
    is_stacked: bool = False
    red_from: float | None = None
    """A number that is this large, or larger, is shown in red."""
    red_below: float | None = None
    """As is one that is smaller than this."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


def counted(
    title: str, family: CounterFamily, by: tuple[str, ...], where: str = "", *, is_stacked: bool = False
) -> Panel:
    """A counter per second; of the drain's own, that of all processes that are scraped."""
    query = Query(f"sum by ({', '.join(by)}) ({mean(rate(family.total, INTERVAL, where))})", _legend(by))
    return Panel(title, (query,), RATES[family.unit], family.help, is_stacked=is_stacked)


def counted_by_web(title: str, family: CounterFamily, by: tuple[str, ...]) -> Panel:
    """The same of what each process of `web` counts itself."""
    query = Query(f"sum by ({', '.join(by)}) ({rate(family.total, INTERVAL)})", _legend(by))
    return Panel(title, (query,), RATES[family.unit], family.help, is_stacked=True)


def gauge(title: str, family: GaugeFamily, by: tuple[str, ...], where: str = "") -> Panel:
    """What is so now, once, however often it is scraped."""
    expr = f"max by ({', '.join(by)}) ({selector(family.name, where)})"
    return Panel(title, (Query(expr, _legend(by)),), UNITS[family.unit], family.help)


def share(title: str, part: CounterFamily, whole: CounterFamily, by: tuple[str, ...], where: str) -> Panel:
    """How much of one counter another is."""
    grouped = f"sum by ({', '.join(by)})"
    parts = [f"{grouped} ({mean(rate(family.total, INTERVAL, where))})" for family in (part, whole)]
    query = Query(f"{parts[0]}\n/\n{parts[1]}", _legend(by))
    return Panel(title, (query,), SHARE, f"{part.help}, as a share of all")


def ratio(title: str, part: GaugeFamily, whole: GaugeFamily, by: tuple[str, ...], where: str = "") -> Panel:
    """One gauge by another."""
    grouped = f"max by ({', '.join(by)})"
    parts = [f"{grouped} ({selector(family.name, where)})" for family in (part, whole)]
    query = Query(f"{parts[0]}\n/\n{parts[1]}", _legend(by))
    return Panel(title, (query,), SHARE, f"{part.help}, of: {whole.help[:1].lower()}{whole.help[1:]}")


def percentiles(
    title: str, family: HistogramFamily, where: str, percents: tuple[int, ...], by: tuple[str, ...] = ()
) -> Panel:
    """Of everything together, or one line for each of `by`."""
    buckets = f"sum by ({', '.join((*by, 'le'))}) ({mean(rate(family.bucket, INTERVAL, where))})"
    names = " ".join(f"{{{{{label}}}}}" for label in by)
    queries = tuple(
        Query(f"histogram_quantile({percent / 100:g}, {buckets})", f"p{percent} {names}".strip())
        for percent in percents
    )
    return Panel(title, queries, UNITS[family.unit], family.help)


def of_web(title: str, family: HistogramFamily, percents: tuple[int, ...]) -> Panel:
    """Percentiles of what each process of `web` measures itself."""
    buckets = total(rate(family.bucket, INTERVAL))
    queries = tuple(
        Query(f"histogram_quantile({percent / 100:g}, {buckets})", f"p{percent}") for percent in percents
    )
    return Panel(title, queries, UNITS[family.unit], family.help)


def number(
    title: str,
    expr: str,
    family: Family,
    unit: str,
    *,
    red_from: float | None = None,
    red_below: float | None = None,
) -> Panel:
    """A single figure."""
    queries = (Query(expr),)
    return Panel(
        title,
        queries,
        unit,
        family.help,
        kind="stat",
        width=4,
        red_from=red_from,
        red_below=red_below,
    )


def _legend(by: tuple[str, ...]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by)
