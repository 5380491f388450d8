"""The stretches that conditions look at: the last minutes, and the same time on days before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
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

Versus = Literal["yesterday", "usual"]

DAYS = 7
"""What is usual is that of so many days, as far as they are kept."""

YESTERDAY = Stretch(DAY_S + HOUR_S, DAY_S)
"""The hour that ended a day ago. Whole hours are kept of that time, so it is the two hours around."""

USUAL = tuple(Stretch(YESTERDAY.from_s + day * DAY_S, YESTERDAY.to_s + day * DAY_S) for day in range(DAYS))

WHEN = {"yesterday": "at this time yesterday", "usual": "at this time on other days"}


def baseline(versus: Versus) -> tuple[Stretch, ...]:
    """What an app or route is compared with."""
    return (YESTERDAY,) if versus == "yesterday" else USUAL


def widened_s(at_s: int, stretch: Stretch) -> int:
    """How many seconds are read for a stretch of over a day ago: whole hours."""
    from_s, to_s = at_s - stretch.from_s, at_s - stretch.to_s
    return -(-to_s // HOUR_S) * HOUR_S - from_s // HOUR_S * HOUR_S


def known_days(facts: Facts, subject: Subject, versus: Versus) -> list[tuple[Sums, int]]:
    """(figures, seconds) of each day that is kept as a whole."""
    first_s = facts.first_s.get(subject.app)
    if first_s is None:
        return []
    return [
        (facts.sums(subject, stretch), widened_s(facts.at_s, stretch))
        for stretch in baseline(versus)
        if first_s <= (facts.at_s - stretch.from_s) // HOUR_S * HOUR_S
    ]


def without_worst(shares: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(hits, requests) of several days together; of three or more without the one with the highest share,
    which may have been an incident."""
    kept = sorted((pair for pair in shares if pair[1]), key=lambda pair: pair[0] / pair[1])
    if len(kept) >= 3:
        kept.pop()
    return sum(hits for hits, _ in kept), sum(requests for _, requests in kept)
