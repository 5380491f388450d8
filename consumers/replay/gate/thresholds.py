"""`--fail-if`: what makes a replay fail, and how certain that must be. Pure.

    p50|p90|p95|p99 > +20%      slower than the original by more than a fifth
    p50|p90|p95|p99 > +100ms    slower than the original by more than 100 ms
    p50|p90|p95|p99 > 500ms     slower than 500 ms
    status-changed > 1%         requests answered with another status than the original
    errors > 0.5%               requests with no answer, or with a 5xx where the original had none

A threshold applies to all requests together and to each route. It is crossed only if the whole 95 %
confidence interval lies beyond it: a route with few samples does not fail by chance, but is listed as
uncertain. A threshold for which nothing at all was measured counts as crossed, because a gate must not
open for lack of traffic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import TailraceError
from app.masking import safe_repr as quoted
from app.store.queries.replays import Z_95, changed_statuses, interval
from app.store.replay import RouteFigures, RunFigures

_PATTERN = re.compile(
    r"\s*(?P<what>p50|p90|p95|p99|status-changed|errors)\s*>\s*"
    r"(?P<sign>\+?)(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>%|ms)\s*"
)


class BadThreshold(TailraceError):
    """A --fail-if that is not a valid threshold."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One condition; `unit` is `%` or `ms`, `is_relative` where it compares with the original."""

    text: str
    what: str
    value: float
    unit: str
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A threshold that was crossed on a route (empty: all requests together), or may have been.

    `value` is in ms for percentiles, a share (0 to 1) for the others and for `+20%`. If nothing was
    measured it is NaN, and `samples` is 0.
    """

    threshold: str
    route: str
    value: float
    samples: int
    is_sure: bool


def parse_threshold(text: str) -> Threshold:
    """Raises BadThreshold, whose text shows valid thresholds."""
    parts = _PATTERN.fullmatch(text)
    if parts is None:
        raise BadThreshold(
            f"--fail-if {quoted(text)}: must be like 'p95>+20%', 'p50>+100ms', 'p99>500ms', "
            "'status-changed>1%' or 'errors>0.5%'"
        )
    is_percentile = parts["what"].startswith("p")
    if not is_percentile and (parts["unit"] != "%" or parts["sign"]):
        raise BadThreshold(f"--fail-if {text!r}: {parts['what']} is a share, such as {parts['what']}>1%")
    if is_percentile and parts["unit"] == "%" and not parts["sign"]:
        raise BadThreshold(f"--fail-if {text!r}: write +{parts['value']}% for slower than the original")
    value = float(parts["value"])
    return Threshold(
        text=text.strip(),
        what=parts["what"],
        value=value / 100 if parts["unit"] == "%" else value,
        unit=parts["unit"],
        is_relative=bool(parts["sign"]),
    )


def check(thresholds: Sequence[Threshold], figures: RunFigures) -> list[Finding]:
    """All findings, the certain ones first."""
    rows = {"": figures.total(), **figures.routes}
    findings = [
        finding
        for threshold in thresholds
        for route, row in rows.items()
        if (finding := _check(threshold, route, row)) is not None
    ]
    return sorted(findings, key=lambda finding: (not finding.is_sure, finding.threshold, finding.route))


def _check(threshold: Threshold, route: str, row: RouteFigures) -> Finding | None:
    if threshold.what.startswith("p"):
        return _check_percentile(threshold, route, row)
    bad, samples = _changed(row) if threshold.what == "status-changed" else _errors(row)
    if not samples:
        return _nothing_measured(threshold, route)
    if bad / samples <= threshold.value:
        return None
    is_sure = wilson(bad, samples)[0] > threshold.value
    return Finding(threshold.text, route, bad / samples, samples, is_sure)


def _nothing_measured(threshold: Threshold, route: str) -> Finding | None:
    """A route without samples is not worth a finding; a whole run without any is."""
    return None if route else Finding(threshold.text, route, math.nan, 0, is_sure=True)


def _changed(row: RouteFigures) -> tuple[int, int]:
    """(requests with another status than the original, requests that both answered)."""
    return sum(changed_statuses(row).values()), sum(count for pair, count in row.statuses.items() if pair[0])


def _errors(row: RouteFigures) -> tuple[int, int]:
    """(requests without an answer or with a new 5xx, requests sent)."""
    unanswered = row.sent - row.kinds["answered"] - row.kinds["stream"]
    new = sum(count for (before, after), count in row.statuses.items() if after >= 500 and before < 500)
    return unanswered + new, row.sent


def _check_percentile(threshold: Threshold, route: str, row: RouteFigures) -> Finding | None:
    share = int(threshold.what[1:]) / 100
    after = interval(row.replayed, share)
    before = interval(row.original, share) if threshold.is_relative else (0.0, 0.0, 0.0)
    if after is None or before is None:
        return _nothing_measured(threshold, route)

    def excess(new: float, old: float) -> float:
        if not threshold.is_relative:
            return new
        if threshold.unit == "ms":
            return new - old
        return new / old - 1 if old else math.inf

    value = excess(after[1], before[1])
    if value <= threshold.value:
        return None
    is_sure = math.isfinite(before[2]) and excess(after[0], before[2]) > threshold.value
    return Finding(threshold.text, route, value, sum(row.replayed.values()), is_sure)


def wilson(hits: int, samples: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927), sound for few samples and small shares too."""
    share, squared = hits / samples, Z_95**2
    middle = (share + squared / (2 * samples)) / (1 + squared / samples)
    half = (
        Z_95 * math.sqrt(share * (1 - share) / samples + squared / (4 * samples**2)) / (1 + squared / samples)
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def describe(finding: Finding) -> str:
    """The finding as one line of text."""
    if not finding.samples:
        return f"{finding.threshold}: nothing was measured"
    where = f"route {finding.route}" if finding.route else "all requests"
    is_ms = finding.threshold.endswith("ms")
    value = f"{finding.value:.0f} ms" if is_ms else f"{finding.value:.2%}"
    certainty = "" if finding.is_sure else ", too few samples to be sure"
    return f"{finding.threshold}: {where}: {value} ({finding.samples:,} samples{certainty})"
