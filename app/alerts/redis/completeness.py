"""Whether the figures of now can be trusted. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.formatting import duration
from app.groups import METRICS
from app.store.queries.alerts import FULL_S
from app.store.queries.health import GroupHealth, Health
from app.store.workers import GONE_AFTER_MS, WorkerStatus

LAG_MAX_S = 30
"""With a larger lag, figures are not complete."""

SILENT_MAX_S = 15
"""A worker reports every 2 s (consumers/status.py). One that did not for so long hangs or is dead, and what
it had in hand is not counted until others take it over."""


def _counting(health: Health) -> GroupHealth | None:
    """The group that figures come from."""
    return next((found for found in health.groups if found.group == METRICS.name), None)


def lag_s(health: Health) -> int:
    """How many seconds figures are behind."""
    group = _counting(health)
    return 0 if group is None else int(group.lag_seconds)


def why_incomplete(health: Health, workers: Iterable[WorkerStatus]) -> str:
    """Plain words, `metrics is 42 s behind`; empty: figures are complete. `workers`: all that there are."""
    group = _counting(health)
    if group is None or not group.workers:
        return f"no {METRICS.name} worker is running"
    if group.waiting == group.workers:
        return f"{METRICS.name} cannot reach the message log"
    if group.refused_full_s is not None and health.at_s - group.refused_full_s <= FULL_S:
        return "the message log is full, and frames are refused"
    if group.lag_seconds > LAG_MAX_S:
        return f"{METRICS.name} is {duration(group.lag_seconds)} behind"
    now_ms = health.at_s * 1000
    silent_ms = [now_ms - one.at_ms for one in workers if one.group == METRICS.name]
    longest_s = max((some for some in silent_ms if some <= GONE_AFTER_MS), default=0) // 1000
    if longest_s > SILENT_MAX_S:
        return f"a {METRICS.name} worker has not reported for {duration(longest_s)}"
    return ""
