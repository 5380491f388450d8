"""What the platform says, for alerts: running dynos with their memory and errors, releases, and how the
latest release compares. All of it is read less often than every step, and is remembered in between."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import redis

from app.alerts.facts import DynoFacts
from app.comparison.result import Comparison
from app.platform.dynos import by_number, is_one_off
from app.platform.release import Release
from app.store import gauge_rows, queries
from app.store.bounds import OTHER
from app.store.event_rows import DYNOS, StoredEvent
from app.store.queries.dyno_runtime import Found, read_dynos
from app.store.queries.gauges import AppName
from app.store.queries.latest_releases import latest_releases
from app.store.queries.release_comparison import compare_release
from app.store.queries.spans import MINUTE_S, Span, SpanPlan, plan
from app.store.queries.stored_events import Wanted, read_tables

EVERY_S = 20
"""How often dynos and releases are read: the platform measures every 20 s."""

COMPARE_EVERY_S = 60
"""How often the latest release of an app is compared, at most; of one app a step."""

COMPARE_WITHIN_S = 3_600
"""A release that is older is not compared any more."""

EVENTS_S = 600
MEMORY_MINUTES = 5

RELEASES_EVERY_S = 60
"""How often all releases of an app are read, for moments of the past."""

CRASHED = "crashed"


Dynos = Mapping[str, tuple[DynoFacts, ...]]


@dataclass(slots=True)
class PlatformReader:
    """Remembers what it read. All methods raise redis.RedisError."""

    _dynos: Dynos = field(default_factory=dict)
    _dynos_s: float = -EVERY_S
    _latest: dict[str, Release] = field(default_factory=dict)
    _latest_s: float = -EVERY_S
    _latest_of: frozenset[str] = frozenset()
    _all: dict[str, tuple[float, Sequence[Release]]] = field(default_factory=dict)
    _compared: dict[str, tuple[float, int, Comparison]] = field(default_factory=dict)
    """App -> when it was compared, the release's moment (Unix ms), and the result."""

    def dynos(self, store: redis.Redis, now_s: float) -> Dynos:
        """As `read_dyno_facts`."""
        if not 0 <= now_s - self._dynos_s < EVERY_S:
            self._dynos, self._dynos_s = read_dyno_facts(store, now_s), now_s
        return self._dynos

    def latest(self, store: redis.Redis, apps: Sequence[str], now_s: float) -> dict[str, Release]:
        """App -> its latest release."""
        if not 0 <= now_s - self._latest_s < EVERY_S or not self._latest_of.issuperset(apps):
            self._latest, self._latest_s = latest_releases(store, apps), now_s
            self._latest_of = frozenset(apps)
        return {app: release for app, release in self._latest.items() if app in apps}

    def before(self, store: redis.Redis, apps: Sequence[str], at_s: int, now_s: float) -> dict[str, Release]:
        """App -> its latest release before the moment `at_s` (Unix s), of those within a month before."""
        found = {}
        for app in apps:
            read_s, releases = self._all.get(app, (-float(RELEASES_EVERY_S), ()))
            if not 0 <= now_s - read_s < RELEASES_EVERY_S:
                releases = queries.events(store, app, None, now_s).releases if app else ()
                self._all[app] = now_s, releases
            last = next((one for one in releases if one.at_ms <= at_s * 1000), None)
            if last is not None:
                found[app] = last
        return found

    def comparisons(
        self, store: redis.Redis, latest: Mapping[str, Release], now_s: float
    ) -> dict[str, Comparison]:
        """App -> its latest release against the time before, where one came within the last hour and the
        comparison was made already: one is made in each step."""
        recent = {
            app: release
            for app, release in latest.items()
            if app and 0 <= now_s - release.at_ms / 1000 < COMPARE_WITHIN_S
        }
        self._compared = {app: found for app, found in self._compared.items() if app in recent}
        due = [app for app in recent if self._is_due(app, recent[app], now_s)]
        if due:
            app = min(due, key=lambda one: self._compared[one][0] if one in self._compared else -1.0)
            found = compare_release(store, app, 0, now_s)
            self._compared[app] = now_s, recent[app].at_ms, found
        return {
            app: found
            for app, (_, at_ms, found) in self._compared.items()
            if at_ms == recent[app].at_ms and not found.refused
        }

    def _is_due(self, app: str, release: Release, now_s: float) -> bool:
        """Once both spans are over, nothing changes any more."""
        compared = self._compared.get(app)
        if compared is None or compared[1] != release.at_ms:
            return True
        return not compared[2].is_complete and now_s - compared[0] >= COMPARE_EVERY_S


def read_dyno_facts(store: redis.Redis, now_s: float) -> Dynos:
    """App -> the dynos of its formation that ran within the last ten minutes, by name."""
    span_plan = plan(Span(EVENTS_S, step_s=MINUTE_S), now_s, 1)
    found, _ = read_dynos(store, "", span_plan, now_s)
    ran = {row: dyno for row, dyno in found.items() if _is_kept(row, dyno, span_plan)}
    errors = _errors(store, {app for app, _ in ran}, span_plan)
    dynos: dict[str, list[DynoFacts]] = {}
    for row in sorted(ran, key=lambda row: (row[0], by_number(row[1]))):
        dynos.setdefault(row[0], []).append(_facts(row[1], ran[row], span_plan, errors[row]))
    return {app: tuple(some) for app, some in dynos.items()}


def _is_kept(row: AppName, dyno: Found, span_plan: SpanPlan) -> bool:
    return row[1] != OTHER and not is_one_off(row[1]) and dyno.is_in(span_plan)


def _facts(name: str, dyno: Found, span_plan: SpanPlan, errors: Counter[str]) -> DynoFacts:
    counted = dyno.merged.counters if dyno.merged else {}
    events = dict(errors)
    for code, counter in (("R14", gauge_rows.R14), ("R15", gauge_rows.R15), (CRASHED, gauge_rows.CRASHES)):
        if count := counted.get(counter, 0):
            events[code] = count
    return DynoFacts(name, _memory_share(dyno, span_plan), events)


def _memory_share(dyno: Found, span_plan: SpanPlan) -> float | None:
    """The average of the last minutes."""
    quota = dyno.latest.value(gauge_rows.QUOTA)
    if not quota or dyno.merged is None:
        return None
    last = dyno.merged.steps[-MEMORY_MINUTES - 1 :]  # The last minute has only begun.
    measured = [step[gauge_rows.MEMORY] for step in last if gauge_rows.MEMORY in step]
    samples = sum(values[0] for values in measured)
    return round(sum(values[1] for values in measured) / samples / quota, 4) if samples else None


def _errors(store: redis.Redis, apps: Iterable[str], span_plan: SpanPlan) -> dict[AppName, Counter[str]]:
    """The R-codes that have no counters of their own, of each dyno. (Of a dyno's error, a row lists the first
    moments of ten minutes and the last one: those in between count if the last one does.)"""
    from_ms, to_ms = span_plan.start_s * 1000, span_plan.until_s * 1000
    wanted = [Wanted(app, DYNOS, from_ms, to_ms, from_ms) for app in sorted(apps)]
    found: dict[AppName, Counter[str]] = defaultdict(Counter)
    for table in read_tables(store, wanted):
        for _, row in table.rows:
            if row.event.kind == "error" and row.event.code not in ("R14", "R15"):
                found[table.app, row.event.dyno][row.event.code] += _count(row, from_ms)
    return found


def _count(row: StoredEvent, from_ms: int) -> int:
    return sum(at_ms >= from_ms for at_ms in row.times_ms) + (row.further if row.last_ms >= from_ms else 0)
