"""From counts to what a person reads: rates, shares, percentiles, histograms. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, make_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.sketch import at_ranks, middle_ms, up_to
from app.store.bounds import most_counted
from app.store.schema import ADDED, FIGURES, REMOVED, TOTAL_NAMES, Count, Counts, Figure, Names
from app.store.sums import Sums

SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True)
class Latency:
    """A distribution in ms, each figure within 1 %; None if nothing was measured."""

    count: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None
    total_ms: float = 0.0
    """All of them added up, within 1 %."""


@dataclass(frozen=True, slots=True)
class UsualFigures:
    """The figures of a set of requests: those of a route, an app or a time step."""

    count: int
    rate: float | None
    """Requests per second; None if the duration is unknown."""
    errors: int
    """Requests that failed: status 5xx, or `at=error` from the router. Aborted ones do not count."""
    error_rate: float
    """errors / count, 0 to 1."""
    aborted: int
    """Requests whose client went away before it had the answer: status 499, or code H27 or H28."""
    bytes: int
    service: Latency
    """Without connections, as in `connect`."""
    connect: Latency
    connections: int
    """Requests that became connections: websockets, and what the YAML list `streams:` names."""
    lifetime: Latency
    """How long these were open."""
    classes: Counts
    """`2xx` -> count; `other` for anything but a three-digit status."""
    statuses: Counts
    codes: Counts
    """H-code -> count."""
    methods: Counts


_SHOWN_AS = {"requests": "count"}
_USUAL = {field.name for field in fields(UsualFigures)}
_TYPES: dict[type[Figure], Any] = {Count: int, Names: Counts}

FURTHER = [
    figure
    for figure in FIGURES
    if figure not in TOTAL_NAMES
    and figure not in (ADDED, REMOVED)
    and _SHOWN_AS.get(figure.name, figure.name) not in _USUAL
]
"""Figures of the schema that no code here names: they are shown as all of their kind are."""

if TYPE_CHECKING:
    Figures = UsualFigures
else:
    # With a field for each of FURTHER, so that what is sent and described follows from the schema.
    Figures = make_dataclass(
        "Figures",
        [(figure.name, _TYPES.get(type(figure), Latency)) for figure in FURTHER],
        bases=(UsualFigures,),
        namespace={"__doc__": UsualFigures.__doc__},
        frozen=True,
        slots=True,
    )


def figures(sums: Sums, rate: float | None, maxima_ms: Mapping[str, float] = MappingProxyType({})) -> Figures:
    """The figures of some sums. `maxima_ms`: exact maxima by sketch, where known."""
    errors = sums.errors
    return Figures(
        count=sums.requests,
        rate=None if rate is None else rounded(rate),
        errors=errors,
        error_rate=rounded(errors / sums.requests) if sums.requests else 0.0,
        aborted=sums.aborted,
        bytes=sums.bytes,
        service=latency(sums.service, maxima_ms.get("service")),
        connect=latency(sums.connect, maxima_ms.get("connect")),
        connections=sums.connections,
        lifetime=latency(sums.lifetime, maxima_ms.get("lifetime")),
        classes=by_class(sums.statuses),
        statuses=largest_first(most_counted(sums.statuses)),
        codes=largest_first(most_counted(sums.codes)),
        methods=largest_first(sums.methods),
        **{figure.name: _shown(figure, sums, maxima_ms) for figure in FURTHER},
    )


def _shown(figure: Figure, sums: Sums, maxima_ms: Mapping[str, float]) -> Any:
    if isinstance(figure, Count):
        return sums.counts.get(figure.name, 0)
    if isinstance(figure, Names):
        return largest_first(most_counted(sums.names.get(figure.name, {})))
    return latency(sums.sketches.get(figure.name, {}), maxima_ms.get(figure.name))


def by_class(statuses: Mapping[str, int]) -> Counts:
    """Counts per first digit; classes without any are left out."""
    counts: Counts = {}
    for status, count in statuses.items():
        name = f"{status[:1]}xx" if len(status) == 3 and status.isdecimal() else "other"
        name = name if name in CLASSES else "other"
        counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items()))


def largest_first(counts: Mapping[str, int]) -> Counts:
    """The same counts, by count descending and then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def latency(buckets: Mapping[int, int], max_ms: float | None = None) -> Latency:
    """Percentiles of a sketch: of rank floor(share * (n - 1)), as in DDSketch."""
    total = sum(buckets.values())
    if total <= 0:
        return Latency(0, None, None, None, None, None)
    ranks = [int(share * (total - 1)) for share in SHARES]
    values = [rounded(value_ms) for value_ms in at_ranks(buckets, ranks)]
    if max_ms is not None:
        values[-1] = max_ms
    total_ms = sum(count * middle_ms(index) for index, count in buckets.items())
    p50, p90, p95, p99, longest = values
    return Latency(total, p50, p90, p95, p99, longest, rounded(total_ms))


def rounded(value: float) -> float:
    """Four significant digits: more than a sketch of 1 % knows, less than a page has to carry."""
    return float(f"{value:.4g}")


# --- histograms ----------------------------------------------------------------------------

EDGES_MS = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    *(n * 10**e for e in range(1, 5) for n in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)),
    100_000,
)
"""Upper edges of bars, in ms: steps that a person can name, each about a quarter more."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Requests that took more than `from_ms` and at most `to_ms`; None: no upper end."""

    from_ms: float
    to_ms: float | None
    count: int


def histogram(buckets: Mapping[int, int]) -> list[Bar]:
    """The sketch as bars, from the first that holds anything to the last, without gaps."""
    counts = up_to(buckets, EDGES_MS)
    filled = [at for at, count in enumerate(counts) if count]
    if not filled:
        return []
    edges: Sequence[float] = EDGES_MS
    return [
        Bar(
            from_ms=edges[at - 1] if at else 0,
            to_ms=edges[at] if at < len(edges) else None,
            count=counts[at],
        )
        for at in range(filled[0], filled[-1] + 1)
    ]
