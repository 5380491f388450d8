"""Replays as a page shows them: the runs, and one run route by route, original beside replayed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import redis

from app.sketch import RELATIVE_ERROR, at_rank
from app.store import replay
from app.store.keys import digest
from app.store.queries.figures import Latency, largest_first, latency, rounded
from app.store.schema import Counts

STATUS_CHANGES_SHOWN = 8
Z_95 = 1.96
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class RunName:
    """One run that is kept. `info`: `target`, `state`, `updated_at` (Unix s); for a window `from`,
    `until`, `progress` (0 to 1), and `baseline` where two targets are compared: then what is called
    original below are the baseline's answers."""

    id: str
    info: dict[str, str]


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs that are kept, latest first."""

    runs: list[RunName]


@dataclass(frozen=True, slots=True)
class Change:
    """How a percentile changed from the original to the replayed requests."""

    share: float | None
    """(replayed - original) / original: 0.2 is a fifth slower; None where there is no original."""
    is_sure: bool
    """The 95 % confidence intervals of both values are apart: more than chance and rounding."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """Requests whose status differed in the replay."""

    original: int
    replayed: int
    count: int


@dataclass(frozen=True, slots=True)
class ReplayedRoute:
    """One route of a run; `route` empty: all routes together."""

    route: str
    digest: str
    sent: int
    answered: int
    status_changed: int
    status_changes: list[StatusChange]
    """The most frequent ones."""
    outcomes: Counts
    """What became of those that got no answer: kind -> count; `baseline-...` where it was the baseline
    that gave none."""
    original: Latency
    replayed: Latency
    p50_change: Change
    p95_change: Change
    p99_change: Change


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """A replay run; routes with most requests sent first."""

    id: str
    info: dict[str, str]
    total: ReplayedRoute
    routes: list[ReplayedRoute]
    skipped: Counts
    """Reason -> requests that were not sent."""
    reencoded: int
    """Requests that were sent with a path or query that was percent-encoded again, because Router 2.0 logs
    the path decoded."""
    late: Latency
    """How long after their due time requests were sent, in ms."""


def replay_runs(store: redis.Redis) -> Runs:
    """The runs; empty where nothing was ever replayed."""
    return Runs([RunName(run_id, info) for run_id, info in replay.runs(store)])


def replay_run(store: redis.Redis, run_id: str) -> ReplayRun | None:
    """One run; None where it is not kept."""
    found = replay.run(store, run_id)
    return None if found is None else compared(found)


def compared(found: replay.Run) -> ReplayRun:
    """A run's figures, original beside replayed."""
    routes = [_route(route, figures) for route, figures in found.figures.routes.items()]
    return ReplayRun(
        id=found.id,
        info=found.info,
        total=_route("", found.figures.total()),
        routes=sorted(routes, key=lambda row: (-row.sent, row.route)),
        skipped=largest_first(found.figures.skipped),
        reencoded=found.figures.reencoded,
        late=latency(found.figures.late_ms),
    )


def _route(route: str, figures: replay.RouteFigures) -> ReplayedRoute:
    changed = changed_statuses(figures)
    most = sorted(changed.items(), key=lambda item: (-item[1], item[0]))[:STATUS_CHANGES_SHOWN]
    return ReplayedRoute(
        route=route,
        digest=digest(route) if route else "",
        sent=figures.sent,
        answered=figures.kinds["answered"],
        status_changed=sum(changed.values()),
        status_changes=[StatusChange(before, after, count) for (before, after), count in most],
        outcomes=largest_first({kind: count for kind, count in figures.kinds.items() if kind != "answered"}),
        original=latency(figures.original),
        replayed=latency(figures.replayed),
        p50_change=change(figures.original, figures.replayed, 0.5),
        p95_change=change(figures.original, figures.replayed, 0.95),
        p99_change=change(figures.original, figures.replayed, 0.99),
    )


def changed_statuses(figures: replay.RouteFigures) -> dict[tuple[int, int], int]:
    """(original status, replayed status) -> requests, where they differ. A status that is not known (0:
    the log named none, the baseline gave none) is no other status."""
    return {pair: count for pair, count in figures.statuses.items() if pair[0] and pair[0] != pair[1]}


def change(original: Mapping[int, int], replayed: Mapping[int, int], share: float) -> Change:
    """How a percentile has changed between two sketches, and whether the samples can tell."""
    before, after = interval(original, share), interval(replayed, share)
    if before is None or after is None or not before[1]:
        return Change(None, is_sure=False)
    is_apart = (
        before[2] * (1 + 2 * RELATIVE_ERROR) < after[0] or after[2] * (1 + 2 * RELATIVE_ERROR) < before[0]
    )
    return Change(rounded(after[1] / before[1] - 1), is_apart)


def interval(buckets: Mapping[int, int], share: float) -> tuple[float, float, float] | None:
    """(lowest, value, highest) in ms of a percentile with 95 % confidence; None if empty.

    By order statistics: the rank of the true percentile among n samples is binomial, so about
    normal with mean n * share (Conover, "Practical Nonparametric Statistics", section 3.2). With
    too few samples the highest is the largest there is, and is no bound: then it is infinite.
    """
    total = sum(buckets.values())
    if not total:
        return None
    spread = Z_95 * math.sqrt(total * share * (1 - share))
    highest = total * share + spread
    return (
        at_rank(buckets, max(0, math.floor(total * share - spread))),
        at_rank(buckets, math.floor(share * (total - 1))),
        at_rank(buckets, math.ceil(highest)) if highest < total - 1 else math.inf,
    )
