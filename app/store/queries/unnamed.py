"""Requests without an app's name: what all apps together have beyond the named ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.store.queries.spanned import Row, Spanned
from app.store.queries.windows import RouteSums
from app.store.sums import without


def without_named(spanned: Spanned, unnamed: Iterable[Row]) -> None:
    """Makes each of these rows, which were read of all apps together, the rest that no named app has. All
    rows of named apps with these digests must have been read, and later than these."""
    named: dict[str, list[RouteSums]] = {}
    for (app, digest), sums in spanned.rows.items():
        if app:
            named.setdefault(digest, []).append(sums)
    for row in unnamed:
        if total := spanned.rows.get(row):
            rest = _rest(total, named.get(row[1], ()))
            if rest.total.requests:
                spanned.rows[row] = rest
            else:
                del spanned.rows[row]


def _rest(total: RouteSums, parts: Iterable[RouteSums]) -> RouteSums:
    parts = list(parts)
    return RouteSums(
        without(total.total, (part.total for part in parts)),
        _differences(total.requests_per_bin, [part.requests_per_bin for part in parts]),
        max(0, total.running_requests - sum(part.running_requests for part in parts)),
        total.first,
        _differences(total.errors_per_bin, [part.errors_per_bin for part in parts]),
    )


def _differences(totals: list[int], parts: list[list[int]]) -> list[int]:
    return [max(0, total - sum(counts)) for total, *counts in zip(totals, *parts, strict=True)]
