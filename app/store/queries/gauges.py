"""Reads gauges: which names are known, their latest values, and their windows merged for a span.

The windows of gauges are longer than those of requests. So a span is widened to whole windows, and a step
that is shorter than a window shows the window that it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import redis

from app.store import keys, replies
from app.store.bounds import OTHER
from app.store.gauge_rows import WINDOWS_OF, GaugeKind, Latest, Values
from app.store.queries.routes import apps
from app.store.queries.spans import HOUR_S, KEPT_MARGIN_S, SpanPlan, Window
from app.store.queries.windows import by_chunk
from app.store.settle import read_lua

NAMES_READ_MAX = 10_000
"""Names of all apps that are looked at, those of the busiest apps first."""

WINDOWS_PER_CALL = 250

SEEN_BEHIND_S = 120
"""When a name was last seen is the start of a window, and known to a step of a minute."""

_SUM = read_lua("queries/sum_gauges.lua")

AppName = tuple[str, str]
"""App, and a name in it."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The windows of a gauge in a span; measures are [number of samples, sum, lowest, highest]."""

    counters: Mapping[str, int]
    measures: Mapping[str, Values]
    steps: Sequence[Mapping[str, Values]]

    def average(self, name: str) -> float | None:
        """Of a measure in the span."""
        return average(self.measures, name)

    def lowest(self, name: str) -> float | None:
        """As `average`."""
        return self.measures[name][2] if name in self.measures else None

    def highest(self, name: str) -> float | None:
        """As `average`."""
        return self.measures[name][3] if name in self.measures else None

    def spark(self, name: str) -> list[float | None]:
        """The average of each step; None where no sample came."""
        return [average(step, name) for step in self.steps]


@dataclass(frozen=True, slots=True)
class LatestValues:
    """What is known last of a name."""

    values: Mapping[str, Latest]
    left_out: int = 0

    def value(self, name: str) -> float | None:
        """None where it is not known."""
        return self.values[name].value if name in self.values else None


def average(measures: Mapping[str, Values], name: str) -> float | None:
    """Of a measure; None where there is no sample of it."""
    found = measures.get(name)
    return found[1] / found[0] if found and found[0] else None


def scopes(store: redis.Redis, app: str) -> list[str]:
    """The apps that a query of `app` is about: of all, "" is for what has no app's name."""
    return [app] if app else ["", *(found.name for found in apps(store).apps)]


def known_names(
    store: redis.Redis, kind: GaugeKind, scopes: Sequence[str], since_s: int
) -> tuple[dict[AppName, int], int]:
    """The names that were seen since then -> when last, Unix s; and how many more there are."""
    pipeline = store.pipeline(transaction=False)
    for scope in scopes:
        pipeline.zcount(keys.names(scope, kind), since_s - SEEN_BEHIND_S, "+inf")
    sizes = dict(zip(scopes, map(replies.number, pipeline.execute()), strict=True))
    read: list[str] = []
    count = 0
    for scope, size in sizes.items():
        if size and count + size <= NAMES_READ_MAX:
            read.append(scope)
            count += size
            pipeline.zrangebyscore(
                keys.names(scope, kind), since_s - SEEN_BEHIND_S, "+inf", 0, NAMES_READ_MAX, withscores=True
            )
    answers: list[list[tuple[bytes, float]]] = pipeline.execute()
    known = {
        (scope, replies.text(name)): int(seen_s)
        for scope, answer in zip(read, answers, strict=True)
        for name, seen_s in answer
    }
    return known, sum(sizes.values()) - count


def latest_values(
    store: redis.Redis, kind: GaugeKind, names: Sequence[AppName]
) -> dict[AppName, LatestValues]:
    """The latest values of those that have any; one round trip."""
    pipeline = store.pipeline(transaction=False)
    for app, name in names:
        pipeline.get(keys.total(app, keys.name_digest(kind, name), keys.LATEST))
    found = {}
    for row, answer in zip(names, pipeline.execute(), strict=True):
        if answer and row[1] != OTHER:
            content = replies.json_object(answer)
            # Lua knows no empty object apart from an empty list.
            values = {name: Latest(*value) for name, value in dict(content["values"] or {}).items()}
            found[row] = LatestValues(values, int(content["left_out"]))
    return found


def merged_windows(
    store: redis.Redis, kind: GaugeKind, names: Sequence[AppName], plan: SpanPlan, now_s: float
) -> dict[AppName, Merged]:
    """The windows of these names in a span; names without any are left out. One round trip."""
    steps = [list(_cover(part.start_s, part.end_s, kind, now_s)) for part in plan.bins]
    span = list(_cover(plan.start_s, plan.until_s, kind, now_s))
    windows = sorted({*span, *(window for step in steps for window in step)})
    places = {window: place for place, window in enumerate(windows, 1)}
    arguments = [
        orjson.dumps(told)
        for told in (
            by_chunk(windows),
            [places[window] for window in span],
            [[places[window] for window in step] for step in steps],
        )
    ]
    script = store.register_script(_SUM)
    pipeline = store.pipeline(transaction=False)
    at_once = max(1, WINDOWS_PER_CALL // len(windows))
    for at in range(0, len(names), at_once):
        prefixes = [keys.windows(app, keys.name_digest(kind, name)) for app, name in names[at : at + at_once]]
        script(args=[orjson.dumps(prefixes), *arguments], client=pipeline)
    answers = [answer for some in pipeline.execute() for answer in some]
    return {row: _merged(answer) for row, answer in zip(names, answers, strict=True) if answer}


def _merged(answer: Any) -> Merged:
    content = replies.json_object(answer)
    total = dict(content["total"] or {})
    return Merged(
        {name: value for name, value in total.items() if isinstance(value, int)},
        {name: value for name, value in total.items() if isinstance(value, list)},
        [dict(step or {}) for step in content["steps"]],
    )


def _cover(start_s: int, end_s: int, kind: GaugeKind, now_s: float) -> Iterator[Window]:
    """The windows that touch a time: hours where they fit or nothing shorter is kept, else the short ones."""
    (short_s, short_kept_s), _ = WINDOWS_OF[kind]
    at_s = start_s // short_s * short_s
    while at_s < end_s:
        is_whole_hour = at_s % HOUR_S == 0 and at_s + HOUR_S <= end_s
        is_gone = at_s + short_s + short_kept_s <= now_s + KEPT_MARGIN_S
        if is_whole_hour or is_gone:
            at_s = at_s // HOUR_S * HOUR_S
            yield HOUR_S, at_s
            at_s += HOUR_S
        else:
            yield short_s, at_s
            at_s += short_s
