"""What the tables of `report` and `top` show of a route, an app, a dyno or a host, and sort by. Pure.

Names are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from app.formatting import NONE, duration, milliseconds, number, percent, rate
from app.store import queries
from app.store.queries.changes import Changes, FigureChange

By = Literal["app", "route", "dyno", "host"]
VIEWS: tuple[By, ...] = ("app", "route", "dyno", "host")

NOT_SURE = "?"
"""Behind a change that may be nothing but noise."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route, app, dyno or host."""

    name: str
    count: int
    rate: float | None
    errors: int
    error_rate: float
    aborted: int
    service: queries.Latency
    app: str = ""
    """Whose it is, where those of several apps stand side by side."""
    digest: str = ""
    """Of a route."""
    time_share: float | None = None
    """Its part of the service time of all, 0 to 1."""
    connections: int = 0
    lifetime_ms: float | None = None
    """Median."""
    codes: Mapping[str, int] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    now_rate: float | None = None
    now_error_rate: float | None = None
    idle_s: float | None = None
    """Since its last request; None: never had one, or not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column shows and sorts by."""

    name: str
    """As `--sort` names it."""
    head: str
    meaning: str
    text: Callable[[Row], str]
    value: Callable[[Row], float | str | None]
    """None stands last, whatever the order."""
    is_shown: Callable[[Sequence[Row]], bool] = lambda rows: True
    is_left: bool = False


def _any(wanted: Callable[[Row], object]) -> Callable[[Sequence[Row]], bool]:
    return lambda rows: any(wanted(row) for row in rows)


def _change(name: str, head: str, meaning: str, figure: str) -> Column:
    return Column(
        name,
        head,
        meaning,
        lambda row: change_text(row.changes.get(figure)),
        lambda row: _size(row.changes.get(figure)),
        _any(lambda row: row.changes),
    )


COLUMNS: tuple[Column, ...] = (
    Column(
        "name",
        "NAME",
        "the route, app, dyno or host",
        lambda row: row.name,
        lambda row: row.name,
        is_left=True,
    ),
    Column(
        "app",
        "APP",
        "whose it is, where those of several apps stand side by side",
        lambda row: row.app or NONE,
        lambda row: row.app,
        _any(lambda row: row.app),
        is_left=True,
    ),
    Column("requests", "REQUESTS", "how many", lambda row: number(row.count), lambda row: row.count),
    Column("rate", "PER S", "requests per second", lambda row: rate(row.rate), lambda row: row.rate),
    Column(
        "now",
        "NOW",
        "requests per second of the last whole minute",
        lambda row: rate(row.now_rate),
        lambda row: row.now_rate,
        _any(lambda row: row.now_rate is not None),
    ),
    Column(
        "errors",
        "ERRORS",
        "share that failed: status 5xx, or an error by the router",
        lambda row: percent(row.error_rate),
        lambda row: row.error_rate,
    ),
    Column(
        "now-errors",
        "NOW ERR",
        "share that failed in the last whole minute",
        lambda row: NONE if row.now_error_rate is None else percent(row.now_error_rate),
        lambda row: row.now_error_rate,
        _any(lambda row: row.now_error_rate is not None),
    ),
    Column(
        "aborted",
        "ABORTED",
        "clients that left before they had the answer",
        lambda row: number(row.aborted),
        lambda row: row.aborted,
        _any(lambda row: row.aborted),
    ),
    Column(
        "median",
        "MEDIAN",
        "service time: half are faster",
        lambda row: milliseconds(row.service.p50),
        lambda row: row.service.p50,
    ),
    Column(
        "p95",
        "P95",
        "service time: 95 % are faster",
        lambda row: milliseconds(row.service.p95),
        lambda row: row.service.p95,
    ),
    Column(
        "p99",
        "P99",
        "service time: 99 % are faster",
        lambda row: milliseconds(row.service.p99),
        lambda row: row.service.p99,
    ),
    Column(
        "longest",
        "LONGEST",
        "the longest service time",
        lambda row: milliseconds(row.service.max),
        lambda row: row.service.max,
    ),
    Column(
        "time",
        "TIME",
        "its part of the service time of all: where the dynos' time goes",
        lambda row: NONE if row.time_share is None else percent(row.time_share),
        lambda row: row.time_share,
    ),
    _change("rate-change", "± PER S", "change of the rate against the earlier span", "rate"),
    _change("errors-change", "± ERRORS", "change of the share that failed", "error_rate"),
    _change("p95-change", "± P95", "change of the p95", "p95"),
    Column(
        "idle",
        "LAST",
        "how long ago the last request was",
        lambda row: NONE if row.idle_s is None else f"{duration(row.idle_s)} ago",
        lambda row: row.idle_s,
        _any(lambda row: row.idle_s is not None),
    ),
    Column(
        "connections",
        "CONNECTIONS",
        "requests that became connections, such as websockets",
        lambda row: number(row.connections),
        lambda row: row.connections,
        _any(lambda row: row.connections),
    ),
    Column(
        "lifetime",
        "LIFETIME",
        "how long these were open: the median",
        lambda row: milliseconds(row.lifetime_ms),
        lambda row: row.lifetime_ms,
        _any(lambda row: row.connections),
    ),
    Column(
        "codes",
        "H-CODES",
        "Heroku's error codes and how often each came",
        lambda row: " ".join(f"{code}:{count}" for code, count in row.codes.items()),
        lambda row: sum(row.codes.values()),
        _any(lambda row: row.codes),
        is_left=True,
    ),
)
"""In the order in which they are shown."""

SORTS: dict[str, Column] = {
    **{column.name: column for column in COLUMNS},
    **{by: COLUMNS[0] for by in VIEWS if by != "app"},
}
"""What rows can be sorted by; `route`, `dyno` and `host` are the name."""


def columns(rows: Sequence[Row], by: By) -> list[Column]:
    """Those that have something to show in a table of these rows; the name is first."""
    first = replace(COLUMNS[0], head=by.upper())
    return [first, *(one for one in COLUMNS[1:] if one.is_shown(rows) and (one.name != "app" or by != "app"))]


def change_text(change: FigureChange | None) -> str:
    """`+43 %`, `-9 % ?` where it may be noise, `new` where there was nothing before."""
    if change is None or change.after is None:
        return NONE
    mark = "" if change.is_shown else f" {NOT_SURE}"
    if change.change is not None:
        return f"{100 * change.change:+,.0f} %{mark}"
    if change.before is None or change.after != 0:
        return f"new{mark}"
    return "0 %"


def _size(change: FigureChange | None) -> float | None:
    if change is None or change.after is None:
        return None
    if change.change is not None:
        return change.change
    return float("inf") if change.before is None or change.after != 0 else 0.0
