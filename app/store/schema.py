"""Every figure, once: what it takes from a line, its code in a window, its place in the totals.

All else follows from FIGURES: what the metrics worker counts (consumers/metrics/aggregate.py), what the
script adds (rows.lua), what the queries read, the API and its description, the CSV, the report. A new
figure is one row here, and a column on the page (drain/dashboard/static/js/columns.js).

A figure takes its values from columns: the fields of a RouterLine, and `connection`, empty but where a line
is of a connection (app/connections.py). The times of connections are in no latency.

A window is a map: field -> count. A count's field is its code; a name's is the code of its kind and the
name (`s200`); a sketch's is its code and the bucket (`q317`). The first two sketches came before there
were codes: their fields are whole numbers, see `Sketch.field`. Codes are one character, because there
are many windows; none may be used again for something else, because windows are kept for a month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app import outcomes
from app.hosts import HOST_MAX_CHARS, comparable
from app.router_line import milliseconds
from app.store.bounds import DYNO_MAX_CHARS, METHODS, OTHER, STATUS

Counts = dict[str, int]
Buckets = dict[int, int]
"""A sketch: bucket -> count, as in app/sketch.py."""

Field = str | int
"""Of a window."""

TOTALS_HASH = ":mix"
"""Hash of a row's totals. A name that begins with `::` is one of the talk's hashes, for routes only."""

LAST_SEEN = "last_s"
"""Field of the hash TOTALS_HASH: when the newest window of the row began, Unix s."""

PROMOTED = "promoted_s"
"""Field of the hash TOTALS_HASH: when the row was taken out of one that stands for many, Unix s."""

PATHS_HASH = ":paths"
"""Hash of a row that stands for many paths: its most frequent paths, see `add_paths` in rows.lua."""

NAME_TOTALS_HASH = ":totals"
"""Hash of a dyno's or host's totals: see name_totals.py."""

BUCKET_SHIFT = 443
"""Taken from the buckets in a window: MessagePack has one byte for -32 to 127, which then are
36 to 870 ms, and two for -128 to 255, which are 5 ms to 11 s."""

MAX_MS = 1e9
"""A longer time is nonsense and is ignored."""

BYTES_MAX_DIGITS = 11
"""A larger size is nonsense and is ignored; Redis adds whole numbers of 64 bits."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number that lines add up to. `read`: what one line adds, from these `columns`; without columns,
    each line adds 1."""

    name: str
    code: str
    total: str
    """Field of the hash TOTALS_HASH."""
    columns: tuple[str, ...] = ()
    read: Callable[..., int] = lambda: 1
    keeps_zero: bool = False
    """Also a window in which it is 0 has its field."""
    is_rare: bool = False
    """Only lines that are unusual add to it (see encode.py), each a small number."""


@dataclass(frozen=True, slots=True)
class Names:
    """How often each name came. `read`: the name of a line, from its column; empty: it says none."""

    name: str
    code: str
    """Empty: it is in the totals alone."""
    hash: str
    column: str
    read: Callable[[str], str] = str
    prefix: str = ""
    """Before the name in that hash."""
    is_bounded: bool = False
    """Redis keeps NAMES_MAX names in that hash, which holds nothing else. If not, `read` bounds them."""
    is_admitted: bool = False
    """Which names are kept is decided a batch at a time: see admission.py."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A distribution of times. `read`: the ms of a line, from its column; None: it says none."""

    name: str
    code: str
    """`+` and `-`: the whole numbers of the first two sketches."""
    hash: str
    column: str
    read: Callable[[str], float | None]
    is_rare: bool = False
    """Of connections, and of them alone: their times are in no other sketch."""
    sums: str = ""
    """The talk's hash of `sum`, `count` and `average`; empty: it has none."""

    @property
    def maximum(self) -> str:
        """Field of the hash TOTALS_HASH: the exact maximum in ms."""
        return f"max_{self.name}"

    def field(self, index: int) -> Field:
        """Of this bucket in a window: for `+` the bucket, for `-` -1 less the bucket, both less
        BUCKET_SHIFT."""
        if self.code == "+":
            return index - BUCKET_SHIFT
        if self.code == "-":
            return -1 - index - BUCKET_SHIFT
        return f"{self.code}{index}"


Figure = Count | Names | Sketch


def _size(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= BYTES_MAX_DIGITS else 0


def _status(text: str) -> str:
    return text if not text or STATUS.fullmatch(text) else OTHER


def _method(text: str) -> str:
    return text if not text or text in METHODS else OTHER


def _dyno(text: str) -> str:
    return text[:DYNO_MAX_CHARS]


def _host(text: str) -> str:
    return comparable(text)[:HOST_MAX_CHARS]


def _ms(text: str) -> float | None:
    value_ms = milliseconds(text)
    return value_ms if value_ms is not None and value_ms < MAX_MS else None


def _whole_ms(text: str) -> float | None:
    """Lifetimes are long, and a version before expects whole numbers in TOTALS_HASH, maxima included."""
    value_ms = _ms(text)
    return None if value_ms is None else float(round(value_ms))


REQUESTS = Count("requests", "n", total="count", keeps_zero=True)
STATUSES = Names("statuses", "s", "::statuses", "status", _status)
SERVICE = Sketch("service", "+", ":service", "service", _ms, sums="::service")
HOST_NAMES = Names("hosts", "", ":hosts", "host", _host, is_bounded=True)
CODES = Names("codes", "c", TOTALS_HASH, "code", prefix="c:", is_admitted=True)
CONNECTION = "connection"
OUTCOME = ("status", "at", "code")
ADDED = Count("errors_added", "f", total="errors_added", columns=OUTCOME, read=outcomes.added, is_rare=True)
REMOVED = Count(
    "errors_removed", "g", total="errors_removed", columns=OUTCOME, read=outcomes.removed, is_rare=True
)
"""What `Sums.errors` corrects: see app/outcomes.py."""
ABORTED = Count("aborted", "a", total="aborted", columns=OUTCOME, read=outcomes.aborted, is_rare=True)

FIGURES: tuple[Figure, ...] = (
    REQUESTS,
    Count("bytes", "b", total="bytes", columns=("bytes",), read=_size, keeps_zero=True),
    STATUSES,
    Names("methods", "m", TOTALS_HASH, "method", _method, prefix="m:"),
    CODES,
    SERVICE,
    Sketch("connect", "-", ":connect", "connect", _ms, sums="::connect"),
    Names("dynos", "", ":dynos", "dyno", _dyno, is_bounded=True),
    HOST_NAMES,
    ADDED,
    REMOVED,
    ABORTED,
    Count("connections", "w", total="connections", columns=(CONNECTION,), read=len, is_rare=True),
    Sketch("lifetime", "l", ":lifetime", "service", _whole_ms, is_rare=True),
)

COUNTS = tuple(figure for figure in FIGURES if isinstance(figure, Count))
NAMES = tuple(figure for figure in FIGURES if isinstance(figure, Names) and figure.code)
TOTAL_NAMES = tuple(figure for figure in FIGURES if isinstance(figure, Names) and not figure.code)
"""Those that no window has."""
TALK_NAMES = tuple(names for names in NAMES if names.hash.startswith("::"))
"""Those in hashes of the talk, which there are for routes alone."""
SKETCHES = tuple(figure for figure in FIGURES if isinstance(figure, Sketch))

_NUMBER_STARTS = frozenset("-0123456789")
_BY_CODE: dict[str, Figure] = {figure.code: figure for figure in FIGURES if figure.code}

OTHER_TOTALS_FIELDS = len(METHODS) + 1 + len(COUNTS) + len(SKETCHES)
"""Fields of a hash TOTALS_HASH that are not admitted names: methods and `(other)`, counts, maxima."""


def figure_of_field(name: Field) -> tuple[Figure | None, Field]:
    """The figure that a field of a window belongs to, and the name or bucket in it."""
    text = str(name)
    code = text[:1]
    if code in _NUMBER_STARTS:
        index = int(text) + BUCKET_SHIFT
        return (_BY_CODE["+"], index) if index >= 0 else (_BY_CODE["-"], -1 - index)
    return _BY_CODE.get(code), text[1:]


def total_of_field(name: Field) -> tuple[str, str]:
    """(hash, field) of the totals for a field of a window that `FIGURES` names."""
    figure, rest = figure_of_field(name)
    if isinstance(figure, Count):
        return TOTALS_HASH, figure.total
    if isinstance(figure, Names):
        return figure.hash, f"{figure.prefix}{rest}"
    if isinstance(figure, Sketch):
        return figure.hash, str(rest)
    raise ValueError(f"no figure has the field {name!r} in a window")


def hashes_of(figures: Iterable[Figure]) -> list[str]:
    """The hashes that hold the totals of these figures, each once."""
    return list(
        dict.fromkeys(TOTALS_HASH if isinstance(figure, Count) else figure.hash for figure in figures)
    )


def check(figures: Iterable[Figure]) -> None:
    """Raises ValueError where two figures share a name, or codes that a reader could not tell apart."""
    names: set[str] = set()
    codes: set[str] = set()
    for figure in figures:
        if figure.name in names:
            raise ValueError(f"two figures are named {figure.name}")
        names.add(figure.name)
        if not figure.code and isinstance(figure, Names):
            continue
        if len(figure.code) != 1 or figure.code.isdecimal() or figure.code in codes:
            raise ValueError(f"{figure.name}: its code must be one character that no other figure has")
        if figure.code in "+-" and figure.name not in ("service", "connect"):
            raise ValueError(f"{figure.name}: the whole numbers of a window are service and connect")
        codes.add(figure.code)


check(FIGURES)
