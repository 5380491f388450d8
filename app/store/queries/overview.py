"""All apps side by side: rate, errors, times, and which of them are silent."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store import keys
from app.store.queries.all_time import Seen, all_time_seen
from app.store.queries.changes import Before, Changes, Earlier
from app.store.queries.figures import Figures, latency, rounded
from app.store.queries.routes import WINDOWS_READ, apps
from app.store.queries.spanned import Comparison, Row, Spanned, compare_rows, read_rows
from app.store.queries.spans import FINE_S, Span, last_minute, plan
from app.store.queries.unnamed import without_named
from app.store.queries.windows import row_sums

SPARK_BINS = 30
FEWEST_APPS = 50

TOTAL: Row = ("", keys.ALL_ROUTES)


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app in a span; the sparks have a value for each step, oldest first."""

    app: str
    """Empty: requests without an app's name."""
    figures: Figures
    now_requests_per_s: float
    now_error_rate: float
    """Over the last whole minute."""
    last_s: int | None
    """When the newest 10 seconds with a request began, Unix s; None: not known."""
    requests_spark: list[float]
    """Requests per second."""
    errors_spark: list[float]
    """Errors per second."""
    now_p95: float | None = None
    """Service time over the last whole minute, ms; None if there were no requests."""
    changes: Changes = field(default_factory=dict)
    """Against the earlier span, where one is asked for."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Every app that was ever seen, busiest in the span first; times in Unix seconds."""

    from_s: int
    to_s: int
    step_s: int
    apps: list[AppRow]
    left_out: int
    """Least-used apps that were omitted because there are many."""
    before: Before | None = None
    """What it is compared with."""
    rounded_to_s: int = FINE_S
    """As in RoutesTable."""


def overview(store: redis.Redis, span: Span | None, now_s: float, compare: Earlier | None = None) -> Overview:
    """The apps in a span; None: the last 31 days. Requests without an app's name are what all apps together
    have beyond the named ones: they have a row unless apps are left out."""
    span_plan = plan(span or Span(31 * 86_400), now_s, SPARK_BINS)
    known = apps(store)
    most = max(FEWEST_APPS, WINDOWS_READ // span_plan.windows)
    named = [(found.name, keys.ALL_ROUTES) for found in known.apps[:most]]
    left_out = len(known.apps) - len(named)
    has_unnamed = bool(known.unnamed) and not left_out
    # All apps together are read first: what comes in between is missing there, and no request without a name.
    rows = [TOTAL, *named]
    all_time_count = known.unnamed + sum(found.requests for found in known.apps)
    after = read_rows(store, "", rows, span_plan, now_s, all_time_count, with_errors=True)
    minute = last_minute(now_s)
    now = Spanned(minute, minute.start_s, row_sums(store, rows, minute))
    comparison = compare_rows(store, "", rows, after, compare, now_s)
    seen = all_time_seen(store, rows)
    if has_unnamed:
        seen[TOTAL] = _unnamed_seen(seen, known.unnamed)
        for spanned in (after, now, *([comparison.spanned] if comparison else [])):
            without_named(spanned, [TOTAL])
    found = [
        _row(row, after, now, comparison, seen[row]) for row in (*named, *([TOTAL] if has_unnamed else []))
    ]
    return Overview(
        from_s=after.from_s,
        to_s=span_plan.until_s,
        step_s=span_plan.step_s,
        apps=sorted(found, key=lambda row: (-row.figures.count, row.app)),
        left_out=left_out,
        before=comparison.before if comparison else None,
        rounded_to_s=span_plan.grain_s,
    )


def _row(row: Row, after: Spanned, now: Spanned, comparison: Comparison | None, seen: Seen) -> AppRow:
    lately = now.sums(row).total
    return AppRow(
        app=row[0],
        figures=after.figures(row),
        now_requests_per_s=rounded(lately.requests / (now.plan.end_s - now.plan.start_s)),
        now_error_rate=rounded(lately.errors / lately.requests) if lately.requests else 0.0,
        last_s=seen.last_s,
        requests_spark=after.spark(row),
        errors_spark=after.errors_spark(row),
        now_p95=latency(lately.service).p95,
        changes=comparison.changes(after, row) if comparison else {},
    )


def _unnamed_seen(seen: dict[Row, Seen], requests: int) -> Seen:
    """When requests without a name came last: known if they came later than all others."""
    named = [found.last_s for row, found in seen.items() if row != TOTAL and found.last_s is not None]
    last_s = seen[TOTAL].last_s
    return Seen(requests, last_s if last_s is not None and last_s > max(named, default=0) else None)
