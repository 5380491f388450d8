"""A threshold on a route in words. Pure; whatever a client wrote is not escaped yet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.formatting import milliseconds, number, plural
from app.store.run_result import Finding, FindingState
from consumers.replay.reports.numbers import arrow, share, signed, without_unit

ALL_REQUESTS = "all requests"


STATES: Mapping[FindingState, str] = {
    "crossed": "crossed",
    "inconclusive": "inconclusive",
    "not-judged": "too few samples",
    "met": "met",
}


GRAVITY: Sequence[FindingState] = ("crossed", "inconclusive", "not-judged", "met")


@dataclass(frozen=True, slots=True)
class FindingWords:
    """The parts of a finding, each as a person reads it; empty where there is nothing to say."""

    where: str
    values: str
    """`334 → 478 ms`, or what was measured where nothing is compared."""
    change: str
    """`+43 %`; empty where the threshold is about the value itself."""
    interval: str
    """`+17 … +66 %`."""
    limit: str
    samples: str
    more: str
    """`about 1,200 more samples would decide`."""

    def text(self) -> str:
        """All but where, on one line."""
        if not self.values:
            return ", ".join(filter(None, ["nothing was measured", f"limit {self.limit}", self.more]))
        estimate = ", ".join(filter(None, [self.values, self.change]))
        interval = f" (95 % CI {self.interval})" if self.interval else ""
        parts = [f"{estimate}{interval}", f"limit {self.limit}", self.samples, self.more]
        return ", ".join(filter(None, parts))


def finding_words(finding: Finding) -> FindingWords:
    """The finding in words."""
    is_change = "+" in finding.threshold
    after = None if finding.samples <= 0 else _known(finding.after)

    def value(one: float) -> str:
        return milliseconds(one) if finding.unit == "ms" else share(one)

    def amount(one: float) -> str:
        if not is_change:
            return value(one)
        return f"{signed(one)} ms" if finding.unit == "ms" else f"{signed(100 * one)} %"

    values = ""
    if after is not None and not is_change:
        values = value(after)
    elif after is not None:
        before = _known(finding.before)
        values = milliseconds(after) if before is None else arrow(milliseconds(before), milliseconds(after))
    estimate = _known(finding.estimate)
    return FindingWords(
        where=finding.route or ALL_REQUESTS,
        values=values,
        change=amount(estimate) if is_change and estimate is not None else "",
        interval=_interval(finding.low, finding.high, amount),
        limit=amount(finding.limit),
        samples=plural(finding.samples, "sample"),
        more=_more(finding.samples_missing),
    )


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _interval(low: float | None, high: float | None, amount: Callable[[float], str]) -> str:
    first, last = (None if one is None else amount(one) for one in (_known(low), _known(high)))
    if first is None and last is None:
        return ""
    if first is None:
        return f"up to {last}"
    if last is None:
        return f"{first} or more"
    return f"{without_unit(first, last)} … {last}"


def _more(samples: int | None) -> str:
    if not samples or samples < 0:
        return ""
    digits = max(0, len(str(samples)) - 2)
    roughly = math.ceil(samples / 10**digits) * 10**digits
    return f"about {number(roughly)} more {'sample' if roughly == 1 else 'samples'} would decide"


def rest_line(state: FindingState, routes: int, hint: str) -> str:
    """Of findings on routes that are not listed one by one."""
    has = "has" if routes == 1 else "have"
    return {
        "crossed": f"{plural(routes, 'more route')} crossed it{hint}",
        "inconclusive": f"{plural(routes, 'more route')} {_are(routes)} inconclusive{hint}",
        "not-judged": f"{plural(routes, 'route')} {has} too few samples to be judged{hint}",
        "met": f"{plural(routes, 'route')} {_are(routes)} within the limit",
    }[state]


def gravest(
    findings: Sequence[Finding], shown_max: int
) -> tuple[list[Finding], list[tuple[str, FindingState, int]]]:
    """The findings to list one by one, and the others as (threshold, state, routes). Listed are those on all
    requests together, and at most `shown_max` routes, the gravest."""
    shown: list[Finding] = []
    rest: Counter[tuple[str, FindingState]] = Counter()
    left = shown_max
    for finding in sorted(findings, key=lambda one: GRAVITY.index(one.state)):
        is_grave = finding.state in ("crossed", "inconclusive")
        if not finding.route or (is_grave and left > 0):
            left -= bool(finding.route)
            shown.append(finding)
        else:
            rest[finding.threshold, finding.state] += 1
    return shown, [(threshold, state, count) for (threshold, state), count in rest.items()]


def more_findings(left_out: int) -> str:
    """That not all findings were kept; empty where they were."""
    return (
        f"{plural(left_out, 'more finding')}, less grave, {_are(left_out)} counted but not kept"
        if left_out
        else ""
    )


def without_finding(thresholds: Iterable[str], findings: Sequence[Finding]) -> list[str]:
    """Thresholds that nothing was found for: they held everywhere."""
    found = {finding.threshold for finding in findings}
    return [threshold for threshold in thresholds if threshold not in found]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
