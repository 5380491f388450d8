"""The end of a replay as the terminal shows it: a mark a threshold, then what it rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.escaping import for_terminal
from app.formatting import milliseconds, number, plural, rate, shortened
from app.store.run_result import FindingState
from consumers.replay.reports import finding_words, words
from consumers.replay.reports.numbers import arrow, share
from consumers.replay.reports.report import EXIT_MEANINGS, WHY_REENCODED, Report

ROUTES_SHOWN = 10
WHERE_WIDTH = 60
MARKS: Mapping[FindingState, str] = {"crossed": "✗", "met": "✓", "inconclusive": "?", "not-judged": "·"}
HINT = "; --report shows them"


def summary_lines(report: Report, *, is_on_page: bool) -> list[str]:
    """The summary, safe for a terminal. `is_on_page`: Redis has the run, so the page shows it."""
    run, total = report.run, report.run.total
    lines = [
        f"run {run.id}: {number(total.sent)} sent, {number(total.answered)} answered, "
        f"{number(total.status_changed)} with another status",
        f"  {run.info.get('target', '')} against {report.against}",
        *(f"  {text}" for text in (words.parts_line(report),) if text),
        *_thresholds(report),
        *_section("pace", words.pace_lines(report.result.pace)),
        *_section("coverage", _coverage(report)),
        *_section("answers", _answers(report)),
        *_section("bodies", _bodies(report)),
        *_section("speeds", _steps(report)),
        *_verdict(report),
    ]
    if is_on_page:
        lines.append(f"on the page: Replay view, run {run.id} (#/replay/{run.id})")
    return [for_terminal(line) for line in lines]


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _thresholds(report: Report) -> list[str]:
    result = report.result
    shown, rest = finding_words.gravest(result.findings, ROUTES_SHOWN)
    rows = []
    for finding in shown:
        found = finding_words.finding_words(finding)
        where = shortened(for_terminal(found.where), WHERE_WIDTH)
        rows.append((MARKS[finding.state], finding.threshold, where, found.text()))
    rows += [
        (MARKS[state], threshold, "", finding_words.rest_line(state, count, HINT))
        for threshold, state, count in rest
    ]
    rows += [
        (MARKS["met"], threshold, "", "nothing crossed it")
        for threshold in finding_words.without_finding(result.thresholds, result.findings)
    ]
    if more := finding_words.more_findings(result.findings_left_out):
        rows.append((MARKS["not-judged"], "", "", more))
    first, second = (max((len(row[at]) for row in rows if row[2]), default=0) for at in (1, 2))
    return _section(
        "thresholds",
        [
            f"{mark} {name:<{first}}  {where:<{second}}  {text}"
            if where
            else f"{mark} {name:<{first}}  {text}"
            for mark, name, where, text in rows
        ],
    )


def _coverage(report: Report) -> list[str]:
    coverage = report.result.coverage
    lines = [f"sent {words.sent_line(coverage)}"]
    lines += [f"not sent ({why}): {number(count)}" for why, count in words.counted(coverage.left_out)]
    if coverage.not_asked:
        lines.append("not asked for:")
        lines += [f"not sent ({why}): {number(count)}" for why, count in words.counted(coverage.not_asked)]
    if window := words.window_line(coverage):
        lines.append(window)
    if coverage.routes_left_out:
        lines.append("the verdict does not cover these routes, of which less was sent than left out:")
        lines += [
            f"{shortened(for_terminal(row.route), WHERE_WIDTH)}: {words.left_out_text(row)}"
            for row in coverage.routes_left_out[:ROUTES_SHOWN]
        ]
        if more := words.more_left_out(coverage, ROUTES_SHOWN, HINT):
            lines.append(more)
    if report.run.reencoded:
        lines.append(f"percent-encoded again ({WHY_REENCODED}): {number(report.run.reencoded)}")
    if coverage.uncomparable:
        lines.append("answered, but not comparable with the original:")
        lines += [f"{number(count):>7}  {why}" for why, count in words.counted(coverage.uncomparable)]
    return lines


def _answers(report: Report) -> list[str]:
    total = report.run.total
    lines = []
    for name, before, after in (
        ("p50", total.original.p50, total.replayed.p50),
        ("p95", total.original.p95, total.replayed.p95),
        ("p99", total.original.p99, total.replayed.p99),
    ):
        if after is not None:
            values = milliseconds(after)
            lines.append(f"{name} {arrow(milliseconds(before), values) if before is not None else values}")
    lines = [", ".join(lines)] if lines else []
    lines += [f"{outcome}: {number(count)}" for outcome, count in words.counted(total.outcomes)]
    pairs = words.status_pairs(report)
    if pairs:
        changed = ", ".join(f"{pair}: {number(count)}" for pair, count in pairs)
        lines.append(f"another status than before: {changed}")
    return lines


def _bodies(report: Report) -> list[str]:
    total = report.figures.total().bodies
    line = words.bodies_line(total)
    if not line:
        return []
    differing = sorted(
        ((name, row.bodies) for name, row in report.figures.routes.items() if row.bodies.changed),
        key=lambda item: (-item[1].changed / max(1, item[1].compared), item[0]),
    )
    lines = [line]
    lines += [
        f"{shortened(for_terminal(name), WHERE_WIDTH)}: {number(found.changed)} of "
        f"{number(found.compared)} differ{': ' if found.keys else ''}{words.keys_line(found.keys)}"
        for name, found in differing[:ROUTES_SHOWN]
    ]
    if len(differing) > ROUTES_SHOWN:
        lines.append(f"{plural(len(differing) - ROUTES_SHOWN, 'more route')}{HINT}")
    return lines


def _steps(report: Report) -> list[str]:
    lines = []
    for step in report.result.steps:
        p95 = "" if step.p95_ms is None else f", p95 {milliseconds(step.p95_ms)}"
        what = "held" if step.held else f"did not hold: {step.reason}"
        lines.append(
            f"{MARKS['met' if step.held else 'crossed']} {step.speed:g}x, {rate(step.rate)} requests/s{p95}, "
            f"errors {share(step.error_share)}: {what}"
        )
    return lines


def _verdict(report: Report) -> list[str]:
    result = report.result
    ended = words.ended(report)
    lines = [ended] if ended else []
    note = "" if result.thresholds else " (no threshold was set)"
    lines.append(f"verdict: {result.verdict}{note}")
    lines += [f"  {why}" for why in words.reasons(result, ROUTES_SHOWN, but_of_findings=True)]
    lines.append(f"exit code {report.exit_code}: {EXIT_MEANINGS.get(report.exit_code, '')}")
    return lines
