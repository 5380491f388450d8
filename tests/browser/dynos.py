"""Answers about dynos and add-ons, as the API gives them, for what a page does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.store import queries
from app.store.queries.addons import AddonRow, Addons, AddonValue
from app.store.queries.dyno_runtime import DynoRuntime
from app.store.queries.dynos import DynoRow, DynosTable, ProcessRow
from app.store.queries.events import EventRow, Events
from app.store.queries.figures import Latency
from app.store.queries.names import NameFigures
from app.store.queries.spans import Span

QUOTA_MB = 512.0
STEPS, STEP_S = 30, 10


def figures(count: int, errors: int = 0, p95_ms: float = 120.0) -> NameFigures:
    """Those of a dyno with so many requests in five minutes."""
    p95 = p95_ms if count else None
    half = p95_ms / 3 if count else None
    latency = Latency(count, half, p95, p95, p95, p95)
    return NameFigures(count, count / 300, errors, errors / count if count else 0.0, 0, latency)


def measured(now_s: float, share: float = 0.6, **further: Any) -> DynoRuntime:
    """A dyno that is up, with the share of its memory that it has now; it had half of that at first."""
    memory_mb = QUOTA_MB * share
    # A dyno is sampled every 20 s, so every second step of ten seconds has none.
    spark = [None if at % 2 else memory_mb * (0.5 + 0.5 * at / (STEPS - 2)) for at in range(STEPS)]
    usual = DynoRuntime(
        state="up",
        state_since_ms=int(now_s * 1000) - 11_400_000,
        sampled_ms=int(now_s * 1000) - 12_000,
        memory_mb=memory_mb,
        rss_mb=min(memory_mb, QUOTA_MB),
        swap_mb=max(0.0, memory_mb - QUOTA_MB),
        quota_mb=QUOTA_MB,
        memory_share=share,
        load_1m=0.42,
        load_5m=0.38,
        load_15m=0.31,
        memory_highest_mb=memory_mb,
        memory_average_mb=memory_mb * 0.75,
        load_highest=1.5,
        load_average=0.4,
        memory_spark=spark,
        load_spark=[None if at % 2 else 0.3 + 0.1 * (at % 4) for at in range(STEPS)],
    )
    return replace(usual, **further)


def dyno(name: str, runtime: DynoRuntime, seen: NameFigures | None = None, app: str = "shop") -> DynoRow:
    """A row of the table; without figures it served no requests."""
    seen = seen or figures(0)
    return DynoRow(name, app, name.partition(".")[0], seen, [seen.count / 300] * STEPS, runtime)


def incident(now_s: float) -> list[DynoRow]:
    """web.3 leaks and fails, web.4 has crashed, worker.1 serves no requests, and one came up a moment ago."""
    crashed = measured(
        now_s, 0.4, state="crashed", state_since_ms=int(now_s * 1000) - 60_000, restarts=4, crashes=4
    )
    leaking = measured(now_s, 1.8, load_1m=3.1, r14=14, r15=2)
    starting = measured(now_s, 0.2, state="starting", state_since_ms=int(now_s * 1000) - 8_000, restarts=1)
    return [
        dyno("web.1", measured(now_s, 0.62), figures(900, 1)),
        dyno("web.2", measured(now_s, 0.93), figures(880)),
        dyno("web.3", leaking, figures(870, 99, 4_300.0)),
        dyno("web.4", crashed, figures(110)),
        dyno("web.10", starting, figures(40)),
        dyno("worker.1", measured(now_s, 0.7)),
        dyno("scheduler.7234", DynoRuntime(state="down", state_since_ms=int(now_s * 1000) - 900_000)),
    ]


def together(rows: Sequence[DynoRow]) -> list[ProcessRow]:
    """The process types of these dynos."""
    found = []
    for app, process in dict.fromkeys((row.app, row.process) for row in rows):
        own = [row.runtime for row in rows if (row.app, row.process) == (app, process)]
        memory = [one.memory_highest_mb for one in own if one.memory_highest_mb is not None]
        load = [one.load_highest for one in own if one.load_highest is not None]
        found.append(
            ProcessRow(
                process,
                app,
                len(own),
                sum(one.state == "up" for one in own),
                sum(memory) / len(memory) if memory else None,
                max(memory, default=None),
                QUOTA_MB if memory else None,
                0.4 if load else None,
                max(load, default=None),
                sum(one.restarts for one in own),
                sum(one.r14 for one in own),
                sum(one.r15 for one in own),
            )
        )
    return found


def postgres(now_s: float, app: str = "shop") -> AddonRow:
    """A database as heroku-postgres tells of it, each measure in the unit that it is sent in."""
    sent = (
        ("active-connections", "", 15.0),
        ("waiting-connections", "", 0.0),
        ("connections-percentage-used", "", 0.46),
        ("index-cache-hit-rate", "", 0.99723),
        ("table-cache-hit-rate", "", 0.99118),
        ("load-avg-1m", "", 0.285),
        ("load-avg-5m", "", 0.325),
        ("read-iops", "", 0.0),
        ("write-iops", "", 112.73),
        ("memory-total", "kB", 3_944_484.0),
        ("memory-free", "kB", 85_812.0),
        ("memory-postgres", "kB", 182_592.0),
        ("db_size", "bytes", 90_755_887.0),
        ("tmp-disk-used", "", 543_600_640.0),
        ("tables", "", 13.0),
    )
    values = [
        AddonValue(
            name,
            unit,
            value,
            int(now_s * 1000) - 30_000,
            value,
            value * 0.9,
            value * 1.1,
            [None, value * 0.9, value * 1.1, None, value],
        )
        for name, unit, value in sent
    ]
    return AddonRow(app, "heroku-postgres", "DATABASE", "postgresql-curly-12345", values)


def of_dyno(now_s: float, name: str = "web.3") -> list[EventRow]:
    """What the platform said of a dyno, newest first."""
    now_ms = int(now_s * 1000)
    return [
        EventRow(
            "3",
            "shop",
            "error",
            now_ms - 260_000,
            now_ms - 20_000,
            14,
            "Error R14 (Memory quota exceeded)",
            name,
            code="R14",
        ),
        EventRow(
            "2",
            "shop",
            "state",
            now_ms - 280_000,
            now_ms - 280_000,
            1,
            "State changed from starting to up",
            name,
            state="up",
        ),
        EventRow("1", "shop", "restart", now_ms - 290_000, now_ms - 290_000, 1, "Restarting", name),
    ]


Answers = Callable[..., None]


def answer_with(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A function that makes the API give these answers: how they come about is tested elsewhere."""

    def set_answers(
        rows: Sequence[DynoRow] = (),
        *,
        addons: Sequence[AddonRow] = (),
        events: Sequence[EventRow] = (),
        without_metrics: Sequence[str] = (),
        left_out: int = 0,
    ) -> None:
        def table(store: object, app: str, span: Span | None, now_s: float) -> DynosTable:
            to_s, seconds = _span(span, now_s)
            own = [row for row in rows if app in ("", row.app)]
            return DynosTable(
                app, to_s - seconds, to_s, STEP_S, own, together(own), list(without_metrics), left_out
            )

        def found_addons(store: object, app: str, span: Span | None, now_s: float) -> Addons:
            to_s, seconds = _span(span, now_s)
            return Addons(app, to_s - seconds, to_s, 60, [row for row in addons if app in ("", row.app)])

        def found_events(store: object, app: str, span: Span | None, now_s: float) -> Events:
            to_s, seconds = _span(span, now_s)
            return Events(app, to_s - seconds, to_s, [], [row for row in events if app in ("", row.app)])

        monkeypatch.setattr(queries, "dynos_table", table)
        monkeypatch.setattr(queries, "addons", found_addons)
        monkeypatch.setattr(queries, "events", found_events)

    return set_answers


def _span(span: Span | None, now_s: float) -> tuple[int, int]:
    span = span or Span(86_400)
    return int(now_s) if span.until_s is None else span.until_s, span.seconds
