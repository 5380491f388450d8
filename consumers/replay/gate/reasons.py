"""Why a run failed or is inconclusive, in sentences, the gravest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.formatting import percent, plural
from app.store.run_result import Coverage, Finding, Pace

LISTED_MAX = 10
"""Findings of one kind that are named; the rest are counted."""
MORE_CROSSED = "more findings are beyond their limits"
MORE_UNDECIDED = "more are undecided"
MORE_NOT_JUDGED = "more routes cannot be judged"
COUNTS_OF_FINDINGS = (MORE_CROSSED, MORE_UNDECIDED, MORE_NOT_JUDGED)
"""How the lines end that count findings beyond those named."""
ANSWERED_MIN = 0.95


def is_own_fault(pace: Pace) -> bool:
    """The pace was missed, and the target had no part in it."""
    return pace.fault in ("concurrency", "machine") or (pace.is_missed and pace.fault != "target")


def of_crossed(crossed: Sequence[Finding], coverage: Coverage) -> list[str]:
    """What failed the run."""
    return _listed([_crossed(one, coverage) for one in crossed], MORE_CROSSED)


def _crossed(one: Finding, coverage: Coverage) -> str:
    if one.threshold.startswith("sent"):
        return f"{one.threshold}: {_sent(coverage)}"
    return f"{one.threshold}: {_value(one)}"


def of_the_run(coverage: Coverage, pace: Pace, is_interrupted: bool, allow_slower: bool) -> list[str]:
    """What makes a run inconclusive as a whole."""
    found = []
    if is_interrupted:
        found.append("the run was interrupted: only a part of the window was replayed")
    if not coverage.sent:
        asked = f"none of {coverage.asked:,} requests asked" if coverage.asked else "there was none to send"
        found.append(f"no request was sent: {asked}{_why_left_out(coverage)}")
    if pace.share_reached is not None and pace.is_missed and not allow_slower:
        explained = f". {pace.explanation}" if pace.explanation else ""
        found.append(f"too slow: {pace.share_reached * 100:.0f} % of the speed asked was reached{explained}")
    return found


def of_answers(coverage: Coverage, *, has_errors: bool) -> list[str]:
    """Too few answers to judge by; with a threshold for errors, that one decides."""
    if not coverage.sent:
        return []
    share = coverage.answered / coverage.sent
    if not coverage.answered:
        return [f"no request was answered, of {coverage.sent:,} sent"]
    if share >= ANSWERED_MIN or has_errors:
        return []
    return [
        f"too few answers: {percent(share)} of {coverage.sent:,} requests sent were answered "
        "(--fail-if 'errors>1%' would fail this run)"
    ]


def of_findings(findings: Sequence[Finding], coverage: Coverage, pace: Pace, *, is_strict: bool) -> list[str]:
    """What the findings leave open."""
    whole = [one for one in findings if one.state == "not-judged" and not one.route]
    routes = [one for one in findings if one.state == "not-judged" and one.route]
    undecided = [one for one in findings if one.state == "inconclusive"]
    # If nothing was sent, that is the reason for all of it.
    found = [_not_judged(one) for one in whole if coverage.sent and not _is_about_coverage(one)]
    found += _listed([_undecided(one, coverage, pace) for one in undecided], MORE_UNDECIDED)
    if is_strict and routes:
        found += _listed([_not_judged(one) for one in routes], MORE_NOT_JUDGED)
    return found


def _is_about_coverage(one: Finding) -> bool:
    return one.threshold.startswith("sent")


def _undecided(one: Finding, coverage: Coverage, pace: Pace) -> str:
    if _is_about_coverage(one):
        return f"too little sent: {_sent(coverage)}"
    lowest = one.estimate if one.low is None else one.low
    is_absolute_time = one.unit == "ms" and one.before is None
    if is_absolute_time and lowest is not None and lowest > one.limit and is_own_fault(pace):
        return f"{one.threshold}: {_value(one)}, but not because of the target"
    if one.low is not None and one.low > one.limit:
        return f"{one.threshold}: {_value(one)}, which may be chance on one of so many routes"
    return f"{one.threshold}: {_value(one)}, which does not tell on which side of the limit{_more(one)}"


def _not_judged(one: Finding) -> str:
    name = one.route or "all requests together"
    if not one.samples:
        return f"{one.threshold}: nothing was measured"
    if one.before is not None and one.high is None and one.estimate is None:
        return (
            f"{one.threshold}: {name} took less than a millisecond before, so no change in % can be said: "
            "set a limit in ms, or compare with --baseline"
        )
    return f"{one.threshold}: {name} cannot be judged with {plural(one.samples, 'sample')}{_more(one)}"


def _more(one: Finding) -> str:
    if one.samples_missing is None:
        return ""
    return f"; about {plural(one.samples_missing, 'more sample')} would do"


def _value(one: Finding) -> str:
    """`/search p95 334 -> 478 ms, +43 % (95 % interval +17 % to +66 %, 599 samples)` without the p95."""
    name = one.route or "all requests together"
    times = "" if one.before is None or one.after is None else f" {one.before:.0f} -> {one.after:.0f} ms,"
    is_change = one.before is not None
    if one.low is None and one.high is None:
        return f"{name}{times} {_figure(one, one.estimate, is_change)}"
    ends = f"{_figure(one, one.low, is_change)} to {_figure(one, one.high, is_change)}"
    return (
        f"{name}{times} {_figure(one, one.estimate, is_change)} (95 % interval {ends}, "
        f"{plural(one.samples, 'sample')})"
    )


def _figure(one: Finding, value: float | None, is_change: bool) -> str:
    if value is None:
        return "any"
    if one.unit == "ms":
        return f"{value:+,.0f} ms" if is_change else f"{value:,.0f} ms"
    return f"{value * 100:+.1f} %" if is_change else percent(value)


def _sent(coverage: Coverage) -> str:
    share = coverage.sent / coverage.asked if coverage.asked else 0.0
    return f"{percent(share)} of {coverage.asked:,} requests asked were sent{_why_left_out(coverage)}"


def _why_left_out(coverage: Coverage) -> str:
    largest = sorted(coverage.left_out.items(), key=lambda item: (-item[1], item[0]))
    return f" (left out: {', '.join(f'{reason} {count:,}' for reason, count in largest)})" if largest else ""


def _listed(lines: Iterable[str], rest: str) -> list[str]:
    every = list(lines)
    more = len(every) - LISTED_MAX
    return every if more <= 0 else [*every[:LISTED_MAX], f"{more:,} {rest}"]
