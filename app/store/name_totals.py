"""The totals of all time of a dyno or host: one small hash, because names are many and few live long.

count, failed, aborted   requests
us                       microseconds of service in all, as exact as the sketch (1 %)
le<ms>                   requests that took at most so many ms, and more than the edge before
over                     requests that took more than the last edge
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from app.sketch import middle_ms, up_to
from app.store.schema import ABORTED, ADDED, BUCKET_SHIFT, REQUESTS, Counts, Field

EDGES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper edges of the times that Prometheus is given."""

_EDGES_MS = [edge_s * 1000 for edge_s in EDGES_S]
_EDGE_FIELDS = (*(f"le{edge_ms:g}" for edge_ms in _EDGES_MS), "over")
_COUNTS: Mapping[Field, str] = {REQUESTS.code: "count", ADDED.code: "failed", ABORTED.code: "aborted"}


@dataclass(frozen=True, slots=True)
class NameTotals:
    """What was counted of a dyno or host since its name is known."""

    requests: int
    failed: int
    aborted: int
    service_s: float
    """The sum of all times."""
    per_edge: list[int]
    """Requests up to each of EDGES_S and above the one before; last, those above all."""


def totals(window: Mapping[Field, int]) -> Counts:
    """What the hash gets for some requests; `window`: these requests as a window of a name has them."""
    found: Counts = {}
    service_us = 0
    for field, count in window.items():
        if isinstance(field, str):
            found[_COUNTS[field]] = count
        else:
            name, us = _time(field)
            found[name] = found.get(name, 0) + count
            service_us += us * count
    if service_us:
        found["us"] = service_us
    return found


def read_totals(stored: Counts) -> NameTotals:
    """What the hash says; all 0 for an empty one."""
    return NameTotals(
        requests=stored.get("count", 0),
        failed=stored.get("failed", 0),
        aborted=stored.get("aborted", 0),
        service_s=stored.get("us", 0) / 1e6,
        per_edge=[stored.get(name, 0) for name in _EDGE_FIELDS],
    )


@cache  # at most as many as there are buckets
def _time(field: int) -> tuple[str, int]:
    """Of a bucket's field in a window: its field here, and microseconds that stand for it."""
    index = field + BUCKET_SHIFT
    return _EDGE_FIELDS[up_to({index: 1}, _EDGES_MS).index(1)], round(middle_ms(index) * 1000)
