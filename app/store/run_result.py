"""What a window replay came to, as the terminal, the reports, the page and the API show it. Pure.

`consumers.replay.gate` works it out; it is kept as JSON beside the run's figures (app/store/replay.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import orjson

Verdict = Literal["passed", "failed", "inconclusive"]

FindingState = Literal["crossed", "met", "inconclusive", "not-judged"]
"""`crossed`: beyond the limit for certain. `met`: within it for certain, as far as the gate judges.
`inconclusive`: judged, but the limit lies within the interval. `not-judged`: too few samples to tell."""

Fault = Literal["", "target", "concurrency", "machine"]
"""Why the pace could not be kept: the target was slower than asked for, the limit of requests at once was
too low, or this machine was too slow. Empty where it was kept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One threshold on one route. `estimate`, `low`, `high` and `limit` are in `unit`; shares are 0 to 1."""

    threshold: str
    """As the user wrote it: `p95>+20%`."""
    route: str
    """Empty: all requests together."""
    state: FindingState
    unit: Literal["ms", "share"]
    before: float | None
    """What was measured of the original or the baseline, ms; None where nothing is compared."""
    after: float | None
    """What was measured of the target: ms for percentiles and lateness, else a share."""
    estimate: float | None
    """What is compared with the limit; None where nothing was measured."""
    low: float | None
    """The 95 % interval of the estimate. None: it has no such end, or the figure is no sample's."""
    high: float | None
    limit: float
    samples: int
    samples_missing: int | None
    """About how many more samples would decide; None where it is decided or cannot be said."""


@dataclass(frozen=True, slots=True)
class RouteLeftOut:
    """A route of which less was sent than left out: what the verdict says nothing, or little, about."""

    route: str
    sent: int
    """0: it was left out wholly."""
    left_out: int
    reasons: Mapping[str, int]
    """Why -> requests: `method POST`, `rule`, `late`."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what was asked was sent. `asked` are the window's requests without what the user left out
    (methods, rules, sample, routes, apps) and what no replay sends (connections, replayed requests)."""

    in_window: int
    asked: int
    sent: int
    answered: int
    left_out: Mapping[str, int]
    """Reason -> requests that were asked for, but not sent."""
    not_asked: Mapping[str, int]
    """Reason -> requests of the window that were not asked for."""
    uncomparable: Mapping[str, int]
    """Why their original could not be compared with an answer -> requests that were sent and answered."""
    routes_left_out: Sequence[RouteLeftOut] = ()
    """Most requests first, at most 50. Without what `--only-route`, `--exclude-route` and `--app` leave out,
    and without the sample's part of a route that was sent otherwise."""
    more_routes_left_out: int = 0
    """How many such routes there are beyond these."""
    window_s: float = 0.0
    """How long the window is."""
    missing_s: float = 0.0
    """How much of that is not in the log: dropped already, or still to come."""
    was_overtaken: bool = False
    """The log has dropped requests of the window before they were read."""


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """A distribution in ms; None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


PACE_KEPT_SHARE = 0.95
"""Of the speed asked, from which on a run has kept its pace."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast was asked and how fast it went. Speeds are multiples of the original, rates requests/s."""

    asked: str
    """In the user's words: `10x`, `max`, `200/s`, `5m:1x,10m:5x`."""
    speed_asked: float | None
    """On average; None for `max` and for a rate."""
    speed_reached: float | None
    rate_asked: float | None
    """On average; None for `max`."""
    rate_reached: float
    share_reached: float | None
    """Of the speed or rate asked, 0 to 1; None for `max`."""
    duration_s: float
    late: Milliseconds
    """Sent minus due."""
    fault: Fault
    """Why the pace was not kept."""
    explanation: str
    """One or two sentences: what happened and what would do. Empty where the pace was kept."""
    concurrency: int
    """The most requests that were under way at once."""
    concurrency_max: int
    """The limit at the end."""

    @property
    def is_missed(self) -> bool:
        """It stayed under PACE_KEPT_SHARE of what was asked."""
        return self.share_reached is not None and self.share_reached < PACE_KEPT_SHARE


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One step of a run, for plots."""

    at_s: float
    """Since the first request was due, s."""
    sent: int
    late_ms: float
    """The largest in the step."""
    service_ms: float | None
    """The mean in the step."""


@dataclass(frozen=True, slots=True)
class SpeedStep:
    """One speed that `--find-limit` tried."""

    speed: float
    rate: float
    """Requests/s that were reached."""
    held: bool
    reason: str
    """Why it did not hold, one line."""
    p95_ms: float | None
    error_share: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """The verdict and all that it rests on."""

    verdict: Verdict
    reasons: list[str]
    """Why it is not `passed`, one line each, the gravest first. Of a run without thresholds that passed: what
    was not judged."""
    thresholds: list[str]
    findings: list[Finding]
    """The gravest first: crossed, inconclusive, not-judged, met."""
    coverage: Coverage
    pace: Pace
    is_strict: bool = False
    is_interrupted: bool = False
    steps: list[SpeedStep] = field(default_factory=list)
    timeline: list[TimePoint] = field(default_factory=list)
    """At most 300 points."""
    findings_left_out: int = 0
    """How many more there are, less grave than those in `findings`."""


def to_json(result: RunResult) -> bytes:
    """As it is kept in Redis."""
    return orjson.dumps(asdict(result))


def from_json(data: bytes) -> RunResult | None:
    """None for what this version cannot read."""
    try:
        found = orjson.loads(data)
        return RunResult(
            **{
                **_known(RunResult, found),
                "findings": [Finding(**_known(Finding, one)) for one in found["findings"]],
                "coverage": _coverage(found["coverage"]),
                "pace": Pace(
                    **{
                        **_known(Pace, found["pace"]),
                        "late": Milliseconds(**_known(Milliseconds, found["pace"]["late"])),
                    }
                ),
                "steps": [SpeedStep(**_known(SpeedStep, one)) for one in found.get("steps", [])],
                "timeline": [TimePoint(**_known(TimePoint, one)) for one in found.get("timeline", [])],
            }
        )
    except (ValueError, KeyError, TypeError):
        return None


def _coverage(values: Mapping[str, Any]) -> Coverage:
    left_out = [RouteLeftOut(**_known(RouteLeftOut, one)) for one in values.get("routes_left_out", ())]
    return Coverage(**{**_known(Coverage, values), "routes_left_out": left_out})


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the dataclass has: a later version may keep more."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
