"""Figures as the queries would answer them, for what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.cli.columns import Row
from app.cli.figures import RouteReport
from app.cli.rows import app_rows, name_rows
from app.cli.top.snapshot import Snapshot, Wanted
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


def names_table(kind: Kind = "dynos", app: str = "shop") -> queries.NamesTable:
    found = [
        queries.NameRow(
            f"web.{number}",
            "shop",
            NameFigures(
                1000 - number, 3.0, 99 if number == 3 else 0, 0.099 if number == 3 else 0.0, 0, latency(20)
            ),
            [],
        )
        for number in range(1, 5)
    ]
    return queries.NamesTable(app, kind, FROM_S, TO_S, 10, found)


def snapshot(wanted: Wanted, found: Sequence[Row] | None = None) -> Snapshot:
    """What there would be to read, whatever is wanted."""
    if wanted.by == "app":
        found = app_rows(overview(), TO_S)
    elif wanted.by != "route":
        found = name_rows(names_table())
    elif found is None:
        found = rows()
    made = Snapshot(wanted, TO_S, FROM_S, TO_S, TOTAL, list(found), 0, list(ALERTS))
    return replace(made, route=route_report(wanted.route.name)) if wanted.route else made
