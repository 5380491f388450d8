"""How well a run kept the pace that was asked, and whose fault it is if it did not. Pure.

Everything is worked out from the times at which requests were due, so it holds for every shape of load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.formatting import milliseconds, rate
from app.sketch import percentile
from app.store.run_result import PACE_KEPT_SHARE, Fault, Milliseconds, Pace
from consumers.replay.sending.concurrency import (
    BUSY_CPU_SHARE,
    CONCURRENCY_MAX,
    FILES_KEPT,
    HEAD_ROOM,
    Shortage,
)
from consumers.replay.sending.meter import PaceMeter
from consumers.replay.sending.target_load import SATURATED_FROM, Load, load_of

ALLOWED_LATE_S = 0.25
"""What a busy machine or a garbage collection costs any run, however short."""

SPAN_MIN_S = 1.0
"""A shorter run counts as this long: it has no speed to speak of."""

CALM_TIMES = 3
"""How many times as long as without load the last answers may take."""

CONCURRENCY_ROOM = 1.5
"""Beyond Little's law, because requests are not due evenly."""

SPEED_ROOM = 0.9
"""Of what was reached: the speed that is proposed."""

FAILED_FROM = 0.1
"""Share of requests that were refused or timed out, from which on a slow pace is the target's fault."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What pace was asked."""

    text: str = "max"
    """In the user's words."""
    speed: float | None = None
    """On average; None for `max` and for a rate."""
    rate: float | None = None
    """On average, requests/s; None where a speed was asked."""
    flag: str = "--speed"
    """Which one to lower."""
    is_paced: bool = False
    """Requests have a due time: it is not `max`."""


@dataclass(frozen=True)
class Sending:
    """What one target was sent."""

    name: str
    """For the start of a sentence: `The target`."""
    meter: PaceMeter
    under_way_max: int
    limit: int
    shortage: Shortage = ""

    @property
    def span_s(self) -> float:
        """From the first request's due time to the last one's."""
        return max(0.0, self.meter.last_due_s - self.meter.first_due_s)

    @property
    def share(self) -> float:
        """Of the speed asked: the lower one of what was sent and what was answered in time."""
        share = min(self.sent_share, self.answered_share)
        if share >= PACE_KEPT_SHARE or not self.span_s:
            return share
        # Not kept. How far from it is seen by the rates, in which nothing is allowed for.
        reached = self.rate_answered if self.answered_share < self.sent_share else self.rate_reached
        return min(share, reached / self.rate_asked)

    @property
    def sent_share(self) -> float:
        """The span in which requests were due, against the one in which they were sent.

        A run that fell behind and caught up in a slower part was not as fast as asked either: so the lateness
        that one request in twenty exceeded counts as if it were the end's."""
        if not self.meter.sent:
            return 1.0
        late_s = max(self.meter.last_sent_s - self.meter.last_due_s, self._late_ms(0.95) / 1000)
        span_s = max(SPAN_MIN_S, self.span_s)
        return span_s / (span_s + max(0.0, late_s - ALLOWED_LATE_S))

    @property
    def answered_share(self) -> float:
        """Requests that were answered by the time when all were due, with time for an answer without load.

        With enough senders a target that cannot take the load gets it in time all the same, and the requests
        wait there. It counts only where service times have risen with the load: slow answers alone are no
        slow pace."""
        if not self.meter.sent or not self.load.has_risen:
            return 1.0
        in_time_s = max(SPAN_MIN_S, self.span_s) + ALLOWED_LATE_S + CALM_TIMES * self.load.calm_ms / 1000
        return self.meter.ended_by(in_time_s) / self.meter.sent

    @cached_property
    def load(self) -> Load:
        """What the load has done to service times."""
        return load_of(self.meter.by_level, self.under_way_max)

    @property
    def rate_asked(self) -> float:
        """Requests/s at which they were due, on average."""
        return _rate(self.meter.sent, self.span_s)

    @property
    def rate_reached(self) -> float:
        """Requests/s at which they were sent, on average."""
        return _rate(self.meter.sent, self.meter.last_sent_s - self.meter.first_due_s)

    @property
    def rate_answered(self) -> float:
        """Requests/s that were answered; without the last twentieth, which a few slow ones stretch."""
        after_s = self.meter.ended_after_s(0.95)
        return 0.95 * self.meter.sent / after_s if after_s else 0.0

    def late(self) -> Milliseconds:
        """Sent minus due."""
        if not self.meter.sent:
            return Milliseconds(None, None, None, None)
        p50, p95, p99 = (round(self._late_ms(share), 3) for share in (0.5, 0.95, 0.99))
        return Milliseconds(p50, p95, p99, round(self.meter.late_max_s * 1000, 3))

    def _late_ms(self, share: float) -> float:
        found_ms = percentile(self.meter.late_ms, share)
        return min(found_ms, self.meter.late_max_s * 1000)


def pace_of(asked: Asked, sendings: Sequence[Sending]) -> Pace:
    """The pace of a run, by the target that was sent the slowest."""
    if not sendings:
        return _not_begun(asked)
    slowest = min(sendings, key=lambda one: one.share)
    meter = slowest.meter
    has_pace = asked.is_paced and meter.sent > 0
    share = slowest.share if has_pace else None
    fault: Fault = ""
    explanation = ""
    if share is not None and share < PACE_KEPT_SHARE:
        fault, explanation = _why(asked, slowest, share)
    rate_asked = asked.rate or (slowest.rate_asked if has_pace else None)
    return Pace(
        asked=asked.text,
        speed_asked=asked.speed,
        speed_reached=None if asked.speed is None or share is None else asked.speed * share,
        rate_asked=rate_asked,
        rate_reached=min(slowest.rate_reached, slowest.rate_answered) if fault else slowest.rate_reached,
        share_reached=share,
        duration_s=max(0.0, meter.last_end_s - meter.first_due_s) if meter.sent else 0.0,
        late=slowest.late() if asked.is_paced else Milliseconds(None, None, None, None),
        fault=fault,
        explanation=explanation,
        concurrency=slowest.under_way_max,
        concurrency_max=slowest.limit,
    )


def _not_begun(asked: Asked) -> Pace:
    nothing = Milliseconds(None, None, None, None)
    return Pace(asked.text, asked.speed, None, asked.rate, 0.0, None, 0.0, nothing, "", "", 0, 0)


def _why(asked: Asked, sending: Sending, share: float) -> tuple[Fault, str]:
    meter, lost, load = sending.meter, sending.meter.lateness, sending.load
    if sending.answered_share < sending.sent_share:
        return "target", _of_target(asked, sending, share)
    cpu_share = meter.late_cpu_s / meter.late_wall_s if meter.late_wall_s else 0.0
    if cpu_share >= BUSY_CPU_SHARE or lost.reader_s + lost.machine_s > lost.busy_s:
        return "machine", _of_machine(asked, sending, share, cpu_share)
    failed_share = (meter.refused + meter.timed_out) / meter.sent
    would_do = sending.rate_asked * load.calm_ms / 1000 <= sending.limit
    is_full = load.has_risen and (would_do or load.elasticity >= SATURATED_FROM)
    if is_full or failed_share >= FAILED_FROM:
        return "target", _of_target(asked, sending, share)
    return "concurrency", _of_concurrency(asked, sending, share)


def _of_target(asked: Asked, sending: Sending, share: float) -> str:
    load, meter = sending.load, sending.meter
    facts = []
    if load.has_risen:
        risen = f"{milliseconds(load.calm_ms)} to {milliseconds(load.busy_ms)}"
        facts.append(f"its service time rose from {risen} under this load")
    if meter.refused >= FAILED_FROM * meter.sent:
        facts.append(f"it refused {meter.refused / meter.sent * 100:.0f} % of the requests")
    if meter.timed_out >= FAILED_FROM * meter.sent:
        facts.append(f"{meter.timed_out / meter.sent * 100:.0f} % of them timed out")
    return (
        f"{sending.name} answered {rate(sending.rate_answered)} requests/s of the "
        f"{rate(sending.rate_asked)}/s asked: {', and '.join(facts)}. "
        f"Replay with {_slower(asked, share)}, or give {_within(sending.name)} more capacity."
    )


def _of_concurrency(asked: Asked, sending: Sending, share: float) -> str:
    service_ms = sending.load.busy_ms
    wanted = math.ceil(round(sending.rate_asked * service_ms / 1000 * CONCURRENCY_ROOM, 3))
    wanted = max(wanted, math.ceil(sending.limit * HEAD_ROOM) + 1)
    text = (
        f"All {sending.limit:,} senders were busy: {_within(sending.name)} took {milliseconds(service_ms)} a "
        f"request, and at {rate(sending.rate_asked)} requests/s that takes about {wanted:,} of them. "
    )
    slower = _slower(asked, share)
    if sending.shortage == "files":
        return f"{text}Allow more open files (ulimit -n {2 * wanted + FILES_KEPT}), or replay with {slower}."
    if sending.shortage == "threads":
        return f"{text}This machine started no more threads: allow it more, or replay with {slower}."
    if wanted > CONCURRENCY_MAX:
        return (
            f"{text}One process can have {CONCURRENCY_MAX:,}: replay with {slower}, make "
            f"{_within(sending.name)} faster, or replay shares of the window from several machines."
        )
    return f"{text}--concurrency {wanted} would do."


def _of_machine(asked: Asked, sending: Sending, share: float, cpu_share: float) -> str:
    lost = sending.meter.lateness
    late = f"requests were up to {sending.meter.late_max_s:.1f} s late"
    if cpu_share >= BUSY_CPU_SHARE:
        text = f"This machine could not keep up: Tailrace used a whole CPU core, and {late}. "
    elif lost.reader_s > lost.machine_s:
        text = f"The log could not be read as fast as asked: {late}, although senders were free. "
    else:
        text = f"This machine could not keep up: {late}, although senders were free. "
    return f"{text}Replay on a larger machine, or with {_slower(asked, share)}."


def _slower(asked: Asked, share: float) -> str:
    """What to write in place of what was asked."""
    if asked.rate is not None and asked.flag == "--rate":
        return f"--rate {_down(asked.rate * share)}"
    if asked.speed is not None and asked.flag == "--speed":
        return f"--speed {_down(asked.speed * share)}"
    return f"{asked.flag} at {_down(100 * share)} % of these speeds"


def _down(value: float) -> str:
    """A little less, in two digits."""
    lower = value * SPEED_ROOM
    digits = 10.0 ** (math.floor(math.log10(lower)) - 1) if lower > 0 else 1.0
    return f"{math.floor(lower / digits + 1e-9) * digits:.6g}"


def _rate(count: int, span_s: float) -> float:
    return (count - 1) / span_s if count > 1 and span_s > 0 else float(count)


def _within(name: str) -> str:
    """The name within a sentence."""
    return name[0].lower() + name[1:]
