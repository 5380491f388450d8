"""The result of a comparison, as the page, the API and `python -m app compare` show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.platform.release import Release

Word = Literal["better", "worse", "no difference shown", "too few"]

FigureName = Literal["requests", "errors", "aborted", "p50", "p95", "p99"]


@dataclass(frozen=True, slots=True)
class FigureComparison:
    """One figure of a route in both spans."""

    figure: FigureName
    before: float | None
    """Requests a second, a share from 0 to 1, or ms of service; None where nothing was measured."""
    after: float | None
    change: float | None
    """Of shares the difference, else (after - before) / before."""
    low: float | None
    """The interval of the change, corrected for the number of routes and figures; None: no such end."""
    high: float | None
    word: Word | None
    """None for what is neither better nor worse: the number of requests."""
    after_low: float | None = None
    """The interval of `after` by itself, corrected likewise; None: no such end."""
    after_high: float | None = None


@dataclass(frozen=True, slots=True)
class RouteComparison:
    """A route, or with an empty name all routes together."""

    route: str
    digest: str
    requests_before: int
    requests_after: int
    word: Word
    """Worse if any figure is, else better if any is."""
    figures: list[FigureComparison]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two spans, in Unix seconds, whole windows."""

    from_s: int
    to_s: int
    requests: int
    rate: float
    """Requests per second."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two spans of an app. Where `refused` is not empty, there is nothing else in it."""

    app: str
    before: Side | None = None
    after: Side | None = None
    release: Release | None = None
    total: RouteComparison | None = None
    routes: list[RouteComparison] = field(default_factory=list)
    """Worse ones first, then better ones, then by requests."""
    routes_left_out: int = 0
    warnings: list[str] = field(default_factory=list)
    """What may explain a difference beside the release: mix or rate changed much, a short span, ..."""
    yesterday: Comparison | None = None
    """The same two times of day, a day before: where something is worse, or mix or rate changed much, and
    that is kept."""
    is_complete: bool = True
    """Whether both spans are over and all their lines should be counted."""
    ready_s: int | None = None
    """When the span after is complete, if it is not yet, Unix s: so far, what is there
    is compared."""
    refused: str = ""
    """Why nothing is compared, and the fix."""
