"""Rows as they were in a span, and the same rows in an earlier one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.store import keys
from app.store.queries.changes import OFFSETS_S, Before, Changes, Counted, Earlier, changes
from app.store.queries.figures import Figures, figures
from app.store.queries.spans import FINE_S, HOUR_S, Span, SpanPlan, kept_from_s, plan
from app.store.queries.windows import RouteSums, first_request_s, first_window, row_sums
from app.store.sums import Sums

OVERLAP_MAX = 0.1
"""Share of a span that may be in the earlier one too."""

Row = tuple[str, str]
"""(app, digest); \"\": all apps together."""


@dataclass(frozen=True, slots=True)
class Spanned:
    """Rows in a span; those without a request in it are not in `rows`."""

    plan: SpanPlan
    from_s: int
    """From when on requests were counted: the start of the span, or the very first request, if that came
    later. A drain that is two minutes old has no rate over an hour."""
    rows: dict[Row, RouteSums]

    def sums(self, row: Row) -> RouteSums:
        """The sums of a row, which are 0 if it had no request."""
        return self.rows.get(row) or RouteSums(
            Sums(), [0] * len(self.plan.bins), 0, (FINE_S, self.plan.start_s), [0] * len(self.plan.bins)
        )

    def figures(self, row: Row) -> Figures:
        """The figures of a row."""
        return figures(self.sums(row).total, self.counted(row).rate)

    def spark(self, row: Row) -> list[float]:
        """Requests per second in each step."""
        return self._per_s(self.sums(row).requests_per_bin)

    def errors_spark(self, row: Row) -> list[float]:
        """Errors per second in each step, if they were asked for."""
        return self._per_s(self.sums(row).errors_per_bin)

    def counted(self, row: Row) -> Counted:
        """What a rate follows from: whole steps, because requests may still be on their way to the last."""
        sums = self.sums(row)
        return Counted(sums.total, self.plan.bins, sums.requests_per_bin, self.plan.end_s - self.from_s)

    def _per_s(self, counts: Sequence[int]) -> list[float]:
        return [
            float(f"{count / part.seconds:.3g}") for count, part in zip(counts, self.plan.bins, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same rows in an earlier span."""

    before: Before
    offset_s: int
    spanned: Spanned

    def changes(self, after: Spanned, row: Row) -> Changes:
        """The changes of a row."""
        return changes(self.spanned.counted(row), after.counted(row), self.offset_s)

    def ceased(self, after: Spanned) -> list[Row]:
        """The rows that had requests before, in a number that makes it no chance that they have none now."""
        return [
            row
            for row in self.spanned.rows
            if row not in after.rows and self.changes(after, row)["rate"].is_shown
        ]


def read_rows(
    store: redis.Redis,
    app: str,
    rows: Sequence[Row],
    span_plan: SpanPlan,
    now_s: float,
    all_time_count: int,
    *,
    with_errors: bool = False,
) -> Spanned:
    """The rows in a span; the first is that of all routes of `app`. `all_time_count`: its requests of all
    time, read before, so that requests in between prove nothing."""
    read = row_sums(store, rows, span_plan, with_errors=with_errors)
    total = read.get((app, keys.ALL_ROUTES))
    from_s = span_plan.start_s
    if total and not span_plan.running:
        from_s = max(from_s, _first_s(store, app, now_s, from_s))
    elif total and total.total.requests >= all_time_count:
        from_s = first_request_s(store, app, total.first)
    return Spanned(span_plan, min(from_s, span_plan.end_s - FINE_S), read)


def compare_rows(
    store: redis.Redis, app: str, rows: Sequence[Row], after: Spanned, earlier: Earlier | None, now_s: float
) -> Comparison | None:
    """The rows in the earlier span; None where nothing was counted or is kept of it. It costs as much as the
    span itself, or less."""
    if earlier is None or (found := earlier_plan(after.plan, earlier, now_s)) is None:
        return None
    span_plan, offset_s = found
    first_s = _first_s(store, app, now_s, span_plan.start_s)
    if first_s >= span_plan.end_s:
        return None
    from_s = min(max(span_plan.start_s, first_s), span_plan.end_s - FINE_S)
    before = Before(earlier, from_s, span_plan.until_s)
    return Comparison(before, offset_s, Spanned(span_plan, from_s, row_sums(store, rows, span_plan)))


def earlier_plan(after: SpanPlan, earlier: Earlier, now_s: float) -> tuple[SpanPlan, int] | None:
    """The plan of the earlier span, and by how many seconds it lies before. Of the same length, where that is
    kept, and in the same steps; of a span that is longer than an hour, say, it lies so many hours before that
    the two hardly overlap. None where less than half of it is kept."""
    length_s = after.end_s - after.start_s
    # A day that is widened to whole minutes is still compared with the day before.
    widened_s = min(2 * after.grain_s, OVERLAP_MAX * length_s)
    offset_s = OFFSETS_S[earlier] * math.ceil((length_s - widened_s) / OFFSETS_S[earlier])
    until_s = after.end_s - offset_s
    if until_s - length_s / 2 < kept_from_s(HOUR_S, now_s):
        return None
    return plan(Span(length_s, until_s, after.step_s), now_s, len(after.bins)), offset_s


def _first_s(store: redis.Redis, app: str, now_s: float, from_s: int) -> int:
    """When the first request came that is kept, as far as that matters to a span from `from_s` on."""
    first = first_window(store, app, now_s)
    if first is None:
        return int(now_s)
    length_s, start_s = first
    return first_request_s(store, app, first) if start_s + length_s > from_s else start_s
