"""The figures of `report` and `top` as text: titles, facts, sentences and tables. Pure.

Values are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.cli.column import Column, R
from app.cli.columns import change_text
from app.cli.period import ALL_TIME, Period
from app.escaping import for_terminal
from app.formatting import NONE, milliseconds, number, percent, rate, shortened, table
from app.router_line import H_CODES
from app.store import queries
from app.store.queries.changes import Changes
from app.store.queries.figures import FURTHER

NARROWEST_FACTS = 9
NARROWEST_NAME = 20
NO_CHANGES: Changes = {}


def title(app: str, period: Period, from_s: int | None, to_s: int) -> str:
    """`Tailrace: all apps, last 1h (2026-11-23 14:20:00 to 15:20:00 UTC)`."""
    who = f"Tailrace: {app or 'all apps'}"
    if from_s is None:
        return f"{who}, all time (until {moment(to_s)} UTC)"
    if period.name in ("", ALL_TIME):  # The latter: as far back as dynos, hosts or apps are kept.
        return f"{who}, {between(from_s, to_s)}"
    return f"{who}, last {period.name} ({between(from_s, to_s)})"


def between(from_s: int, to_s: int) -> str:
    """`2026-11-23 14:20:00 to 15:20:00 UTC`; the second day is named where it is another one."""
    is_one_day = datetime.fromtimestamp(from_s, UTC).date() == datetime.fromtimestamp(to_s, UTC).date()
    return f"{moment(from_s)} to {moment(to_s)[11 if is_one_day else 0 :]} UTC"


def moment(at_s: float) -> str:
    """`2026-11-23 14:20:00`, in UTC."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S}"


def facts(total: queries.Figures, changes: Changes = NO_CHANGES) -> list[tuple[str, str]]:
    """The totals of some requests, with their changes where they are compared."""
    per_s = "" if total.rate is None else f", {rate(total.rate)}/s"
    found = [
        ("requests", number(total.count) + per_s + _changed(changes, "rate")),
        ("errors", f"{number(total.errors)}, {percent(total.error_rate)}" + _changed(changes, "error_rate")),
        *([("aborted", number(total.aborted))] if total.aborted else []),
        ("service", times(total.service) + _changed(changes, "p95", "p95 ")),
        ("connect", times(total.connect)),
        *([("connections", _connections(total))] if total.connections else []),
        ("status", counts(total.classes)),
    ]
    if total.codes:
        found.append(("H-codes", codes(total.codes)))
    return found + [(figure.name, _formatted(getattr(total, figure.name))) for figure in FURTHER]


def codes(counted: dict[str, int]) -> str:
    """`H12 3 (Request timeout), H13 1 (...)`."""
    return ", ".join(
        f"{code} {number(count)} ({H_CODES.get(code, 'unknown')})" for code, count in counted.items()
    )


def counts(counted: dict[str, int]) -> str:
    """`2xx 1,200  5xx 3`."""
    return "  ".join(f"{name} {number(count)}" for name, count in counted.items()) or NONE


def fact_width(found: Sequence[tuple[str, str]]) -> int:
    """How wide the column of the facts' names is."""
    return max(NARROWEST_FACTS, *(len(name) for name, _ in found))


def times(latency: queries.Latency) -> str:
    """`median 20 ms  p90 31 ms  p95 40 ms  p99 80 ms  longest 1.2 s`."""
    names = (("median", latency.p50), ("p90", latency.p90), ("p95", latency.p95), ("p99", latency.p99))
    text = "  ".join(f"{name} {milliseconds(value)}" for name, value in names)
    return f"{text}  longest {milliseconds(latency.max)}" if latency.count else NONE


def _changed(changes: Changes, figure: str, name: str = "") -> str:
    return f" ({name}{change_text(changes[figure])})" if figure in changes else ""


def _connections(total: queries.Figures) -> str:
    return f"{number(total.connections)}, open for {times(total.lifetime)}"


def _formatted(value: queries.Latency | dict[str, int] | int) -> str:
    if isinstance(value, queries.Latency):
        return times(value)
    if isinstance(value, dict):
        return counts(value)
    return number(value)


def text_table(rows: Sequence[R], shown: Sequence[Column[R]], width: int = 0) -> list[str]:
    """The table for a terminal, head first, with names shortened in the middle so that lines fit `width`
    (0: no limit) as long as a name keeps NARROWEST_NAME characters."""
    heads = [column.head for column in shown]
    cells = [[for_terminal(column.text(row)) for column in shown] for row in rows]
    left = [at for at, column in enumerate(shown) if column.is_left]
    if width:
        rest = max(map(len, table(heads, [["", *row[1:]] for row in cells], left))) - len(heads[0])
        widest = max(NARROWEST_NAME, width - rest)
        cells = [[shortened(row[0], widest), *row[1:]] for row in cells]
    return table(heads, cells, left)


def left_out(shown: int, there: int, not_read: int, noun: str) -> str:
    """The sentence that says which rows are not shown; empty where all are. `there`: rows in the span;
    `not_read`: the least used, which were not read."""
    known = f"{number(shown)} of {number(there + not_read)} {noun}s"
    if shown < there:
        return f"{known} are shown"
    if not_read == 1:
        return f"{known}; the least used is left out"
    return f"{known}; the {number(not_read)} least used are left out" if not_read else ""
