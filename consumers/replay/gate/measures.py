"""Measures all thresholds of one route, or of all requests together. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.store.run_figures import RouteFigures
from consumers.replay.gate.absolute import absolute_time, share_of_requests
from consumers.replay.gate.measure import Measure
from consumers.replay.gate.relative import RelativeTimes
from consumers.replay.gate.thresholds import Threshold
from consumers.replay.pairs import PairSample


def measured(
    thresholds: Sequence[Threshold],
    route: str,
    figures: RouteFigures,
    sample: PairSample,
    *,
    has_baseline: bool,
) -> list[Measure]:
    """What was measured for each threshold that applies to routes, in their order."""
    relative = (
        RelativeTimes(route, sample, has_baseline=has_baseline)
        if any(one.is_relative for one in thresholds)
        else None
    )
    found = []
    for one in thresholds:
        if one.percentile is None:
            found.append(share_of_requests(one, route, figures))
        elif relative is not None and one.is_relative:
            found.append(relative.measure(one, one.percentile))
        else:
            found.append(absolute_time(one, one.percentile, route, figures))
    return found
