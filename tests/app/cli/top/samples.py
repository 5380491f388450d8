"""Figures as the queries would answer them, for what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.cli.column import Row
from app.cli.figures import RouteReport
from app.cli.rows import app_rows, name_rows
from app.cli.top.snapshot import Snapshot, Wanted
from app.platform.facts import Kind as EventKind
from app.platform.release import Release
from app.store import queries
from app.store.queries.figures import figures
from app.store.queries.names import Kind, NameFigures
from app.store.sums import Sums

FROM_S, TO_S = 1_764_122_400, 1_764_122_700  # 2025-11-26 02:00:00 to 02:05:00 UTC
EVIL = "/[red]x[/red]\x1b]0;owned\x07\u202e"
ALERTS = [
    queries.Alert(
        "no_worker:metrics",
        "alarm",
        "No metrics worker is running",
        "No worker has reported for 32 s, so the figures are frozen.",
        "Start one: `heroku ps:scale metrics=1`.",
        1,
    ),
    queries.Alert(
        "losses:shop", "warning", "12 messages from shop were lost", "Counts are too low.", "", 12, "shop"
    ),
]


def latency(median_ms: float) -> queries.Latency:
    return queries.Latency(
        100, median_ms, 1.5 * median_ms, 2 * median_ms, 3 * median_ms, 9 * median_ms, 100 * median_ms
    )


def row(name: str, count: int = 100, errors: int = 0, median_ms: float = 20.0) -> Row:
    return Row(
        name=name,
        count=count,
        rate=count / 300,
        errors=errors,
        error_rate=errors / count,
        aborted=0,
        service=latency(median_ms),
        digest=f"digest of {name}",
        time_share=0.1,
        codes={"H12": errors} if errors else {},
    )


def rows(count: int = 500) -> list[Row]:
    """Routes of falling counts, with a failing one, a slow one and one that nobody should print."""
    found = [row(f"/route/{number}", 1000 - number) for number in range(count - 3)]
    return [*found, row("/checkout", 9, errors=4), row("/slow", 8, median_ms=30_000), row(EVIL, 7)]


TOTAL = figures(
    Sums(
        counts={"requests": 3622, "aborted": 4},
        names={"statuses": {"200": 3500, "503": 122}, "codes": {"H12": 100, "H27": 3}},
        sketches={"service": {700: 3622}},
    ),
    49.9,
)


def sample(request_id: str, status: str = "503", code: str = "H12", at_ms: int = 250) -> queries.Sample:
    return queries.Sample(
        TO_S * 1000 - at_ms, request_id, "shop", "web.3", "GET", status, code, 30_000.0, 1.0
    )


FAILED = [sample(f"0000000{number}-1111-4222-8333-444444444444") for number in range(3)]
SLOWEST = [sample("99999999-1111-4222-8333-444444444444", "200", "", 12_345)]


def route_report(route: str = "/checkout") -> RouteReport:
    detail = queries.RouteDetail(
        app="shop",
        route=route,
        digest=f"digest of {route}",
        from_s=FROM_S,
        to_s=TO_S,
        figures=TOTAL,
        service_histogram=[],
        connect_histogram=[],
        dynos={"web.3": 400, "web.1": 12},
        hosts={"shop.example.com": 412},
        paths={},
    )
    return RouteReport(detail, queries.Samples("shop", detail.digest, FROM_S, TO_S, SLOWEST, FAILED))


def overview() -> queries.Overview:
    apps = [
        queries.AppRow(name, TOTAL, 12.5, share, last_s, [], [])
        for name, share, last_s in (("shop", 0.25, TO_S - 10), ("api", 0.0, TO_S - 3_600), ("", 0.0, None))
    ]
    return queries.Overview(FROM_S, TO_S, 10, apps, 0)


def name_figures(number: int) -> NameFigures:
    is_bad = number == 3
    return NameFigures(1000 - number, 3.0, 99 if is_bad else 0, 0.099 if is_bad else 0.0, 0, latency(20))


def names_table(kind: Kind = "hosts", app: str = "shop") -> queries.NamesTable:
    found = [
        queries.NameRow(f"{number}.example.com", "shop", name_figures(number), []) for number in range(1, 5)
    ]
    return queries.NamesTable(app, kind, FROM_S, TO_S, 10, found)


NO_REQUESTS = NameFigures(0, 0.0, 0, 0.0, 0, queries.Latency(0, None, None, None, None, None))


def dynos_table(app: str = "shop") -> queries.DynosTable:
    """Four web dynos, of which one is out of memory, of whose app nothing else is known."""
    found = [
        queries.DynoRow(f"web.{number}", "shop", "web", name_figures(number), [], queries.DynoRuntime())
        for number in range(1, 5)
    ]
    return queries.DynosTable(app, FROM_S, TO_S, 10, found, [], without_metrics=["shop"])


def runtime(share: float = 0.5, **further: Any) -> queries.DynoRuntime:
    """Of a dyno with 512 MB."""
    found = queries.DynoRuntime(
        state="up",
        memory_mb=512 * share,
        rss_mb=500.0,
        swap_mb=max(0.0, 512 * share - 500),
        quota_mb=512.0,
        memory_share=share,
        load_1m=2.456,
        load_5m=1.06,
        load_15m=0.99,
        memory_highest_mb=512 * share + 10,
        memory_average_mb=512 * share - 10,
        load_highest=3.1,
        load_average=1.2,
    )
    return replace(found, **further)


def told_dynos(app: str = "shop") -> queries.DynosTable:
    """The same dynos, of which the platform says something, and a worker without requests that crashed."""
    runtimes = {
        "web.1": runtime(),
        "web.2": runtime(0.25, state="starting"),
        "web.3": runtime(1.8, restarts=4, r14=57, r15=2),
        "web.4": queries.DynoRuntime(state="up", memory_mb=221.47),
    }
    rows = [replace(row, runtime=runtimes[row.name]) for row in dynos_table().rows]
    worker = queries.DynoRow(
        "worker.1", "shop", "worker", NO_REQUESTS, [], queries.DynoRuntime("crashed", crashes=3)
    )
    processes = [
        queries.ProcessRow("web", "shop", 4, 3, 400.0, 930.0, 512.0, 1.2, 3.1, 4, 57, 2),
        queries.ProcessRow("worker", "shop", 1, 0, None, None, None, None, None, 0, 0, 0),
    ]
    return queries.DynosTable(app, FROM_S, TO_S, 10, [*rows, worker], processes)


RELEASES = [
    Release(
        "shop",
        43,
        TO_S * 1000 - 60_000,
        "config",
        "v43: config CRON_ENABLED",
        names=("CRON_ENABLED",),
    ),
    Release(
        "shop",
        42,
        FROM_S * 1000 + 30_000,
        "deploy",
        "v42: deploy 9154a1d2",
        commit="9154a1d2",
        up_ms=FROM_S * 1000 + 72_000,
        next_ms=TO_S * 1000 - 60_000,
    ),
]


def event(kind: EventKind, text: str, at_s: int = 100, **further: Any) -> queries.EventRow:
    at_ms = (FROM_S + at_s) * 1000
    found = queries.EventRow(f"{at_ms}-{text}", "shop", kind, at_ms, at_ms, 1, text)
    return replace(found, **further)


def events(app: str = "shop") -> queries.Events:
    """Two releases, a memory error 57 times, a crash, a scale, a sentence that nobody should print, and a
    dyno that stopped and started as usual."""
    rows = [
        event(
            "error",
            "Error R14 (Memory quota exceeded)",
            dyno="web.3",
            code="R14",
            count=57,
            until_ms=(FROM_S + 280) * 1000,
        ),
        event("state", "State changed from starting to crashed", dyno="worker.1", state="crashed"),
        event("exit", "Process exited with status 137", dyno="worker.1", status=137),
        event("scale", "Scaled to web@4:Standard-1X", names=("web@4:Standard-1X",)),
        event("other", EVIL),
        event("exit", "Process exited with status 143", dyno="web.1", status=143),
        event("state", "State changed from starting to up", dyno="web.1", state="up"),
    ]
    return queries.Events(app, FROM_S, TO_S, list(RELEASES), rows)


NO_EVENTS = queries.Events("shop", FROM_S, TO_S, [], [])


def addons(app: str = "shop") -> queries.Addons:
    values = [
        queries.AddonValue("active-connections", "", 15.0, TO_S * 1000, 14.5, 12.0, 19.0),
        queries.AddonValue("memory-total", "kB", 3_944_484.0, TO_S * 1000, 3_944_484.0, 3_944_484.0, None),
        queries.AddonValue("index-cache-hit-rate", "", 0.99997, TO_S * 1000, None, None, None),
    ]
    row = queries.AddonRow("shop", "heroku-postgres", "DATABASE", "postgresql-curly-12345", values)
    return queries.Addons(app, FROM_S, TO_S, 60, [row])


NO_ADDONS = queries.Addons("shop", FROM_S, TO_S, 60, [])


def snapshot(wanted: Wanted, found: Sequence[Row] | None = None) -> Snapshot:
    """What there would be to read, whatever is wanted."""
    if wanted.by == "app":
        found = app_rows(overview(), TO_S)
    elif wanted.by == "host":
        found = name_rows(names_table())
    elif wanted.by == "dyno":
        found = name_rows(dynos_table())
    elif found is None:
        found = rows()
    made = Snapshot(wanted, TO_S, FROM_S, TO_S, TOTAL, list(found), 0, list(ALERTS))
    return replace(made, route=route_report(wanted.route.name)) if wanted.route else made
