"""The language of `compare --fail-if`, as far as it applies that of `replay --fail-if`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from app.comparison.result import FigureName
from app.masking import safe_repr as quoted
from consumers.replay.gate.thresholds import BadThreshold, parse_threshold

EXAMPLES = ("p95>+20%", "p50>+100ms", "p99>500ms", "errors>+1%", "aborted>2%")

_SHARE = re.compile(
    r"\s*(?P<what>errors|aborted)\s*>\s*(?P<sign>\+?)(?P<value>[0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%\s*"
)
_COMPARED = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Condition:
    """What makes a comparison fail. `limit`: ms, or a share (0.2 for 20 %)."""

    text: str
    figure: FigureName
    limit: float
    of: Literal["after", "change", "ms of change"]
    """What must not be above it: the figure after, its change as `FigureComparison.change`, or that in ms."""


def parse_condition(text: str) -> Condition:
    """Raises BadThreshold, whose text says what to write."""
    if found := _SHARE.fullmatch(text):
        limit = float(found["value"]) / 100
        if limit > 1:
            raise BadThreshold(f"--fail-if {quoted(text)}: a share is at most 100%")
        return Condition(
            text.strip(), cast(FigureName, found["what"]), limit, "change" if found["sign"] else "after"
        )
    examples = ", ".join(map(repr, EXAMPLES))
    try:
        threshold = parse_threshold(text)
    except BadThreshold as fault:
        if " must be like " in str(fault):
            raise BadThreshold(f"--fail-if {quoted(text)}: must be like {examples}") from None
        raise
    if threshold.what not in _COMPARED:
        raise BadThreshold(
            f"--fail-if {quoted(text)}: {threshold.what} is not compared here: write one like {examples}"
        )
    of: Literal["after", "change", "ms of change"] = "after"
    if threshold.is_relative:
        of = "change" if threshold.unit == "%" else "ms of change"
    return Condition(threshold.text, cast(FigureName, threshold.what), threshold.value, of)
