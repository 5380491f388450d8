"""The stretches that conditions look at: the last minutes, and the same time on days before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from app.alerts.facts import Facts, Stretch, Subject
from app.store.sums import Sums

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400

LONG = Stretch(300)
"""What is judged,"""
SHORT = Stretch(60)
"""or this alone, if it is clear; and it must be bad as well, so that an alert ends soon after its cause."""
NEWEST = Stretch(30)
"""Shows first that the cause is gone."""
RECENT = frozenset({LONG, SHORT, NEWEST})
EARLIER = Stretch(900, LONG.from_s)
"""Is judged together with LONG, where that holds few requests."""

_STRETCHES: Mapping[int, tuple[Stretch, ...]] = {1: (SHORT,), 5: (LONG,), 15: (EARLIER, LONG)}

Versus = Literal["yesterday", "usual"]

DAYS = 7
"""What is usual is that of so many days, as far as they are kept."""

YESTERDAY = Stretch(DAY_S + HOUR_S // 2, DAY_S - HOUR_S // 2)
"""The hour around this time of day. Whole hours are kept of that time, so it is the nearest one."""

USUAL = tuple(Stretch(YESTERDAY.from_s + day * DAY_S, YESTERDAY.to_s + day * DAY_S) for day in range(DAYS))

WHEN = {"yesterday": "at this time yesterday", "usual": "at this time on other days"}


def baseline(versus: Versus) -> tuple[Stretch, ...]:
    """What an app or route is compared with."""
    return (YESTERDAY,) if versus == "yesterday" else USUAL


def stretches_of(minutes: int) -> tuple[Stretch, ...]:
    """The last 1, 5 or 15 minutes, as they are read."""
    return _STRETCHES[minutes]


BEHIND_S = 10
"""With a larger lag, what is missing of the newest minute may be mistaken for requests that did not come."""


def lacks_newest(facts: Facts) -> bool:
    """Whether too few requests may only be some that are not counted yet."""
    return facts.lag_s > BEHIND_S


def known_days(facts: Facts, subject: Subject, versus: Versus) -> list[tuple[Sums, int]]:
    """(figures, seconds) of each day that is kept as a whole."""
    first_s = facts.first_s.get(subject.app)
    if first_s is None:
        return []
    days = []
    for stretch in baseline(versus):
        span = stretch.span(facts.at_s)
        if span is not None and first_s <= span[0]:
            days.append((facts.sums(subject, stretch), span[1] - span[0]))
    return days


def without_worst(shares: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(hits, requests) of several days together; of three or more without the one with the highest share,
    which may have been an incident."""
    kept = sorted((pair for pair in shares if pair[1]), key=lambda pair: pair[0] / pair[1])
    if len(kept) >= 3:
        kept.pop()
    return sum(hits for hits, _ in kept), sum(requests for _, requests in kept)
