"""What the API answers about a shop's releases: events of an hour, and comparisons in every outcome."""

from __future__ import annotations

import time
from dataclasses import replace

from app.comparison.result import Comparison, FigureComparison, FigureName, RouteComparison, Side, Word
from app.platform.release import Cause, Release
from app.store.keys import digest
from app.store.queries.events import EventRow, Events

HOSTILE_TEXT = "<img src=x onerror=window.hacked=9>\u202e"


def release(
    version: int,
    ago_s: float,
    cause: Cause = "deploy",
    *,
    app: str = "shop",
    commit: str = "",
    text: str = "",
    up_after_s: float | None = None,
) -> Release:
    """A release so many seconds ago."""
    at_ms = int((time.time() - ago_s) * 1000)
    name = f"v{version}" if version else cause
    commit = commit or (f"{version:07x}a" if cause == "deploy" else "")
    said = text or f"{f'{name}: ' if version else ''}{cause} {commit}".rstrip()
    up_ms = None if up_after_s is None else int(at_ms + up_after_s * 1000)
    return Release(app, version, at_ms, cause, said, commit=commit, up_ms=up_ms)


def events(releases: list[Release], rows: list[EventRow] | None = None, left_out: int = 0) -> Events:
    """Those of the last hour, newest first."""
    now_s = int(time.time())
    newest_first = sorted(releases, key=lambda one: -one.at_ms)
    return Events("shop", now_s - 3_600, now_s, newest_first, rows or [], left_out)


def shop_rows(app: str = "shop") -> list[EventRow]:
    """A crash, an error that is repeated, a restart, a build that failed, and a sentence nobody knows."""
    now_ms = int(time.time() * 1000)

    def at(ago_s: float) -> int:
        return int(now_ms - ago_s * 1000)

    return [
        EventRow(
            "e1", app, "error", at(900), at(300), 28, "Error R14 (Memory quota exceeded)",
            dyno="web.3", code="R14",
        ),
        EventRow(
            "e2", app, "state", at(400), at(400), 1, "State changed from up to crashed",
            dyno="web.2", state="crashed",
        ),
        EventRow(
            "e3", app, "exit", at(600), at(600), 1, "Process exited with status 143", dyno="web.1", status=143
        ),
        EventRow("e4", app, "restart", at(610), at(610), 1, "Cycling", dyno="web.1"),
        EventRow("e5", app, "build", at(1_300), at(1_300), 1, "Build failed", state="failed"),
        EventRow("e6", app, "scale", at(2_000), at(2_000), 1, "Scaled to web@3:Standard-2X"),
        EventRow("e7", app, "other", at(2_100), at(2_100), 1, HOSTILE_TEXT),
        EventRow("e8", app, "idle", at(2_200), at(2_200), 1, "Unidling", dyno="web.1"),
    ]  # fmt: skip


def figure(
    name: FigureName,
    before: float | None,
    after: float | None,
    word: Word | None = "no difference shown",
    interval: tuple[float | None, float | None] = (None, None),
) -> FigureComparison:
    """A figure with its change."""
    is_share = name in ("errors", "aborted")
    change = None
    if before is not None and after is not None:
        change = after - before if is_share else (after - before) / before if before else None
    return FigureComparison(name, before, after, change, *interval, word)


def route(path: str, word: Word = "no difference shown", *figures: FigureComparison) -> RouteComparison:
    """A route with these figures, and unchanged ones for the rest."""
    usual: dict[FigureName, FigureComparison] = {
        "requests": figure("requests", 2.0, 2.1, None),
        "errors": figure("errors", 0.004, 0.005, interval=(-0.002, 0.004)),
        "aborted": figure("aborted", 0.0, 0.0, interval=(-0.001, 0.001)),
        "p50": figure("p50", 20.0, 20.4, interval=(-0.03, 0.06)),
        "p95": figure("p95", 80.0, 81.0, interval=(-0.05, 0.08)),
        "p99": figure("p99", 140.0, 138.0, interval=(-0.2, 0.2)),
    }
    own = {one.figure: one for one in figures}
    return RouteComparison(
        path,
        digest(path) if path else "",
        1_800,
        1_890,
        word,
        [own.get(name, one) for name, one in usual.items()],
    )


def slower_checkout() -> RouteComparison:
    """35 % slower, for sure."""
    return route(
        "/checkout",
        "worse",
        figure("p50", 210.0, 280.0, "worse", (0.24, 0.41)),
        figure("p95", 420.0, 567.0, "worse", (0.28, 0.44)),
        figure("p99", 900.0, 1_100.0, "no difference shown", (-0.05, 0.61)),
    )


def comparison(
    routes: list[RouteComparison],
    *,
    version: int = 42,
    ago_s: float = 2_400.0,
    total: RouteComparison | None = None,
    window_s: int = 900,
) -> Comparison:
    """Of a release that went up 40 s after it was made."""
    found = release(version, ago_s, commit="9154a1d2", up_after_s=40)
    at_s = found.at_ms // 10_000 * 10
    up_s = at_s + 40
    return Comparison(
        "shop",
        before=Side(at_s - window_s, at_s, 18_000, 20.0),
        after=Side(up_s, up_s + window_s, 18_900, 21.0),
        release=found,
        total=total or route(""),
        routes=routes,
    )


def worse() -> Comparison:
    """One of three routes is slower; traffic has changed, so yesterday is shown, too."""
    found = comparison(
        [
            slower_checkout(),
            route("/cart", "better", figure("errors", 0.05, 0.01, "better", (-0.05, -0.03))),
            route("/"),
        ]
    )
    yesterday = replace(comparison([route("/checkout"), route("/")], ago_s=2_400 + 86_400), release=None)
    return replace(
        found,
        warnings=[
            "the rate changed by 48 %: the time of day may explain a difference",
            "v41 came so close to v42 that there is nothing in between: this is what both changed",
        ],
        yesterday=yesterday,
        routes_left_out=3,
    )
