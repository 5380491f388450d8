"""Whether a share or a rate of requests is over its limit: the arithmetic of conditions on requests. Pure.

Three stretches are looked at, all of which end at the moment: five minutes, one minute, half a minute. A
share is *bad* if the lower end of its confidence interval over five minutes, or over one, is above the limit:
a complete failure is so within seconds, one or two failed requests never are. It must be above the limit in
the last minute as well, and must not be over by the last half minute, so that an alert ends soon after its
cause, and a short blip makes none. (What comes in bursts, minute after minute, is not over between two.)

Where five minutes hold too few requests to say, a quarter of an hour is judged, and the five minutes stand
for the last one. It must have begun before these: five failures at once are five attempts of one client.

It is *fine* if it is not above the limit, or if the newest requests show that what was there is over.
Everything between is *unclear*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.alerts.condition import Verdict
from app.binomial import wilson

Z_BAD = 3.3
"""One of 2,000 shares that are at the limit is found to be above it."""
Z_RARE = 2.33
"""The same of one of 100: where requests are few, and hardly any were such at this time yesterday, no share
is near the limit, and certainty takes minutes."""
Z_OVER = 1.645
"""One of 20 that go on is found to be over."""

HITS_MIN = 5
"""Fewer failed requests are never an alert."""

EARLIER_HITS_MIN = 2

FEW_REQUESTS = 300
"""With fewer in five minutes, one a second, a share that is three times a limit of 1 or 2 % may be chance."""


class Part(NamedTuple):
    """Requests of one stretch, and how many of them are such."""

    hits: int
    requests: int

    @property
    def share(self) -> float:
        return self.hits / self.requests if self.requests else 0.0


NOTHING = Part(0, 0)


def together(one: Part, other: Part) -> Part:
    return Part(one.hits + other.hits, one.requests + other.requests)


Minutes = Literal[1, 5, 15]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, and of how many of the last minutes it is said."""

    verdict: Verdict
    minutes: Minutes = 5


def judge_share(
    long: Part,
    short: Part,
    newest: Part,
    limit: float,
    min_requests: int,
    *,
    earlier: Part = NOTHING,
    yesterday: Part = NOTHING,
) -> Found:
    """`long`: five minutes, `short`: one, `newest`: half a minute; `earlier`: ten minutes, before `long`;
    `yesterday`: at the same time."""
    is_few = long.requests < FEW_REQUESTS
    z = Z_RARE if is_few and _is_rare(yesterday, limit) else Z_BAD
    short_is_clear = is_above(short, limit, min_requests, z)
    is_over = _is_over(short, limit, long.share) or (
        _is_over(newest, limit, max(long.share, short.share))
        and not _goes_on(long, short, limit, min_requests)
    )
    if short.share > limit and not is_over and (short_is_clear or is_above(long, limit, min_requests, z)):
        return Found("bad", 1 if short_is_clear else 5)
    if is_over:
        return Found("fine")
    quarter = together(earlier, long)
    if is_few and is_above(quarter, limit, min_requests, z):
        is_over = _is_over(long, limit, quarter.share) or _is_over(short, limit, quarter.share)
        if long.share > limit and not is_over and earlier.hits >= EARLIER_HITS_MIN:
            return Found("bad", 15)
        if not is_over:
            return Found("unclear")
    return Found("fine" if short.share <= limit and long.share <= limit else "unclear")


def is_above(part: Part, limit: float, min_requests: int, z: float = Z_BAD) -> bool:
    """Whether the share is above the limit for certain."""
    if part.hits < HITS_MIN or part.requests < max(1, min_requests):
        return False
    return wilson(part.hits, part.requests, z)[0] > limit


def _is_rare(yesterday: Part, limit: float) -> bool:
    """Whether the share was surely below half of the limit."""
    return yesterday.requests > 0 and wilson(*yesterday, Z_OVER)[1] <= limit / 2


def _goes_on(long: Part, short: Part, limit: float, min_requests: int) -> bool:
    """Whether it was about as bad in the minutes before the last one: half a minute without failures is then
    a pause. Of two blips, the one before is not enough."""
    before = Part(max(0, long.hits - short.hits), max(0, long.requests - short.requests))
    return 2 * before.share > short.share and is_above(before, limit, min_requests)


def _is_over(newest: Part, limit: float, before: float) -> bool:
    """Whether the newest requests show that the share is no longer what it was before, and do not show that
    it still is above the limit."""
    if not newest.requests or before <= limit:
        return False
    low, high = wilson(newest.hits, newest.requests, Z_OVER)
    return low <= limit and high < before


def judge_high_rate(long: int, short: int, newest: int, per_min: float) -> Found:
    """Whether there are more than so many a minute: over five minutes and in the last, or many more in the
    last alone."""
    short_is_clear = short - Z_BAD * math.sqrt(short) > per_min
    is_over = _rate_is_over(newest, 0.5, per_min, max(long / 5, short))
    if short > per_min and not is_over and (short_is_clear or long > 5 * per_min):
        return Found("bad", 1 if short_is_clear else 5)
    is_below = short <= per_min and long <= 5 * per_min
    if is_below or is_over or _rate_is_over(short, 1.0, per_min, long / 5):
        return Found("fine")
    return Found("unclear")


def _rate_is_over(count: int, minutes: float, per_min: float, before: float) -> bool:
    if count / minutes > per_min or before <= per_min:
        return False
    return at_most(count, Z_OVER) / minutes < before


def judge_low_rate(long: int, short: int, per_min: float) -> Found:
    """Whether there are fewer than so many a minute: over five minutes and in the last, or far fewer in the
    last alone."""
    short_is_clear = at_most(short, Z_BAD) < per_min
    if short < per_min and (short_is_clear or long < 5 * per_min):
        return Found("bad", 1 if short_is_clear else 5)
    if long >= 5 * per_min and not short_is_clear:
        return Found("fine")
    if short >= per_min and short - Z_OVER * math.sqrt(short) > long / 5:
        return Found("fine")
    return Found("unclear")


def at_most(count: int, z: float) -> float:
    """The upper end of the interval of a count that is Poisson's (the score interval)."""
    return count + z * z / 2 + z * math.sqrt(count + z * z / 4)
