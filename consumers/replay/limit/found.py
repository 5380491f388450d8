"""What a search for the limit has found: its steps, the answer in words, and the result of the run. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from app.formatting import milliseconds, percent
from app.formatting import rate as rate_text
from app.sketch import percentile
from app.store.run_figures import RunFigures
from app.store.run_result import Pace, RunResult, SpeedStep, Verdict

Ending = Literal["running", "found", "all-held", "first-broke", "own-limit", "no-requests"]


@dataclass(slots=True)
class Found:
    """What the search knows so far."""

    ending: Ending = "running"
    steps: list[SpeedStep] = field(default_factory=list)
    held: SpeedStep | None = None
    """The highest speed that held."""
    held_result: RunResult | None = None
    broke: SpeedStep | None = None
    """The lowest speed that did not hold."""
    first_result: RunResult | None = None
    stopped_early: str = ""
    """Why the limit is less exact than it could be; empty where it is not."""

    @property
    def text(self) -> str:
        """The answer, in a sentence or two."""
        held = f"{speed_text(self.held.speed)} held ({_figures(self.held)})" if self.held else ""
        broke = f"{speed_text(self.broke.speed)} did not: {self.broke.reason}" if self.broke else ""
        if self.ending == "no-requests":
            return "the limit cannot be said: the window has no request to send"
        if self.ending == "own-limit":
            so_far = f"; {held}" if held else ""
            reason = self.steps[-1].reason
            return f"the target's limit cannot be said, because it was not what broke{so_far}; {reason}"
        if self.ending == "first-broke":
            return f"no speed held: already {broke}"
        if self.ending == "all-held":
            return f"no limit found: {held}, and no higher speed was tried"
        if not held:
            return "no speed is known to hold" + (f": {broke}" if broke else "")
        early = f" ({self.stopped_early})" if self.stopped_early else ""
        return f"the highest speed that held: {held}" + (f"; {broke}" if broke else "") + early


def speed_text(speed: float) -> str:
    """`2x`, `5.66x`, `181x`."""
    return f"{speed:.3g}x" if speed < 1_000 else f"{speed:.0f}x"


def step_text(step: SpeedStep) -> str:
    """One step as a line."""
    verdict = "held" if step.held else f"broke: {step.reason}"
    return f"{speed_text(step.speed):>6}  {_figures(step)}  {verdict}"


def _figures(step: SpeedStep) -> str:
    return (
        f"{rate_text(step.rate)} requests/s, p95 {milliseconds(step.p95_ms)}, "
        f"errors {percent(step.error_share)}"
    )


def is_own_limit(pace: Pace) -> bool:
    """The pace was not kept, and the target is not why."""
    return pace.is_missed and pace.fault in ("machine", "concurrency")


def why_broken(result: RunResult) -> str:
    """What a step was clearly broken by; empty where it held."""
    if is_own_limit(result.pace):
        return _pace_text(result.pace)
    crossed = [one for one in result.findings if one.state == "crossed"]
    if crossed:
        return next(iter(result.reasons), crossed[0].threshold)
    return _pace_text(result.pace) if result.pace.is_missed else ""


def _pace_text(pace: Pace) -> str:
    text = f"{percent(pace.share_reached or 0.0)} of the speed was reached"
    return f"{text}. {pace.explanation}".rstrip(". ")


def p95_ms(figures: RunFigures) -> float | None:
    """Response time, from due to answered; None without any."""
    times = figures.total().response
    return percentile(times, 0.95) if times else None


def error_share(figures: RunFigures) -> float:
    """Of the requests sent, what the gate counts as errors; 0 where nothing was sent."""
    total = figures.total()
    return total.errors / total.sent if total.sent else 0.0


def result_of(found: Found, whole: RunResult) -> RunResult:
    """The search as the result of a run. The findings and the pace are those of the highest speed that held,
    or of the first one. `whole`: the result of all steps together, as a run."""
    basis = found.held_result or found.first_result or whole
    if found.ending in ("found", "all-held"):
        verdict: Verdict = "passed"
    elif found.ending == "first-broke":
        verdict = "failed"
    else:
        verdict = "failed" if whole.is_strict else "inconclusive"
    return dataclasses.replace(
        basis,
        verdict=verdict,
        reasons=[found.text],
        is_strict=whole.is_strict,
        is_interrupted=whole.is_interrupted,
        steps=list(found.steps),
    )
