"""How states and measured values are kept: the parts that gauge_rows.lua adds.

A gauge is what a batch says of one dyno, process type or add-on of an app. Each kind has a table of names of
its own (keys.NAME_DIGESTS), so that what the platform names takes no place from what router lines name:

    runtime    dynos of the formation: `web.1`
    one-offs   one-off dynos, `run.1234`: a smaller table, which forgets sooner
    processes  process types: all dynos of one together, one-off ones too. Kept for longer: dynos come and go
    addons     `<origin> TAB <source> TAB <add-on>`

Of each there are time windows, chunked as those of routes are (keys.chunk), and of dynos and add-ons a
string of JSON at keys.LATEST:

    values    field -> [Unix ms, value, what else is known of it]. The later one wins, of the same ms the
              larger one: so late and repeated messages change nothing, in whatever order they come
    left_out  the most measures that one batch had beyond MEASURES_MAX

A window is MessagePack of a map: counter -> how often, and measure -> [number of samples, sum, lowest,
highest]. The fields of dynos are below; they are whole numbers, so that sums are exact. Those of an add-on
are `measure_code` of the names that its latest values have.

In a portion, a part is this object:

    kind, name, digest, last_s  as in rows.py
    latest   [[field, Unix ms, value, what else is known, its code in windows], ...]
    chunks   [[name, when it expires (Unix s), [number of each window], [each window]], ...]
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from app.store.bounds import (
    ADDONS_MAX,
    MEASURES_MAX,
    NAMES_MAX,
    NAMES_SILENT_S,
    ONE_OFFS_MAX,
    ONE_OFFS_SILENT_S,
    PROCESSES_MAX,
    RARELY_SILENT_S,
)
from app.store.grouping import grouped
from app.store.keys import (
    ADDON_WINDOWS,
    CHUNK_S,
    DYNO_WINDOWS,
    LATEST,
    PROCESS_WINDOWS,
    chunk,
    name_digest,
)
from app.store.platform_rows import PART_UNITS_MAX, Part
from app.store.samples import safe

GaugeKind = Literal["runtime", "one-offs", "processes", "addons"]

WINDOWS_OF: Mapping[GaugeKind, tuple[tuple[int, int], ...]] = {
    "runtime": DYNO_WINDOWS,
    "one-offs": DYNO_WINDOWS,
    "processes": PROCESS_WINDOWS,
    "addons": ADDON_WINDOWS,
}

# The fields of a dyno's windows: two measures, in hundredths as Heroku sends them, and counters.
MEMORY, LOAD = "m", "l"
SCALE = 100
STARTS, CRASHES, CHANGES, R14, R15 = "s", "c", "t", "4", "5"

# Those of its latest values that have no window. The value of a state is its place among STATES.
STATE, RSS, SWAP, QUOTA, LOAD_5M, LOAD_15M = "state", "rss", "swap", "quota", "l5", "l15"

Values = list[int | float]
"""[number of samples, sum, lowest, highest]."""
Window = dict[str, int | Values]

ADDON_NAME_MAX_BYTES = 64
MEASURE_MAX_BYTES = 64
UNIT_MAX_BYTES = 16

MEASURES_A_PART = 60
GAUGE_UNITS = 60
WINDOW_UNITS = 30
MEASURE_UNITS = 3
"""What a part costs, each of its windows, and each field of those: see rows.ROW_UNITS."""


class Latest(NamedTuple):
    """The latest value of a field; what comes first in order is what wins."""

    at_ms: int
    value: float
    text: str = ""
    """What else is known: the unit of an add-on's value, the name of a state."""


@dataclass(slots=True)
class Gauge:
    """What a batch says of one name; `windows`: by their start in Unix s, of the shortest kind."""

    kind: GaugeKind
    name: str
    last_s: int = 0
    facts: int = 0
    """How many said something of it."""
    latest: dict[str, Latest] = field(default_factory=dict)
    windows: dict[int, Window] = field(default_factory=dict)

    def note(self, name: str, value: Latest) -> None:
        """Notes a value, if it is the latest."""
        before = self.latest.get(name)
        if before is None or value > before:
            self.latest[name] = value

    def sample(self, start_s: int, name: str, value: float) -> None:
        """Adds one sample of a measure."""
        window = self.windows.setdefault(start_s, {})
        before = window.get(name)
        if isinstance(before, list):
            count, sum_, lowest, highest = before
            window[name] = [count + 1, sum_ + value, min(lowest, value), max(highest, value)]
        else:
            window[name] = [1, value, value, value]

    def count(self, start_s: int, name: str) -> None:
        """Counts one event."""
        add_values(self.windows.setdefault(start_s, {}), {name: 1})

    def add(self, other: Gauge) -> None:
        """Adds the windows of another: they are one name's now."""
        self.last_s = max(self.last_s, other.last_s)
        for start_s, window in other.windows.items():
            add_values(self.windows.setdefault(start_s, {}), window)


def add_values(window: Window, added: Mapping[str, int | Values]) -> None:
    """Adds a window to another, as the script does."""
    for name, value in added.items():
        before = window.get(name)
        if isinstance(before, list) and isinstance(value, list):
            window[name] = [
                before[0] + value[0],
                before[1] + value[1],
                min(before[2], value[2]),
                max(before[3], value[3]),
            ]
        elif isinstance(before, int) and isinstance(value, int):
            window[name] = before + value
        elif before is None:
            window[name] = value if isinstance(value, int) else value[:]


class AddonName(NamedTuple):
    """What tells an add-on from another of its app: see facts.Samples."""

    origin: str
    source: str
    addon: str

    @staticmethod
    def read(name: str) -> AddonName:
        """Of a name in the table."""
        origin, source, addon, *_ = (*name.split("\t"), "", "", "")
        return AddonName(origin, source, addon)

    def __str__(self) -> str:
        """The name in the table: a tab is in no safe text."""
        return "\t".join(safe(part, ADDON_NAME_MAX_BYTES) for part in self)


def measure_code(name: str) -> str:
    """What stands for an add-on's measure in windows, because a name is longer than what is kept of it. Of 36
    bits: two names among MEASURES_MAX share one by a chance of one in 10^8."""
    found = hashlib.sha1(name.encode("utf-8", "surrogateescape"), usedforsecurity=False)
    return base64.b64encode(found.digest()[:6])[:6].decode()


LATEST_KEPT_S: Mapping[GaugeKind, int] = {
    "runtime": 2 * 86_400,
    "one-offs": 86_400,
    "processes": 0,
    "addons": 31 * 86_400,
}
"""How long latest values are kept. A dyno of Heroku starts anew at least every 24 hours and 216 minutes, so
one that runs has said so within two days. Process types have none."""


def gauge_limits() -> dict[str, Any]:
    """What the script has to know of each kind: the most names, after how many seconds of silence one gives
    way, for how long its latest values are kept, and whether further names count together."""
    return {
        "runtime": (NAMES_MAX, NAMES_SILENT_S, LATEST_KEPT_S["runtime"], True),
        "one-offs": (ONE_OFFS_MAX, ONE_OFFS_SILENT_S, LATEST_KEPT_S["one-offs"], True),
        "processes": (PROCESSES_MAX, RARELY_SILENT_S, 0, True),
        "addons": (ADDONS_MAX, RARELY_SILENT_S, LATEST_KEPT_S["addons"], False),
        "measures_max": MEASURES_MAX,
        "latest": LATEST,
    }


def parts(gauge: Gauge, now_s: int) -> Iterator[Part]:
    """The gauge as the script takes it; nothing where all of it is too old by `now_s` (Unix s)."""
    told = {
        "kind": gauge.kind,
        "name": gauge.name,
        "digest": name_digest(gauge.kind, gauge.name),
        "last_s": gauge.last_s,
    }
    windows = list(_kept_windows(gauge, now_s))
    is_addon = gauge.kind == "addons"
    oldest_ms = (now_s - LATEST_KEPT_S[gauge.kind]) * 1000
    latest = [
        (name, *value, measure_code(name) if is_addon else "")
        for name, value in gauge.latest.items()
        if value.at_ms > oldest_ms
    ]
    if not windows and not latest:
        return
    if not is_addon:
        yield from _parts(told, latest, windows)
        return
    # An add-on may log any number of measures: the script decides which are kept, some at a time.
    for at in range(0, len(latest), MEASURES_A_PART):
        some = latest[at : at + MEASURES_A_PART]
        codes = {code for *_, code in some}
        yield from _parts(
            told,
            some,
            [
                (length_s, kept_s, start_s, {name: window[name] for name in window.keys() & codes})
                for length_s, kept_s, start_s, window in windows
            ],
        )


_KeptWindow = tuple[int, int, int, Window]
"""(length, kept for, start) in seconds, and the window."""


def _kept_windows(gauge: Gauge, now_s: int) -> Iterator[_KeptWindow]:
    windows = gauge.windows
    for length_s, kept_s in WINDOWS_OF[gauge.kind]:
        # Each kind of window is a whole number of the one before.
        by_start: dict[int, Window] = {}
        for start_s, window in windows.items():
            add_values(by_start.setdefault(start_s // length_s * length_s, {}), window)
        windows = by_start
        for start_s, window in sorted(windows.items()):
            if start_s + length_s + kept_s > now_s:
                yield length_s, kept_s, start_s, window


def _parts(
    told: Mapping[str, Any], latest: Sequence[tuple[Any, ...]], windows: Sequence[_KeptWindow]
) -> Iterator[Part]:
    base = GAUGE_UNITS + MEASURE_UNITS * len(latest)
    groups = list(grouped(windows, _window_units, PART_UNITS_MAX - base)) or [[]]
    for some in groups:
        chunks: list[tuple[str, int, list[int], list[Window]]] = []
        for length_s, kept_s, start_s, window in some:
            name, number = chunk(length_s, start_s)
            if not chunks or chunks[-1][0] != name:
                chunks.append((name, start_s - number * length_s + CHUNK_S[length_s] + kept_s, [], []))
            chunks[-1][2].append(number)
            chunks[-1][3].append(window)
        yield Part([{**told, "latest": latest, "chunks": chunks}], base + sum(map(_window_units, some)))


def _window_units(window: _KeptWindow) -> int:
    return WINDOW_UNITS + MEASURE_UNITS * len(window[3])
