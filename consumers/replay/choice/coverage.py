"""How much of what was asked was sent, and which routes were left out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from app.store.run_figures import RunFigures
from app.store.run_result import Coverage, RouteLeftOut
from consumers.replay.request import Request

NOT_ASKED = frozenset({"replayed", "forged-mark", "connection", "method", "rule", "sample", "route", "app"})
"""Reasons that are a choice: the user's own, or every replay's. Any other is against the user's wish."""

NAMED_BY_USER = frozenset({"route", "app", "replayed", "forged-mark"})
"""Reasons that need no reminder: the user named what to leave out, or it is no traffic."""

MISSING_MAX_SHARE = 0.05
"""Of a window's time. A run that lacks more says too little about the window that was asked for."""

KEYS_MAX = 500
ROUTES_SHOWN = 50
OTHER = "(other)"
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY"}
)


class LeftOutKeys:
    """The names under which requests that are not sent are counted: (reason, route), at most KEYS_MAX of them
    and one more a reason."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def key(self, request: Request, reason: str) -> tuple[str, str]:
        """Where to count this request."""
        if reason == "method":
            reason = f"method {request.method if request.method in METHODS else OTHER}"
        found = (reason, request.route)
        if found not in self._known:
            if len(self._known) >= KEYS_MAX:
                return reason, OTHER
            self._known.add(found)
        return found


def coverage_of(
    figures: RunFigures,
    *,
    of_other_apps: int = 0,
    window_s: float = 0.0,
    missing_s: float = 0.0,
    was_overtaken: bool = False,
) -> Coverage:
    """The coverage of a run with these figures. `of_other_apps`: requests that `--app` left out;
    `missing_s`: of the window's time, what is not in the log."""
    total = figures.total()
    skipped = figures.skipped + Counter({"app": of_other_apps})
    not_asked = {reason: count for reason, count in skipped.items() if reason in NOT_ASKED}
    left_out = {reason: count for reason, count in skipped.items() if reason not in NOT_ASKED}
    asked = total.sent + sum(left_out.values())
    routes = sorted(_routes_left_out(figures), key=lambda one: (-one.left_out, one.route))
    return Coverage(
        in_window=asked + sum(not_asked.values()),
        asked=asked,
        sent=total.sent,
        answered=total.answered,
        left_out=left_out,
        not_asked=not_asked,
        uncomparable=dict(figures.uncomparable),
        routes_left_out=routes[:ROUTES_SHOWN],
        more_routes_left_out=max(0, len(routes) - ROUTES_SHOWN),
        window_s=window_s,
        missing_s=missing_s,
        was_overtaken=was_overtaken,
    )


def _routes_left_out(figures: RunFigures) -> Iterator[RouteLeftOut]:
    by_route: dict[str, Counter[str]] = {}
    for (reason, route), count in figures.left_out.items():
        if reason not in NAMED_BY_USER:
            by_route.setdefault(route, Counter())[reason] += count
    for route, reasons in by_route.items():
        sent = figures.routes[route].sent if route in figures.routes else 0
        if sent:
            # A sample is like the rest of its route.
            del reasons["sample"]
        if (count := reasons.total()) > sent:
            yield RouteLeftOut(route, sent, count, dict(reasons))


def why_too_little(coverage: Coverage) -> list[str]:
    """Why a run cannot pass, whatever it has measured: too much of its window is not in the log."""
    reasons = []
    if coverage.missing_s > MISSING_MAX_SHARE * coverage.window_s:
        share = coverage.missing_s / coverage.window_s
        reasons.append(
            f"{share * 100:.0f} % of the window is not in the log: the run says nothing about that time"
        )
    if coverage.was_overtaken:
        reasons.append(
            "the log dropped requests of the window before they were read: replay faster, from later on, or "
            "keep the log longer (docs/heroku.md, How far back)"
        )
    return reasons
