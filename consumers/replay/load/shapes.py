"""How fast a window is replayed, and for how long: `--speed`, `--rate`, `--stages`, `--for`, `--loop`. Pure.

A load is one stage or several, one after the other in wall time. A stage has a speed (a multiple of the
original) or a rate (requests/s on average); both keep the shape of the log's own spacing.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.durations import seconds_of
from app.errors import TailraceError
from app.formatting import duration
from app.masking import safe_repr as quoted

STAGES_MAX = 100
SPEED_MAX = 1e6
"""Of a stage: an hour of the log in 4 ms is as good as no spacing."""
RATE_MAX = 1e6
EXAMPLE = "5m:1x,10m:5x,5m:1x"

_PACE = re.compile(r"(?P<value>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?P<unit>x|/s)")


class BadLoad(TailraceError):
    """Flags that describe no load."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One speed or one rate for a while. `text`: as the user wrote it, without the time."""

    text: str
    duration_s: float = math.inf
    """Wall time; infinite: until the window ends."""
    speed: float = 1.0
    """A multiple of the original; infinity ignores the spacing, 0 is a pause."""
    rate: float = 0.0
    """Requests/s on average, in place of the speed; 0 for none."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run sends when. Only its only stage may be at infinite speed."""

    stages: tuple[Stage, ...] = (Stage("1x"),)
    duration_s: float = math.inf
    """`--for`: wall time after which the run ends."""
    is_looped: bool = False
    """The window begins again where it ends, until the time is up."""
    cap: float = 0.0
    """Limit of requests/s on top, from REPLAY_RATE; 0 for none."""

    @property
    def ends_s(self) -> float:
        """Wall time from the first request to the end; infinite: it ends with the window."""
        return min(self.duration_s, sum(stage.duration_s for stage in self.stages))

    @property
    def text(self) -> str:
        """As the user would write it: `10x`, `max`, `200/s`, `5m:1x,10m:5x`, `10x for 1 h`."""
        if len(self.stages) > 1 or math.isfinite(self.stages[0].duration_s):
            text = ",".join(f"{_clock(stage.duration_s)}:{stage.text}" for stage in self.stages)
        else:
            text = self.stages[0].text
        if math.isfinite(self.duration_s):
            text += f" for {duration(self.duration_s)}"
        return text + (f", at most {self.cap:g}/s" if self.cap else "")

    @property
    def is_paced(self) -> bool:
        """Each request has a time of its own, which a target or this machine may miss: it is not `max`."""
        return not math.isinf(self.stages[0].speed)

    @property
    def flag(self) -> str:
        """The one to change for another pace."""
        if len(self.stages) > 1 or math.isfinite(self.stages[0].duration_s):
            return "--stages"
        return "--rate" if self.stages[0].rate else "--speed"

    @property
    def speed(self) -> float | None:
        """The speed asked, on average; None for `max`, and where a rate or a cap decides."""
        if not self.is_paced or self.cap or any(stage.rate for stage in self.stages):
            return None
        if len(self.stages) == 1:
            return self.stages[0].speed
        return self.needs_log_s / self.ends_s

    @property
    def rate(self) -> float | None:
        """The rate asked, on average, requests/s; None where any stage has a speed."""
        if not all(stage.rate for stage in self.stages):
            return None
        if len(self.stages) == 1:
            return self.stages[0].rate
        return sum(stage.rate * stage.duration_s for stage in self.stages) / self.ends_s

    @property
    def has_rate(self) -> bool:
        """Its times depend on how many requests the window has."""
        return any(stage.rate for stage in self.stages)

    @property
    def needs_log_s(self) -> float:
        """How much of the log its stages of a known speed use up, in seconds of the log's own time; 0 where
        it ends with the window."""
        if not all(math.isfinite(stage.duration_s) for stage in self.stages):
            return 0.0
        return sum(stage.duration_s * stage.speed for stage in self.stages if not stage.rate)

    @property
    def why_not_resumable(self) -> str:
        """Why an interrupted run cannot go on where it stopped; empty where it can."""
        if self.is_looped or math.isfinite(self.ends_s):
            return (
                "a run with --stages, --for, --loop or --find-limit cannot be resumed, because its load "
                "depends on the time since its start: start it anew"
            )
        return ""

    def refuse_short_window(self, window_s: float) -> None:
        """Raises BadLoad where the window, `window_s` long, is used up before the stages end."""
        if not self.is_looped and self.needs_log_s > window_s:
            raise BadLoad(
                f"the window has {_minutes(window_s)}, the stages need {_minutes(self.needs_log_s)} of the "
                "log: add --loop, which begins the window again, or choose a longer window"
            )


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`5m:1x,10m:5x,5m:1x`, or with rates: `1m:50/s,5m:200/s`. Raises BadLoad."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > STAGES_MAX:
        raise BadLoad(f"--stages: {len(parts)} stages are too many, at most {STAGES_MAX}")
    stages = tuple(_stage(part) for part in parts)
    if not any(stage.speed or stage.rate for stage in stages):
        raise BadLoad(f"--stages {quoted(text)}: nothing would be sent, because every stage is a pause (0x)")
    return stages


def _stage(part: str) -> Stage:
    length, _, target = part.partition(":")
    if target == "max":
        raise BadLoad(
            f"--stages: {quoted(part)}: a stage cannot be max, because the rest of the window would be sent "
            "at once: write a speed (50x) or a rate (500/s)"
        )
    found = _PACE.fullmatch(target)
    try:
        duration_s = seconds_of(length)
    except ValueError:
        found = None
    if found is None:
        raise BadLoad(
            f"--stages: {quoted(part)} is not a stage: write a time and a speed (5m:10x) or a rate "
            f"(5m:200/s), as in {EXAMPLE}; 0x is a pause"
        )
    if not duration_s:
        raise BadLoad(f"--stages: {quoted(part)} must last at least 1s")
    value = float(found["value"])
    if value > (SPEED_MAX if found["unit"] == "x" else RATE_MAX):
        raise BadLoad(f"--stages: {quoted(part)} is too fast: at most {SPEED_MAX:,.0f}x or {RATE_MAX:,.0f}/s")
    if found["unit"] == "x":
        return Stage(f"{value:g}x", duration_s, speed=value)
    if not value:
        raise BadLoad(f"--stages: {quoted(part)}: a rate must be above 0; 0x is a pause")
    return Stage(f"{value:g}/s", duration_s, rate=value)


def at_speed(speed: float) -> Stage:
    """One speed until the window ends."""
    return Stage("max" if math.isinf(speed) else f"{speed:g}x", speed=speed)


def at_rate(rate: float) -> Stage:
    """One rate on average, until the window ends."""
    return Stage(f"{rate:g}/s", rate=rate)


def stage_ends_s(stages: Sequence[Stage]) -> list[float]:
    """When each stage ends, s since the first began."""
    return list(itertools.accumulate(stage.duration_s for stage in stages))


def _clock(seconds: float) -> str:
    """`90s`, `5m`, `1h`: as on the command line."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % unit_s == 0:
            return f"{seconds / unit_s:g}{unit}"
    return f"{seconds:g}s"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:,.4g} minutes"
