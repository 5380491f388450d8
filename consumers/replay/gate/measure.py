"""What was measured for a threshold, on a route or of all requests together, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from consumers.replay.gate.thresholds import Threshold

JUDGED_SHARE = 0.6
"""Half of an interval may be so much of the limit, or it cannot tell the limit from noise."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One threshold on one route (empty: all requests together). In ms, or shares from 0 to 1."""

    threshold: Threshold
    route: str
    unit: Literal["ms", "share"]
    before: float | None
    after: float | None
    estimate: float | None
    low: float | None
    high: float | None
    samples: int
    is_judged: bool
    """The interval is narrow enough to tell the limit from noise."""
    exceeds: bool
    """The 95 % interval lies above the limit."""
    is_shown: Callable[[float], bool]
    """Whether there is any change for the worse (relative), or more than the limit (others), at a level of
    significance. For Holm's correction."""
    samples_judged: float | None
    """About how many samples would make it judged; None where that cannot be said."""
    samples_decided: float | None
    """About how many would move the limit out of the interval."""
    samples_max: float = math.inf
    """No more than so many are kept."""


def unknown(
    threshold: Threshold,
    route: str,
    samples: int = 0,
    *,
    before: float | None = None,
    after: float | None = None,
    estimate: float | None = None,
) -> Measure:
    """Where too little was measured for an interval."""
    return Measure(
        threshold=threshold,
        route=route,
        unit="ms" if threshold.unit == "ms" else "share",
        before=before,
        after=after,
        estimate=estimate,
        low=None,
        high=None,
        samples=samples,
        is_judged=False,
        exceeds=False,
        is_shown=lambda _: False,
        samples_judged=None,
        samples_decided=None,
    )


def single_figure(threshold: Threshold, value: float, samples: int, *, exceeds: bool) -> Measure:
    """A figure of the whole run that is no sample of anything: it has no interval."""
    return replace(
        unknown(threshold, "", samples, after=value, estimate=value),
        is_judged=True,
        exceeds=exceeds,
        is_shown=lambda _: exceeds,
    )
