"""Reads the measured values of a line: of log-runtime-metrics, or of an add-on. Pure.

    source=web.1 dyno=heroku.2808254.d97d0ea7-... sample#load_avg_1m=2.46 sample#load_avg_5m=1.06
    source=DATABASE addon=postgresql-... sample#db_size=90755887bytes sample#index-cache-hit-rate=0.99997

Documented: devcenter.heroku.com, log-runtime-metrics and heroku-postgres-metrics-logs. Single values may be
missing, and names and units are whatever the sender writes.
"""

from __future__ import annotations

import re

from app.platform.facts import Sample, Samples
from app.platform.sentences import bounded
from app.store.bounds import NAME_MAX_CHARS, SAMPLES_MAX

_SAMPLE = re.compile(
    rf"sample#([A-Za-z][\w.:/-]{{0,{NAME_MAX_CHARS - 1}}}+)="
    r"([+-]?[0-9]{1,18}+(?:\.[0-9]{0,20}+)?+(?:[eE](?:-[0-9]{1,3}|\+?1?[0-9]))?+)"
    r"([A-Za-z%/]{0,16}+)(?!\S)",
    re.ASCII,
)
"""Name, number, unit. Its parts are bounded and possessive, so that no line takes longer than its length.
Longer numbers are no measure of anything here; what matches is a finite number."""

_SOURCE = re.compile(r"(?<!\S)source=([^\s=]{1,64}+)(?!\S)")
_ADDON = re.compile(r"(?<!\S)addon=([^\s=]{1,64}+)(?!\S)")

_new = tuple.__new__  # half the cost of Sample(...), which is Python code


def dyno_samples(dyno: str, line: str, at_ms: int) -> Samples | None:
    """The samples of a line of log-runtime-metrics; None if it has none."""
    values = _values(line)
    return Samples(at_ms, "dyno", dyno, "", values) if values else None


def addon_samples(origin: str, line: str, at_ms: int) -> Samples | None:
    """The samples of an add-on's line; None if it has none, or says neither source nor add-on."""
    source, addon = _SOURCE.search(line), _ADDON.search(line)
    values = _values(line) if source or addon else ()
    if not values:
        return None
    return Samples(
        at_ms,
        bounded(origin, NAME_MAX_CHARS),
        bounded(source[1]) if source else "",
        bounded(addon[1]) if addon else "",
        values,
    )


def _values(line: str) -> tuple[Sample, ...]:
    """Each name once, the first few."""
    found = {name: _new(Sample, (name, float(number), unit)) for name, number, unit in _SAMPLE.findall(line)}
    return tuple(found.values())[:SAMPLES_MAX]
