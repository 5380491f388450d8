"""What a run will send, and how long it will take: counted where that is quick, else estimated.

A log only knows about how many messages a window has. How many of them are requests that are sent depends on
apps, methods, rules and the sample, so the window's beginning is read once before the run.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.formatting import duration, plural
from app.log import History
from app.message import RouterMessage
from consumers.replay.load.shapes import Load, stage_ends_s

COUNT_S = 2.0
COUNT_FOR_RATE_S = 10.0
"""How long a window is read to count what will be sent; the latter where the pace depends on it. A larger
window is estimated from its beginning."""

EACH_MAX = 10_000
"""So many messages are looked at one by one. Of the rest, one in SAMPLED stands for its neighbours: to tell
whether a request is sent takes much longer than to read it, and the share is still known to about 2 %."""
SAMPLED = 8

END_WITHIN_MS = 500
"""How exactly the end of what the log has of a window is found."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one pass of the window has to send. `span_s`: of the log's own time, from one pass's first request
    to the next pass's first."""

    requests: float
    span_s: float
    is_exact: bool
    last_ms: int = 0
    """About when the window's last message was received, Unix ms; 0 where all of it was read."""

    @property
    def per_s(self) -> float:
        """Requests to send for each second of the log; 0 for none."""
        return self.requests / self.span_s if self.span_s > 0 else 0.0


NO_FORECAST = Forecast(0, 0.0, is_exact=True)
"""For a load without a rate, whose times do not depend on it."""


@dataclass(slots=True)
class Tally:
    """What was read of a window so far. Times are Unix ms."""

    messages: int = 0
    received_ms: int = 0
    """Of the latest message."""
    requests: int = 0
    """Those that are sent."""
    first_ms: int = 0
    last_ms: int = 0

    def read(self, chunk: Sequence[RouterMessage]) -> None:
        """A chunk of the log."""
        if chunk:
            self.messages += len(chunk)
            self.received_ms = chunk[-1]["received_at"]

    def add(self, at_ms: int, count: int = 1) -> None:
        """A request that is sent, logged at this time; it stands for `count` of them."""
        if not self.requests:
            self.first_ms = self.last_ms = at_ms
        self.requests += count
        self.last_ms = max(self.last_ms, at_ms)

    def as_forecast(self, *, is_exact: bool = True) -> Forecast:
        """Of a window that was read to its end."""
        span_s = (self.last_ms - self.first_ms) / 1000
        return Forecast(self.requests, period_s(span_s, self.requests), is_exact)


def period_s(span_s: float, requests: int) -> float:
    """How long after a window's first request its next pass begins: a mean gap after the last one, so that
    the rate stays the same. One second where there is no gap to go by."""
    if requests < 2 or span_s <= 0:
        return 1.0
    return span_s * requests / (requests - 1)


def forecast_window(
    history: History,
    from_ms: int,
    until_ms: int,
    sent_at_ms: Callable[[RouterMessage], int | None],
    count_s: float,
    chance: Callable[[], float] = random.random,
) -> Forecast:
    """Counted as far as `count_s` goes, the rest estimated. `sent_at_ms`: when a message's request was
    logged; None where it is not sent. `chance` gives 0 to 1. Raises LogUnavailable, and as `sent_at_ms`
    does."""
    tally, stops_s = Tally(), time.monotonic() + count_s
    for chunk in history.read(from_ms, until_ms):
        size = 1 if tally.messages + len(chunk) <= EACH_MAX else SAMPLED
        for start in range(0, len(chunk), size):
            neighbours = chunk[start : start + size]
            if (at_ms := sent_at_ms(neighbours[int(chance() * len(neighbours))])) is not None:
                tally.add(at_ms, len(neighbours))
        tally.read(chunk)
        if time.monotonic() > stops_s:
            return extrapolate(history, from_ms, find_last_ms(history, from_ms, until_ms), tally)
    return tally.as_forecast(is_exact=tally.messages <= EACH_MAX)


def extrapolate(history: History, from_ms: int, last_ms: int, tally: Tally) -> Forecast:
    """From the part that was read to the whole window, which has messages until `last_ms`. A log's estimate
    is corrected by how far it was wrong so far. Raises LogUnavailable."""
    read_ms = tally.received_ms + 1
    expected = history.estimate(from_ms, read_ms)
    rest = history.estimate(read_ms, last_ms + 1) if read_ms <= last_ms else 0
    share = tally.requests / max(1, tally.messages)
    requests = tally.requests + rest * share * (tally.messages / expected if expected else 1.0)
    first_ms = tally.first_ms if tally.requests else from_ms
    span_s = max(1, tally.last_ms - first_ms, last_ms - first_ms) / 1000
    return Forecast(requests, span_s, is_exact=False, last_ms=last_ms)


def find_last_ms(history: History, from_ms: int, until_ms: int) -> int:
    """About when the drain received the window's last message, Unix ms: a window may reach beyond the log.
    Raises LogUnavailable."""
    low, high = from_ms, until_ms
    while high - low > END_WITHIN_MS:
        middle = (low + high) // 2
        if history.estimate(middle, until_ms) > 0:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run will do. None: it cannot be known before."""

    requests: int | None
    duration_s: float | None
    is_exact: bool
    is_timed: bool = False
    """It ends after `duration_s`, whatever is sent until then."""
    uses_up_window: bool = False
    """The window ends before the stages do."""
    is_capped: bool = False
    """The cap is lower than what was asked, on average."""

    @property
    def text(self) -> str:
        """`7,467 requests, about 16 s`."""
        if self.requests is None:
            count = "as many requests as the target takes"
        else:
            count = ("" if self.is_exact else "about ") + plural(self.requests, "request")
        if self.duration_s is None:
            return f"{count}, as fast as they are answered"
        return f"{count}, about {duration(math.ceil(self.duration_s))}"


def outlook(load: Load, forecast: Forecast) -> Outlook:
    """What a run with this load will do in this window, taking its requests as evenly spaced."""
    if not forecast.requests:
        return Outlook(0, 0.0, forecast.is_exact)
    at_s, sent, is_capped = 0.0, 0.0, False
    left = math.inf if load.is_looped else forecast.requests
    for stage, end_s in zip(load.stages, stage_ends_s(load.stages), strict=True):
        room_s = min(end_s, load.duration_s) - at_s
        asked_per_s = stage.rate or (stage.speed * forecast.per_s if stage.speed else 0.0)
        per_s = min(asked_per_s, load.cap or math.inf)
        is_capped = is_capped or per_s < asked_per_s < math.inf
        if math.isinf(per_s):
            if math.isfinite(load.duration_s):
                return Outlook(None, load.duration_s, forecast.is_exact, is_timed=True)
            return Outlook(round(left), None, forecast.is_exact)
        if per_s and per_s * room_s > left:
            sent, at_s = sent + left, at_s + left / per_s
            is_staged = math.isfinite(stage_ends_s(load.stages)[-1])
            is_exact = forecast.is_exact
            return Outlook(round(sent), at_s, is_exact, uses_up_window=is_staged, is_capped=is_capped)
        if per_s:
            left, sent = left - per_s * room_s, sent + per_s * room_s
        at_s += max(0.0, room_s)
        if at_s >= load.duration_s:
            break
    return Outlook(round(sent), at_s, is_exact=False, is_timed=True, is_capped=is_capped)
