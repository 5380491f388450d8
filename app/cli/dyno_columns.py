"""Columns of what the platform says of a dyno: state, memory, load, restarts, memory errors. Pure."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.column import Column, R, Row, where
from app.formatting import NONE, number
from app.store.queries import DynoRuntime
from app.store.queries.dyno_runtime import SILENT

BAD_STATES = ("crashed", SILENT)


def of_quota(memory_mb: float | None, quota_mb: float | None) -> str:
    """Memory as a share of its quota, `176 %`; where that is not known in MB, `221 MB`."""
    if memory_mb is None:
        return NONE
    return f"{100 * memory_mb / quota_mb:.0f} %" if quota_mb else f"{memory_mb:.0f} MB"


def load_text(load: float | None) -> str:
    """`2.46`."""
    return NONE if load is None else f"{load:.2f}"


def _exceeds(memory_mb: float | None, quota_mb: float | None) -> bool:
    """Whether memory is above its quota."""
    return memory_mb is not None and bool(quota_mb) and memory_mb > (quota_mb or 0)


def runtime_facts(runtime: DynoRuntime | None) -> list[tuple[str, str]]:
    """What the platform says of a dyno, by itself; empty without anything."""
    if runtime is None:
        return []
    found = [("state", runtime.state)] if runtime.state else []
    counted = (
        ("restarts", runtime.restarts),
        ("crashes", runtime.crashes),
        ("R14", runtime.r14),
        ("R15", runtime.r15),
    )
    found += [(name, number(count)) for name, count in counted if count]
    if runtime.memory_mb is not None:
        found.append(("memory", _memory(runtime)))
    loads = (runtime.load_1m, runtime.load_5m, runtime.load_15m)
    if any(load is not None for load in loads):
        minutes = zip(loads, ("1m", "5m", "15m"), strict=True)
        found.append(("load", "  ".join(f"{name} {load_text(load)}" for load, name in minutes)))
    return found


def _memory(runtime: DynoRuntime) -> str:
    """`903 MB of 512 MB, 176 %; rss 512 MB, swap 391 MB; in the span 880 MB on average, at most 903 MB`."""
    now = f"{runtime.memory_mb:.0f} MB"
    if runtime.quota_mb:
        now += f" of {runtime.quota_mb:.0f} MB, {of_quota(runtime.memory_mb, runtime.quota_mb)}"
    parts = [
        f"{name} {value:.0f} MB"
        for name, value in (("rss", runtime.rss_mb), ("swap", runtime.swap_mb))
        if value is not None
    ]
    within = [
        f"{value:.0f} MB {what}"
        for value, what in (
            (runtime.memory_average_mb, "on average"),
            (runtime.memory_highest_mb, "at most"),
        )
        if value is not None
    ]
    in_span = f"in the window {', '.join(within)}" if within else ""
    return "; ".join(filter(None, [now, ", ".join(parts), in_span]))


def _share(memory_mb: float | None, quota_mb: float | None) -> float | None:
    return memory_mb / quota_mb if memory_mb is not None and quota_mb else None


def _of(row: Row) -> DynoRuntime:
    return row.runtime or DynoRuntime()


def _count(name: str, head: str, meaning: str, count: Callable[[DynoRuntime], int]) -> Column[Row]:
    return Column(
        name,
        head,
        meaning,
        lambda row: NONE if row.runtime is None else number(count(row.runtime)),
        lambda row: None if row.runtime is None else count(row.runtime),
        where(lambda row: count(_of(row))),
        is_bad=lambda row: name != "restarts" and count(_of(row)) > 0,
    )


def memory_column(
    name: str,
    head: str,
    meaning: str,
    memory_mb: Callable[[R], float | None],
    quota_mb: Callable[[R], float | None],
) -> Column[R]:
    """Memory as a share of its quota, marked where it is above it."""
    return Column(
        name,
        head,
        meaning,
        lambda row: of_quota(memory_mb(row), quota_mb(row)),
        lambda row: _share(memory_mb(row), quota_mb(row)),
        where(lambda row: memory_mb(row) is not None),
        is_bad=lambda row: _exceeds(memory_mb(row), quota_mb(row)),
    )


def load_column(name: str, head: str, meaning: str, load: Callable[[R], float | None]) -> Column[R]:
    """A load, `2.46`."""
    return Column(
        name,
        head,
        meaning,
        lambda row: load_text(load(row)),
        load,
        where(lambda row: load(row) is not None),
    )


def _quota_mb(row: Row) -> float | None:
    return _of(row).quota_mb


DYNO_COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "state",
        "STATE",
        "of a dyno: up, starting, crashed, down; silent: it was up, and sends nothing any more",
        lambda row: _of(row).state or NONE,
        lambda row: _of(row).state or None,
        where(lambda row: _of(row).state),
        is_left=True,
        is_bad=lambda row: _of(row).state in BAD_STATES,
    ),
    memory_column(
        "memory",
        "MEMORY",
        "of a dyno, the latest: share of its quota",
        lambda row: _of(row).memory_mb,
        _quota_mb,
    ),
    load_column("load", "LOAD", "of a dyno, the latest: average of a minute", lambda row: _of(row).load_1m),
    _count("restarts", "RESTARTS", "how often a dyno started", lambda found: found.restarts),
    _count("crashes", "CRASHES", "how often a dyno crashed", lambda found: found.crashes),
    _count("r14", "R14", "a dyno's memory errors: quota exceeded", lambda found: found.r14),
    _count("r15", "R15", "a dyno's memory errors: quota vastly exceeded", lambda found: found.r15),
    memory_column(
        "memory-highest",
        "MOST MEM",
        "of a dyno, the highest of the span: share of its quota",
        lambda row: _of(row).memory_highest_mb,
        _quota_mb,
    ),
    load_column(
        "load-highest", "MOST LOAD", "of a dyno, the highest of the span", lambda row: _of(row).load_highest
    ),
)

DYNO_ORDER = (
    "name", "app", "state", "memory", "load", "requests", "errors", "p95", "restarts", "r14", "r15",
    "crashes", "rate", "aborted", "memory-highest", "load-highest",
)  # fmt: skip
"""Where the platform says something: so that a screen of 60 columns has memory beside errors and p95, and one
of 80 restarts and R14, too."""
