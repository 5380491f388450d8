"""What the tables of `report` and `top` show of a route, an app, a dyno or a host, and sort by. Pure.

Names are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from app.cli.column import Column, Row, where
from app.cli.dyno_columns import DYNO_COLUMNS, DYNO_ORDER
from app.formatting import NONE, duration, milliseconds, number, percent, rate
from app.store.queries.changes import FigureChange

By = Literal["app", "route", "dyno", "host"]
VIEWS: tuple[By, ...] = ("app", "route", "dyno", "host")

BAD_SHARE = 0.01
"""With more errors than this, a row's are marked."""

NOT_SURE = "?"
"""Behind a change that may be nothing but noise."""


def _change(name: str, head: str, meaning: str, figure: str) -> Column[Row]:
    return Column(
        name,
        head,
        meaning,
        lambda row: change_text(row.changes.get(figure)),
        lambda row: _size(row.changes.get(figure)),
        where(lambda row: row.changes),
    )


COLUMNS: tuple[Column[Row], ...] = (
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
        where(lambda row: row.app),
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
        where(lambda row: row.now_rate is not None),
    ),
    Column(
        "errors",
        "ERRORS",
        "share that failed: status 5xx, or an error by the router",
        lambda row: percent(row.error_rate) if row.count else NONE,
        lambda row: row.error_rate,
        is_bad=lambda row: row.error_rate >= BAD_SHARE,
    ),
    Column(
        "now-errors",
        "NOW ERR",
        "share that failed in the last whole minute",
        lambda row: NONE if row.now_error_rate is None else percent(row.now_error_rate),
        lambda row: row.now_error_rate,
        where(lambda row: row.now_error_rate is not None),
    ),
    Column(
        "aborted",
        "ABORTED",
        "clients that left before they had the answer",
        lambda row: number(row.aborted),
        lambda row: row.aborted,
        where(lambda row: row.aborted),
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
        where(lambda row: row.idle_s is not None),
    ),
    Column(
        "connections",
        "CONNECTIONS",
        "requests that became connections, such as websockets",
        lambda row: number(row.connections),
        lambda row: row.connections,
        where(lambda row: row.connections),
    ),
    Column(
        "lifetime",
        "LIFETIME",
        "how long these were open: the median",
        lambda row: milliseconds(row.lifetime_ms),
        lambda row: row.lifetime_ms,
        where(lambda row: row.connections),
    ),
    Column(
        "codes",
        "H-CODES",
        "Heroku's error codes and how often each came",
        lambda row: " ".join(f"{code}:{count}" for code, count in row.codes.items()),
        lambda row: sum(row.codes.values()),
        where(lambda row: row.codes),
        is_left=True,
        is_bad=lambda row: row.error_rate >= BAD_SHARE,
    ),
    *DYNO_COLUMNS,
)
"""In the order in which they are shown."""

SORTS: dict[str, Column[Row]] = {
    **{column.name: column for column in COLUMNS},
    **{by: COLUMNS[0] for by in VIEWS if by != "app"},
}
"""What rows can be sorted by; `route`, `dyno` and `host` are the name."""


SORT_NAMES = textwrap.indent(textwrap.fill(", ".join(SORTS), 100, break_on_hyphens=False), "  ")
"""For the help of a command."""


def columns(rows: Sequence[Row], by: By) -> list[Column[Row]]:
    """Those that have something to show in a table of these rows; the name is first."""
    first = replace(COLUMNS[0], head=by.upper())
    shown = [one for one in COLUMNS[1:] if one.is_shown(rows) and (one.name != "app" or by != "app")]
    if any(one in DYNO_COLUMNS for one in shown):
        places = {name: at for at, name in enumerate(DYNO_ORDER)}
        shown.sort(key=lambda one: places.get(one.name, len(places)))
    return [first, *shown]


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
