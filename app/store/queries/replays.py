"""Replays as a page shows them: the runs, and one run route by route, original beside replayed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import redis

from app.sketch import RELATIVE_ERROR, at_rank, percentile
from app.store import replay
from app.store.body_figures import BodyFigures
from app.store.keys import digest
from app.store.queries.figures import Latency, largest_first, latency, rounded
from app.store.queries.run_verdict import (
    GRAVITY,
    JudgedThreshold,
    LeftOut,
    bounded,
    by_route,
    judged,
)
from app.store.run_figures import RouteFigures
from app.store.run_result import FindingState, RunResult
from app.store.schema import Counts

STATUS_CHANGES_SHOWN = 8
BODY_KEYS_SHOWN = 5
ROUTES_MAX = 500
"""In one answer of the API: a run counts every route that its requests have."""
Z_95 = 1.96
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class RunName:
    """One run that is kept. `info`: `target`, `state`, `started_at`, `updated_at` (Unix s); for a window
    `from`, `until`, `progress` (0 to 1), `app` where only one was replayed, `verdict` once it is judged,
    and `baseline` where two targets are compared: then what is called original below are the baseline's
    answers."""

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
class Bodies:
    """How the answers of target and baseline differ, beyond what differs between two answers of the
    baseline."""

    compared: int
    changed: int
    noisy: int
    """Requests where two answers of the baseline differ."""
    cut: int
    """Requests where an answer was too long to be compared as a whole."""
    uncompared: Counts
    """Why answers were not compared -> requests."""
    keys: Counts
    """What differs most often (`status`, `body.items[].price`) -> requests. Names alone, never values."""


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
    """Service times: from sent to answered."""
    response: Latency
    """Response times: from due to answered, so with the lateness. Empty in runs of an earlier version."""
    p50_change: Change
    p95_change: Change
    p99_change: Change
    bodies: Bodies
    state: FindingState | None
    """The gravest of its findings; None where nothing was judged."""


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
    uncomparable: Counts
    """Why an original cannot be compared -> requests that were sent and answered."""
    result: RunResult | None
    """The verdict and what it rests on; None while a run goes on, for the live worker, and for runs of an
    earlier version."""
    judged: list[JudgedThreshold]
    """The thresholds of the result, the gravest first."""
    left_out: LeftOut
    """Of the routes above and of the result."""


def replay_runs(store: redis.Redis) -> Runs:
    """The runs; empty where nothing was ever replayed."""
    return Runs([RunName(run_id, info) for run_id, info in replay.runs(store)])


def replay_run(store: redis.Redis, run_id: str) -> ReplayRun | None:
    """One run, with at most ROUTES_MAX routes and the gravest findings; None where it is not kept."""
    found = replay.run(store, run_id)
    return None if found is None else _within_bounds(compared(found))


def _within_bounds(run: ReplayRun) -> ReplayRun:
    """The run as the API gives it; the routes with the gravest findings are kept, then the busiest."""
    gravest = sorted(run.routes, key=lambda row: GRAVITY.index(row.state or "met"))[:ROUTES_MAX]
    kept = {row.route for row in gravest}
    result, judged_thresholds, left_out = run.result, run.judged, run.left_out
    if run.result is not None:
        result, left_out = bounded(run.result)
        judged_thresholds = judged(run.result, result.findings)
    return replace(
        run,
        routes=[row for row in run.routes if row.route in kept],
        result=result,
        judged=judged_thresholds,
        left_out=replace(left_out, routes=len(run.routes) - len(kept)),
    )


def compared(found: replay.Run) -> ReplayRun:
    """A run's figures, original beside replayed; all of them."""
    states = {} if found.result is None else by_route(found.result)
    routes = [_route(route, figures, states.get(route)) for route, figures in found.figures.routes.items()]
    return ReplayRun(
        id=found.id,
        info=found.info,
        total=_route("", found.figures.total(), states.get("")),
        routes=sorted(routes, key=lambda row: (-row.sent, row.route)),
        skipped=largest_first(found.figures.skipped),
        reencoded=found.figures.reencoded,
        late=latency(found.figures.late_ms),
        uncomparable=largest_first(found.figures.uncomparable),
        result=found.result,
        judged=[] if found.result is None else judged(found.result, found.result.findings),
        left_out=LeftOut(routes=0, findings=0, reasons=0, thresholds=0, coverage=0),
    )


def _route(route: str, figures: RouteFigures, state: FindingState | None) -> ReplayedRoute:
    changed = changed_statuses(figures)
    most = sorted(changed.items(), key=lambda item: (-item[1], item[0]))[:STATUS_CHANGES_SHOWN]
    return ReplayedRoute(
        route=route,
        digest=digest(route) if route else "",
        sent=figures.sent,
        answered=figures.answered,
        status_changed=sum(changed.values()),
        status_changes=[StatusChange(before, after, count) for (before, after), count in most],
        outcomes=largest_first({kind: count for kind, count in figures.kinds.items() if kind != "answered"}),
        original=latency(figures.original),
        replayed=latency(figures.replayed),
        response=latency(figures.response),
        p50_change=change(figures.original, figures.replayed, 0.5),
        p95_change=change(figures.original, figures.replayed, 0.95),
        p99_change=change(figures.original, figures.replayed, 0.99),
        bodies=_bodies(figures.bodies),
        state=state,
    )


def _bodies(figures: BodyFigures) -> Bodies:
    keys = list(largest_first(figures.keys).items())[:BODY_KEYS_SHOWN]
    return Bodies(
        compared=figures.compared,
        changed=figures.changed,
        noisy=figures.noisy,
        cut=figures.cut,
        uncompared=largest_first(figures.uncompared),
        keys=dict(keys),
    )


def changed_statuses(figures: RouteFigures) -> dict[tuple[int, int], int]:
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
        percentile(buckets, share),
        at_rank(buckets, math.ceil(highest)) if highest < total - 1 else math.inf,
    )
