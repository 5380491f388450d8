"""The sentences that several forms of a report share. Pure; whatever a client wrote is not escaped yet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.escaping import for_terminal
from app.formatting import duration, milliseconds, number, plural, rate, shortened
from app.store.replay import BodyFigures
from app.store.run_result import Coverage, Fault, Finding, FindingState, Pace, RouteLeftOut, RunResult
from consumers.replay.reports.numbers import arrow, share, signed, without_unit
from consumers.replay.reports.report import Report

ALL_REQUESTS = "all requests"
REASONS_SHOWN = 12
"""Reasons, status pairs and keys in one list; those of error codes are a client's words."""

FAULTS: Mapping[Fault, str] = {
    "": "",
    "target": "the target was slower than asked for",
    "concurrency": "the limit of requests at once was too low",
    "machine": "this machine was too slow",
}
STATES: Mapping[FindingState, str] = {
    "crossed": "crossed",
    "inconclusive": "inconclusive",
    "not-judged": "too few samples",
    "met": "met",
}
REASON_WIDTH = 300
KEY_WIDTH = 100
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


def counted(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """(reason, requests), the most frequent first, at most REASONS_SHOWN; the rest together."""
    ordered = sorted(((name, n) for name, n in reasons.items() if n), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:REASONS_SHOWN], ordered[REASONS_SHOWN:]
    if rest:
        shown.append((f"{number(len(rest))} other reasons", sum(count for _, count in rest)))
    return shown


def listed(reasons: Mapping[str, int]) -> str:
    """`method 508, sample 12`."""
    return ", ".join(f"{reason} {number(count)}" for reason, count in counted(reasons))


def pace_lines(pace: Pace) -> list[str]:
    """How fast was asked and how fast it went; how late; by whose fault, and what would do."""
    reached = []
    if pace.speed_reached is not None:
        reached.append(f"{pace.speed_reached:.3g}x")
    if pace.rate_reached:
        reached.append(f"{rate(pace.rate_reached)} requests/s")
    text = f"asked {pace.asked}" if pace.asked else ""
    if reached:
        text += f"{', ' if text else ''}reached {', '.join(reached)}"
    if pace.share_reached is not None:
        text += f" ({share(pace.share_reached)} of what was asked)"
    if pace.duration_s and text:
        text += f", in {duration(pace.duration_s) if pace.duration_s >= 10 else f'{pace.duration_s:.1f} s'}"
    lines = [text] if text else []
    late = pace.late
    if late.max is not None:
        parts = [
            f"{name} {milliseconds(value)}"
            for name, value in (
                ("p50", late.p50),
                ("p95", late.p95),
                ("p99", late.p99),
                ("longest", late.max),
            )
            if value is not None
        ]
        lines.append(f"sent after it was due: {', '.join(parts)}")
    if pace.concurrency_max and pace.duration_s:
        lines.append(f"requests at once: {number(pace.concurrency)}, limit {number(pace.concurrency_max)}")
    why = FAULTS.get(pace.fault, str(pace.fault))
    if why and pace.explanation:
        lines.append(f"{why}: {pace.explanation}")
    elif why or pace.explanation:
        lines.append(why or pace.explanation)
    return lines


def sent_line(coverage: Coverage) -> str:
    """How much of what was asked was sent and answered."""
    of = f" ({share(coverage.sent / coverage.asked)})" if coverage.asked else ""
    return (
        f"{number(coverage.sent)} of {plural(coverage.asked, 'request')} asked for{of}, "
        f"{number(coverage.answered)} answered"
    )


def window_line(coverage: Coverage) -> str:
    """That the log has not all of the window; empty where it has."""
    if not coverage.missing_s or not coverage.window_s:
        return ""
    missing = share(min(1.0, coverage.missing_s / coverage.window_s))
    lacks, of = duration(coverage.missing_s), duration(coverage.window_s)
    return f"the log lacks {lacks} of the window's {of} ({missing})"


def left_out_text(row: RouteLeftOut) -> str:
    """How much of a route was left out, and why."""
    how = "left out wholly" if not row.sent else f"{number(row.sent)} sent"
    return f"{how}, {plural(row.left_out, 'request')} not sent ({listed(row.reasons)})"


def more_left_out(coverage: Coverage, shown: int, hint: str) -> str:
    """How many routes were left out beyond those shown; empty for none."""
    more = max(0, len(coverage.routes_left_out) - shown) + coverage.more_routes_left_out
    return f"{plural(more, 'more route')} of which less was sent than left out{hint}" if more else ""


def status_pairs(report: Report) -> list[tuple[str, int]]:
    """(`404 → 200`, requests): statuses that changed, the most frequent first."""
    pairs = {
        f"{before} → {after}": count
        for (before, after), count in report.figures.total().statuses.items()
        if before and before != after
    }
    return counted(pairs)


def bodies_line(bodies: BodyFigures) -> str:
    """How many answers differ beyond the noise, and how; empty where none were compared."""
    if not bodies.compared:
        return ""
    changed, noisy = bodies.changed / bodies.compared, bodies.noisy / bodies.compared
    return (
        f"{plural(bodies.compared, 'answer')} compared: {share(changed)} differ ({number(bodies.changed)}), "
        f"noise {share(noisy)}"
    )


def keys_line(keys: Counter[str], shown: int = 5) -> str:
    """The names of what differs most often."""
    most = keys.most_common(shown)
    return ", ".join(f"{shortened(for_terminal(key), KEY_WIDTH)} ({number(count)})" for key, count in most)


def ended(report: Report) -> str:
    """How far an interrupted run came; empty for one that came to its end."""
    if not report.result.is_interrupted:
        return ""
    state = report.run.info.get("state", "interrupted")
    why = "interrupted" if state == "interrupted" else f"stopped early ({state})"
    progress = "" if report.progress is None else f" after {share(report.progress)} of the window"
    reached = report.run.info.get("reached", "")
    return f"{why}{progress}{f', at {reached}' if reached else ''}: the rest was not replayed"


def parts_line(report: Report) -> str:
    """That a run was resumed; empty where it was not."""
    parts = report.run.info.get("parts", "1")
    return "" if parts == "1" else f"resumed: {parts} parts of one run, judged together"


def rest_line(state: FindingState, routes: int, hint: str) -> str:
    """Of findings on routes that are not listed one by one."""
    has = "has" if routes == 1 else "have"
    return {
        "crossed": f"{plural(routes, 'more route')} crossed it{hint}",
        "inconclusive": f"{plural(routes, 'more route')} {_are(routes)} inconclusive{hint}",
        "not-judged": f"{plural(routes, 'route')} {has} too few samples to be judged{hint}",
        "met": f"{plural(routes, 'route')} {_are(routes)} within the limit",
    }[state]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


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


def reasons(result: RunResult, shown_max: int, *, but_of_findings: bool = False) -> list[str]:
    """Why the verdict is not `passed`, at most `shown_max` and a line about the others. `but_of_findings`:
    without those that only repeat a finding."""
    begins = tuple(f"{finding.threshold}: " for finding in result.findings) if but_of_findings else ()
    found = [reason for reason in result.reasons if not (begins and reason.startswith(begins))]
    shown = [shortened(for_terminal(reason), REASON_WIDTH) for reason in found[:shown_max]]
    if len(found) > shown_max:
        shown.append(f"{plural(len(found) - shown_max, 'more reason')}")
    return shown


def without_finding(thresholds: Iterable[str], findings: Sequence[Finding]) -> list[str]:
    """Thresholds that nothing was found for: they held everywhere."""
    found = {finding.threshold for finding in findings}
    return [threshold for threshold in thresholds if threshold not in found]
