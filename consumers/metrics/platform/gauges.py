"""The states and measured values of a batch, as parts of platform rows. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from app.platform.dynos import is_one_off, process_type
from app.platform.facts import Event, Fact, Sample, Samples
from app.store import gauge_rows
from app.store.bounds import DYNO_MAX_CHARS, NAMES_SENT_MAX, OTHER
from app.store.gauge_rows import (
    MEASURE_MAX_BYTES,
    SCALE,
    UNIT_MAX_BYTES,
    WINDOWS_OF,
    AddonName,
    Gauge,
    GaugeKind,
    Latest,
    measure_code,
    parts,
)
from app.store.platform_rows import Part
from app.store.samples import safe

FUTURE_S = 3_600
"""What is said to be further ahead of now than this has a broken clock: now counts instead."""

STATES = ("idle", "down", "complete", "crashed", "created", "provisioning", "starting", "up")
"""Of two states of the same millisecond, the one that is later here counts as the one that followed."""

STATE_MAX_BYTES = 32

CRASH_STATUSES_BELOW = 128
"""A shell's convention: above it the status of a process says which signal ended it: 143 for SIGTERM."""

FAULT_STATUSES = frozenset({132, 134, 135, 136, 139})
"""128 and SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: the process's own fault, as no other signal is."""

VALUE_MAX = 1e18
"""No add-on has an exabyte: what is beyond has no meaning, and sums must stay finite."""

MEGABYTES = {"MB": 1.0, "M": 1.0, "": 1.0, "GB": 1024.0, "G": 1024.0, "kB": 1 / 1024, "K": 1 / 1024}
MEGABYTES |= {"bytes": 1 / 1024**2, "B": 1 / 1024**2}
"""Unit -> in MB, as Heroku counts them: a quota of 512 MB is 2^29 bytes."""

DYNO_VALUES = {
    "memory_total": gauge_rows.MEMORY,
    "memory_rss": gauge_rows.RSS,
    "memory_swap": gauge_rows.SWAP,
    "memory_quota": gauge_rows.QUOTA,
    "load_avg_1m": gauge_rows.LOAD,
    "load_avg_5m": gauge_rows.LOAD_5M,
    "load_avg_15m": gauge_rows.LOAD_15M,
}
"""Measure of log-runtime-metrics -> field. Cache and page counts are not kept: the rest says as much."""

_ERRORS = {"R14": gauge_rows.R14, "R15": gauge_rows.R15}
_OWN_WINDOWS = frozenset({gauge_rows.MEMORY, gauge_rows.LOAD})

_Gauges = dict[tuple[GaugeKind, str], Gauge]


def gauge_parts(facts: Sequence[Fact], now_s: int) -> list[Part]:
    """Of the facts of one app. `now_s` (Unix s) decides which windows are still kept."""
    gauges: _Gauges = {}
    for fact in facts:
        at_ms = fact.at_ms if fact.at_ms <= (now_s + FUTURE_S) * 1000 else now_s * 1000
        if isinstance(fact, Event):
            _add_event(gauges, fact, at_ms)
        elif fact.origin == "dyno":
            _add_dyno_samples(gauges, fact, at_ms)
        else:
            _add_addon_samples(gauges, fact, at_ms)
    return [part for gauge in _sent(gauges.values()) for part in parts(gauge, now_s)]


def _gauge(gauges: _Gauges, kind: GaugeKind, name: str, at_s: int) -> Gauge:
    gauge = gauges.get((kind, name))
    if gauge is None:
        gauge = gauges[kind, name] = Gauge(kind, name)
    if at_s > gauge.last_s:
        gauge.last_s = at_s
    gauge.facts += 1
    return gauge


def _of_dyno(gauges: _Gauges, dyno: str, start_s: int) -> list[Gauge]:
    """The dyno's gauge, and its process type's."""
    kind, name, process = _placed(dyno)
    return [_gauge(gauges, kind, name, start_s), _gauge(gauges, "processes", process, start_s)]


@lru_cache(maxsize=4096)
def _placed(dyno: str) -> tuple[GaugeKind, str, str]:
    """The kind and the name of a dyno, and its process type."""
    if len(dyno) > DYNO_MAX_CHARS or not dyno.isprintable():
        dyno = OTHER
    return ("one-offs" if is_one_off(dyno) else "runtime"), dyno, process_type(dyno) or dyno


def _add_event(gauges: _Gauges, event: Event, at_ms: int) -> None:
    """An R14 or R15, a change of state, or the exit of a one-off dyno."""
    counters = []
    if event.kind == "error" and event.code in _ERRORS:
        counters.append(_ERRORS[event.code])
    elif event.kind == "state":
        counters.append(gauge_rows.CHANGES)
        if event.state == "starting":
            counters.append(gauge_rows.STARTS)
        elif event.state == "crashed":
            counters.append(gauge_rows.CRASHES)
    elif event.kind == "exit" and is_one_off(event.dyno) and _is_crash(event.status):
        counters.append(gauge_rows.CRASHES)
    if not counters or not event.dyno:
        return
    start_s = _start_s(at_ms, "runtime")
    found = _of_dyno(gauges, event.dyno, start_s)
    for gauge in found:
        for counter in counters:
            gauge.count(start_s, counter)
    if event.kind == "state":
        found[0].note(gauge_rows.STATE, _state(at_ms, event.state))


def _is_crash(status: int | None) -> bool:
    """Of a one-off dyno, which is `complete` after any exit. Those of the formation change to `crashed` where
    one was not wanted, so their exits would count twice, or count a restart whose process does not exit
    with 0 after SIGTERM."""
    return status is not None and (0 < status < CRASH_STATUSES_BELOW or status in FAULT_STATUSES)


def _state(at_ms: int, state: str) -> Latest:
    """The value orders states of the same millisecond, those too that we do not know."""
    if state in STATES:
        return Latest(at_ms, STATES.index(state), state)
    text = safe(state, STATE_MAX_BYTES)
    return Latest(
        at_ms, -int.from_bytes(hashlib.sha1(text.encode(), usedforsecurity=False).digest()[:5]), text
    )


def _add_dyno_samples(gauges: _Gauges, samples: Samples, at_ms: int) -> None:
    values = [
        (DYNO_VALUES[sample.name], _dyno_value(sample))
        for sample in samples.values
        if sample.name in DYNO_VALUES
    ]
    kept = {name: value for name, value in values if value is not None}
    if not kept or not samples.source:
        return
    start_s = _start_s(at_ms, "runtime")
    of_dyno, of_process = _of_dyno(gauges, samples.source, start_s)
    for name, value in kept.items():
        of_dyno.note(name, Latest(at_ms, value))
        if name in _OWN_WINDOWS:
            of_dyno.sample(start_s, name, value)
            of_process.sample(start_s, name, value)


def _dyno_value(sample: Sample) -> int | None:
    """In hundredths, of a MB or of a process that runs or waits; None for what can't be."""
    factor = MEGABYTES.get(sample.unit) if sample.name.startswith("memory_") else 1.0
    if factor is None or not 0 <= sample.value < VALUE_MAX:
        return None
    return min(round(sample.value * factor * SCALE), 2**40)


def _add_addon_samples(gauges: _Gauges, samples: Samples, at_ms: int) -> None:
    kept = [sample for sample in samples.values if abs(sample.value) < VALUE_MAX]  # nan is not
    if not kept:
        return
    start_s = _start_s(at_ms, "addons")
    name = str(AddonName(samples.origin, samples.source, samples.addon))
    gauge = _gauge(gauges, "addons", name, start_s)
    for sample in kept:
        measure = safe(sample.name, MEASURE_MAX_BYTES)
        gauge.note(measure, Latest(at_ms, sample.value, safe(sample.unit, UNIT_MAX_BYTES)))
        gauge.sample(start_s, measure_code(measure), sample.value)


def _start_s(at_ms: int, kind: GaugeKind) -> int:
    """When the window of the shortest kind begins, Unix s."""
    length_s = WINDOWS_OF[kind][0][0]
    return at_ms // 1000 // length_s * length_s


def _sent(gauges: Iterable[Gauge]) -> list[Gauge]:
    """Of each kind at most NAMES_SENT_MAX, those of which most is said; the others together."""
    by_kind: dict[GaugeKind, list[Gauge]] = {}
    for gauge in gauges:
        by_kind.setdefault(gauge.kind, []).append(gauge)
    sent: list[Gauge] = []
    for kind, some in by_kind.items():
        if len(some) > NAMES_SENT_MAX:
            some.sort(key=lambda gauge: -gauge.facts)
            others = Gauge(kind, OTHER)
            for gauge in some[NAMES_SENT_MAX:]:
                others.add(gauge)
            some[NAMES_SENT_MAX:] = [others]
        sent += some
    return sent
