"""Platform rows: what a batch adds to an app's events and gauges, on the same way to Redis as rows (rows.py).

In a portion such a row has neither route nor name, and instead one of these lists:

    events   parts as event_rows.py makes them; `add_event` in event_rows.lua adds each
    gauges   parts as gauge_rows.py makes them; `add_gauge` in gauge_rows.lua adds each

A part is added once, like every other part of a portion, and costs a known number of units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.store.grouping import grouped
from app.store.keys import ALL_ROUTES, scope

PART_UNITS_MAX = 900
"""What the parts of one row cost at most: a row is never split, and a portion costs about 1,000."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is added as a whole. `told`: as the script takes it, in JSON."""

    told: Sequence[Any]
    units: int
    """What it costs: see rows.ROW_UNITS."""


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """What a batch adds to one app; "": to what came without an app's name."""

    app: str
    events: Sequence[Part] = ()
    gauges: Sequence[Part] = ()


def platform_pieces(row: PlatformRow) -> Iterator[tuple[dict[str, Any], list[bytes], int]]:
    """The row as pieces of portions, and what each costs."""
    row_of_all = {"scopes": [scope(row.app)], "route": None, "digest": ALL_ROUTES, "chunks": []}
    for name, parts in (("events", row.events), ("gauges", row.gauges)):
        for some in grouped(parts, lambda part: part.units, PART_UNITS_MAX):
            told = [part.told for part in some]
            yield row_of_all | {name: told}, [], sum(part.units for part in some)
