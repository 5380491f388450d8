"""Rows by hand: what one route of one app gets, by the names of the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.store.rows import Added, Row
from app.store.schema import BUCKET_SHIFT, Counts, Field


@dataclass(slots=True)
class Times:
    """Service or connect of some requests."""

    sum_us: int = 0
    count: int = 0
    max_ms: float = 0.0
    sketch: dict[int, int] = field(default_factory=dict)


def row(
    route: str = "/foo",
    app: str = "",
    *,
    service: Times | None = None,
    connect: Times | None = None,
    statuses: Counts | None = None,
    mix: Counts | None = None,
    dynos: Counts | None = None,
    hosts: Counts | None = None,
    windows: Sequence[tuple[int, int, Mapping[Field, int]]] = (),
) -> Row:
    """`windows`: whole numbers among their fields are buckets, those of connect negative."""
    added = Added(
        counts={":mix": mix or {"count": 1, "bytes": 0}, "::statuses": statuses or {}},
        bounded={":dynos": dynos or {}, ":hosts": hosts or {}},
        windows=[(length_s, start_s, _shifted(counts)) for length_s, start_s, counts in windows],
    )
    for name, times in (("service", service), ("connect", connect)):
        if times and times.count:
            added.counts[f":{name}"] = {str(index): count for index, count in times.sketch.items()}
            added.times[f"::{name}"] = (times.sum_us, times.count)
            added.maxima[f"max_{name}"] = times.max_ms
    return Row((app,), route, added)


def _shifted(counts: Mapping[Field, int]) -> Mapping[Field, int]:
    return {name - BUCKET_SHIFT if isinstance(name, int) else name: count for name, count in counts.items()}
