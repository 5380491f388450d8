"""The language of `--fail-if`: what makes a replay fail. Pure.

    p50|p90|p95|p99 > +20%      service time, slower than the original (or the baseline) by more than a fifth
    p50|p90|p95|p99 > +100ms    slower than it by more than 100 ms
    p50|p90|p95|p99 > 500ms     response time, from due to answered
    late > 1s                   the 99th percentile of sent minus due, of the whole run
    status-changed > 1%         requests answered with another status than the original
    errors > 0.5%               requests with no answer, or with a 5xx where the original had none
    body-changed > 1%           requests whose answers differ from the baseline's, beyond its own noise
    sent < 95%                  of what was asked, in the whole run

Each applies to all requests together and to every route, but for `late` and `sent`. What is measured for it
is in measures.py, and when it is crossed, in findings.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import TailraceError
from app.masking import safe_repr as quoted

_PATTERN = re.compile(
    r"\s*(?P<what>p50|p90|p95|p99|late|status-changed|errors|body-changed|sent)\s*(?P<than>[<>])\s*"
    r"(?P<sign>\+?)(?P<value>[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?P<unit>%|ms|s)\s*"
)
EXAMPLES = (
    "p95>+20%",
    "p50>+100ms",
    "p99>500ms",
    "late>1s",
    "status-changed>1%",
    "errors>0.5%",
    "body-changed>1%",
    "sent<95%",
)


class BadThreshold(TailraceError):
    """A --fail-if that is not a valid threshold."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One condition. `value` is in ms, or a share (0.2 for 20 %), as `unit` says: `ms` or `%`."""

    text: str
    what: str
    value: float
    unit: str
    is_relative: bool
    """It compares with the original or the baseline."""

    @property
    def percentile(self) -> float | None:
        """0.95 for p95; None for what is no percentile of times."""
        return int(self.what[1:]) / 100 if self.what[1:].isdigit() else None


SENT = Threshold("sent<95%", "sent", 0.95, "%", is_relative=False)
"""Always on, unless `--fail-if` has a `sent` of its own."""


def parse_threshold(text: str) -> Threshold:
    """Raises BadThreshold, whose text says what to write."""
    parts = _PATTERN.fullmatch(text)
    if parts is None:
        examples = ", ".join(map(repr, EXAMPLES[:-1]))
        raise BadThreshold(f"--fail-if {quoted(text)}: must be like {examples} or {EXAMPLES[-1]!r}")
    what, unit, sign = parts["what"], parts["unit"], parts["sign"]
    value = float(parts["value"]) * {"%": 0.01, "ms": 1, "s": 1000}[unit]
    if fault := _fault(what, parts["than"], sign, parts["value"], unit, value):
        raise BadThreshold(f"--fail-if {quoted(text)}: {fault}")
    return Threshold(
        text=text.strip(),
        what=what,
        value=float(parts["value"]) / 100 if unit == "%" else value,
        unit="%" if unit == "%" else "ms",
        is_relative=bool(sign),
    )


def _fault(what: str, than: str, sign: str, written: str, unit: str, value: float) -> str:
    """What is wrong with a threshold, and what to write; empty where nothing is."""
    is_percentile, is_share = what[1:].isdigit(), what not in ("late", "p50", "p90", "p95", "p99")
    if (than == "<") != (what == "sent"):
        return (
            "write sent<95%" if what == "sent" else f"only sent takes '<': write {what}>{sign}{written}{unit}"
        )
    if is_share and (unit != "%" or sign):
        return f"{what} is a share, such as {'sent<95%' if what == 'sent' else what + '>1%'}"
    if is_share and value > 1:
        return "a share is at most 100%"
    if what == "late" and (unit == "%" or sign):
        return "late is a time, such as late>1s or late>500ms"
    if is_percentile and unit == "%" and not sign:
        return f"write +{written}% for slower than the original"
    if not is_share and not value:
        example = f"{what}>+20%" if unit == "%" else f"{what}>{sign}100ms"
        return f"must be above 0, because times vary by chance: write {example}"
    return ""


def with_sent(thresholds: Sequence[Threshold]) -> list[Threshold]:
    """With the default one, if there is no `sent` among them."""
    return [*thresholds, *([] if any(one.what == "sent" for one in thresholds) else [SENT])]
