"""Tables of what the platform says: releases, events, process types, add-ons. Pure.

Sentences are as the platform wrote them: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.cli.column import Column, R, where
from app.cli.dyno_columns import load_column, memory_column
from app.cli.tables import moment
from app.formatting import NONE, duration, number
from app.platform.release import Release
from app.store import queries


def _if_any(name: str, head: str, meaning: str, text: Callable[[R], str]) -> Column[R]:
    return Column(name, head, meaning, lambda row: text(row) or NONE, is_shown=where(text), is_left=True)


def _count(
    name: str,
    head: str,
    meaning: str,
    count: Callable[[R], int],
    is_bad: Callable[[int], bool] = lambda found: False,
) -> Column[R]:
    return Column(
        name,
        head,
        meaning,
        lambda row: number(count(row)),
        is_shown=where(count),
        is_bad=lambda row: is_bad(count(row)),
    )


RELEASE_COLUMNS: tuple[Column[Release], ...] = (
    Column("release", "RELEASE", "its version and why", lambda row: row.text, is_left=True),
    _if_any("app", "APP", "whose it is", lambda row: row.app),
    Column("at", "TIME (UTC)", "when", lambda row: moment(row.at_ms / 1000), is_left=True),
    Column(
        "up",
        "UP AFTER",
        "until its dynos were up and the old ones gone",
        lambda row: NONE if row.up_ms is None else duration(max(0, row.up_ms - row.at_ms) / 1000),
        is_shown=where(lambda row: row.up_ms is not None),
    ),
    _if_any("user", "BY", "who made it", lambda row: row.user),
)

EVENT_COLUMNS: tuple[Column[queries.EventRow], ...] = (
    Column(
        "at", "TIME (UTC)", "when, or when the first was", lambda row: moment(row.at_ms / 1000), is_left=True
    ),
    _if_any("app", "APP", "whose it is", lambda row: row.app),
    _if_any("dyno", "DYNO", "of a dyno", lambda row: row.dyno),
    Column("event", "EVENT", "what the platform said", lambda row: row.text, is_left=True),
    Column(
        "times",
        "TIMES",
        "how often one after the other",
        lambda row: number(row.count),
        is_shown=where(lambda row: row.count > 1),
    ),
    Column(
        "until",
        "UNTIL",
        "when the last of them was",
        lambda row: moment(row.until_ms / 1000) if row.count > 1 else NONE,
        is_shown=where(lambda row: row.count > 1),
        is_left=True,
    ),
    _if_any("user", "BY", "who did it", lambda row: row.user),
)

PROCESS_COLUMNS: tuple[Column[queries.ProcessRow], ...] = (
    Column("name", "PROCESS", "its type", lambda row: row.process, is_left=True),
    _if_any("app", "APP", "whose it is", lambda row: row.app),
    Column("dynos", "DYNOS", "how many", lambda row: number(row.dynos)),
    _count("up", "UP", "how many of them are up", lambda row: row.up),
    memory_column(
        "memory",
        "MEMORY",
        "the average of a dyno in the span: share of its quota",
        lambda row: row.memory_average_mb,
        lambda row: row.quota_mb,
    ),
    memory_column(
        "memory-highest",
        "MOST MEM",
        "the highest of a dyno in the span: share of its quota",
        lambda row: row.memory_highest_mb,
        lambda row: row.quota_mb,
    ),
    load_column("load", "LOAD", "the average of a dyno in the span", lambda row: row.load_average),
    load_column(
        "load-highest", "MOST LOAD", "the highest of a dyno in the span", lambda row: row.load_highest
    ),
    _count("restarts", "RESTARTS", "how often dynos started", lambda row: row.restarts),
    _count("r14", "R14", "memory errors: quota exceeded", lambda row: row.r14, is_bad=bool),
    _count("r15", "R15", "memory errors: quota vastly exceeded", lambda row: row.r15, is_bad=bool),
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of an add-on."""

    addon: queries.AddonRow
    value: queries.AddonValue


def measures(found: queries.Addons) -> Iterator[Measure]:
    """Those of all add-ons."""
    return (Measure(addon, value) for addon in found.rows for value in addon.values)


def measured(value: float | None, unit: str) -> str:
    """`3,944,484 kB`, `0.99997`."""
    if value is None:
        return NONE
    text = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.6g}"
    return f"{text} {unit}".rstrip()


MEASURE_COLUMNS: tuple[Column[Measure], ...] = (
    Column(
        "addon", "ADD-ON", "its name", lambda row: row.addon.addon or row.addon.kind or NONE, is_left=True
    ),
    _if_any("app", "APP", "whose it is", lambda row: row.addon.app),
    Column("source", "SOURCE", "as what it is attached", lambda row: row.addon.source or NONE, is_left=True),
    Column("measure", "MEASURE", "what is measured", lambda row: row.value.name, is_left=True),
    Column("latest", "LATEST", "now", lambda row: measured(row.value.latest, row.value.unit)),
    Column("average", "AVERAGE", "in the span", lambda row: measured(row.value.average, row.value.unit)),
    Column("lowest", "LOWEST", "in the span", lambda row: measured(row.value.lowest, row.value.unit)),
    Column("highest", "HIGHEST", "in the span", lambda row: measured(row.value.highest, row.value.unit)),
)
