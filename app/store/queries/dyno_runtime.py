"""What the platform says of the dynos of an app: what they last were, and what was measured in a span."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import redis

from app.store import gauge_rows
from app.store.gauge_rows import SCALE, GaugeKind
from app.store.queries.gauges import (
    SEEN_BEHIND_S,
    AppName,
    LatestValues,
    Merged,
    known_names,
    latest_values,
    merged_windows,
    scopes,
)
from app.store.queries.routes import most_rows
from app.store.queries.spans import SpanPlan

SILENT_S = 180
"""A dyno that sends metrics does so every 20 s; one that did, and then for so long did not, is gone."""

RUNS_MAX_S = 28 * 3_600
"""Heroku restarts a dyno within 24 hours and 216 minutes. One that said longer ago that it is up is gone."""

ENDED_STATES = frozenset({"down", "complete"})
SILENT = "silent"

_SAMPLED = (gauge_rows.MEMORY, gauge_rows.RSS, gauge_rows.LOAD, gauge_rows.LOAD_5M, gauge_rows.LOAD_15M)
_OF_METRICS = frozenset(_SAMPLED) - {gauge_rows.MEMORY}
"""Sent by log-runtime-metrics alone: memory is also said with each R14."""


@dataclass(frozen=True, slots=True)
class DynoRuntime:
    """What the platform says of a dyno. None: it has not said it. MB are as Heroku counts."""

    state: str = ""
    """up, starting, crashed, down, ...; empty: not known. What sends metrics is up, unless another state was
    said. `silent`: it was up, but has not been heard of for SILENT_S. The latest of all is not known where it
    is later than the span."""
    state_since_ms: int | None = None
    sampled_ms: int | None = None
    """When memory or load was last said."""
    memory_mb: float | None = None
    """The latest, as rss_mb, swap_mb, quota_mb, load_1m, load_5m and load_15m are."""
    rss_mb: float | None = None
    swap_mb: float | None = None
    quota_mb: float | None = None
    memory_share: float | None = None
    """memory_mb / quota_mb."""
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None
    memory_highest_mb: float | None = None
    """In the span, as all that follows; in whole minutes, or if they are not kept any more, hours."""
    memory_average_mb: float | None = None
    load_highest: float | None = None
    load_average: float | None = None
    restarts: int = 0
    """How often it started."""
    crashes: int = 0
    r14: int = 0
    r15: int = 0
    memory_spark: list[float | None] = field(default_factory=list)
    """MB, the average of each step."""
    load_spark: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of one dyno."""

    latest: LatestValues
    merged: Merged | None
    """None: nothing was measured in the span."""

    def state(self, plan: SpanPlan, has_requests: bool) -> tuple[str, int | None]:
        """Its state at the end of the span, and since when, Unix ms."""
        found = self.latest.values.get(gauge_rows.STATE)
        is_silent = self.is_silent(plan.until_s)
        if found is None:
            return ("up" if self.has_metrics(plan) and not is_silent else ""), None
        if found.at_ms >= plan.until_s * 1000:
            return "", None
        return SILENT if found.text == "up" and is_silent and not has_requests else found.text, found.at_ms

    def is_silent(self, at_s: int) -> bool:
        """Whether it sent metrics, and then none for long before `at_s`."""
        heard_ms = max((value.at_ms for value in self.latest.values.values()), default=0)
        return self.sampled_ms(_OF_METRICS) is not None and heard_ms < (at_s - SILENT_S) * 1000

    def sampled_ms(self, names: Iterable[str] = _SAMPLED) -> int | None:
        """When one of these measures was last said, Unix ms."""
        times = [self.latest.values[name].at_ms for name in names if name in self.latest.values]
        return max(times, default=None)

    def is_in(self, plan: SpanPlan) -> bool:
        """Whether it ran in the span, as far as that is known: something was measured or happened in it, or
        before it the platform said that it runs, and not that it ended."""
        if self.merged is not None:
            return True
        state, since_ms = self.state(plan, has_requests=False)
        if not state or state in ENDED_STATES or self.is_silent(plan.start_s):
            return False
        return since_ms is None or since_ms > (plan.until_s - RUNS_MAX_S) * 1000

    def has_metrics(self, plan: SpanPlan) -> bool:
        """Whether it sent log-runtime-metrics in the span, or just before."""
        if self.merged is not None and gauge_rows.LOAD in self.merged.measures:
            return True
        sampled_ms = self.sampled_ms(_OF_METRICS)
        return sampled_ms is not None and sampled_ms // 1000 in range(plan.start_s - SILENT_S, plan.until_s)

    def runtime(self, plan: SpanPlan, has_requests: bool) -> DynoRuntime:
        """As it is shown."""
        state, since_ms = self.state(plan, has_requests)
        until_ms = plan.until_s * 1000
        now = {
            name: value.value / SCALE
            for name, value in self.latest.values.items()
            if value.at_ms < until_ms and name != gauge_rows.STATE
        }
        quota = self.latest.value(gauge_rows.QUOTA)
        memory_mb, quota_mb = now.get(gauge_rows.MEMORY), scaled(quota)
        sampled_ms = self.sampled_ms()
        counters = self.merged.counters if self.merged else {}
        measured = self.merged or nothing(plan)
        return DynoRuntime(
            state=state,
            state_since_ms=since_ms,
            sampled_ms=sampled_ms if sampled_ms is not None and sampled_ms < until_ms else None,
            memory_mb=memory_mb,
            rss_mb=now.get(gauge_rows.RSS),
            swap_mb=now.get(gauge_rows.SWAP),
            quota_mb=quota_mb,
            memory_share=round(memory_mb / quota_mb, 4) if memory_mb is not None and quota_mb else None,
            load_1m=now.get(gauge_rows.LOAD),
            load_5m=now.get(gauge_rows.LOAD_5M),
            load_15m=now.get(gauge_rows.LOAD_15M),
            memory_highest_mb=scaled(measured.highest(gauge_rows.MEMORY)),
            memory_average_mb=scaled(measured.average(gauge_rows.MEMORY)),
            load_highest=scaled(measured.highest(gauge_rows.LOAD)),
            load_average=scaled(measured.average(gauge_rows.LOAD)),
            restarts=counters.get(gauge_rows.STARTS, 0),
            crashes=counters.get(gauge_rows.CRASHES, 0),
            r14=counters.get(gauge_rows.R14, 0),
            r15=counters.get(gauge_rows.R15, 0),
            memory_spark=scaled_spark(measured, gauge_rows.MEMORY),
            load_spark=scaled_spark(measured, gauge_rows.LOAD),
        )


UNKNOWN = Found(LatestValues({}), None)


def nothing(plan: SpanPlan) -> Merged:
    """What is merged where nothing was measured."""
    return Merged({}, {}, [{} for _ in plan.bins])


def read_dynos(
    store: redis.Redis, app: str, plan: SpanPlan, now_s: float, shown: Collection[AppName] = ()
) -> tuple[dict[AppName, Found], int]:
    """All dynos that the platform names and that may have run in the span; and how many more there are. Where
    there are too many to read, those come first that are `shown` anyway."""
    found: dict[AppName, Found] = {}
    left_out = 0
    of = scopes(store, app)
    kinds: tuple[GaugeKind, ...] = ("one-offs", "runtime")
    for kind in kinds:
        names, further = known_names(store, kind, of, plan.start_s - RUNS_MAX_S)
        latest = latest_values(store, kind, list(names))
        active = [row for row, seen_s in names.items() if seen_s >= plan.start_s - SEEN_BEHIND_S]
        active.sort(key=lambda row: row not in shown)
        most = most_rows(plan)
        merged = merged_windows(store, kind, active[:most], plan, now_s)
        left_out += further + len(active[most:])
        for row in names:  # `(other)` is in both: that of the formation is shown.
            found[row] = Found(latest.get(row, LatestValues({})), merged.get(row))
    return found, left_out


def scaled_spark(merged: Merged, name: str) -> list[float | None]:
    """The average of each step, in MB, or of load."""
    return [scaled(value) for value in merged.spark(name)]


def scaled(value: float | None) -> float | None:
    """In MB, or of load, from hundredths."""
    return None if value is None else round(value / SCALE, 2)
