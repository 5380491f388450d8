"""The report for a pull request or a job's summary: short, the verdict first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.escaping import markdown_code, markdown_text
from app.formatting import milliseconds, number, plural, rate, shortened
from app.store.queries.replays import Change, ReplayedRoute
from consumers.replay.reports import finding_words, words
from consumers.replay.reports.numbers import arrow, share, signed
from consumers.replay.reports.report import WHY_REENCODED, Report

FINDINGS_SHOWN = 20
ROUTES_SHOWN = 25
REASONS_SHOWN = 6
NAME_WIDTH = 100
"""Paths can have kilobytes; a comment on GitHub has 65,536 characters."""

MARKS = {"crossed": "❌", "met": "✅", "inconclusive": "❔", "not-judged": "▫️"}
HINT = "; the JSON and HTML reports list them"


def render(report: Report) -> str:
    """The page; text of clients is inert in it."""
    lines = [
        f"# Replay {markdown_text(report.run.id)}: {report.title}",
        "",
        *_head(report),
        *_findings(report),
        *_section("Pace", list(map(markdown_text, words.pace_lines(report.result.pace)))),
        *_section("What was sent", _coverage(report)),
        *_section("Answers with another status", _statuses(report)),
        *_section("Bodies", _bodies(report)),
        *_steps(report),
        *_routes(report),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _head(report: Report) -> list[str]:
    info = {name: markdown_text(str(value)) for name, value in report.run.info.items()}
    result = report.result
    lines = [f"**Verdict: {result.verdict}.**"]
    ended = words.ended(report)
    if ended:
        lines += ["", f"**{markdown_text(ended[0].upper() + ended[1:])}.**"]
    if result.reasons:
        lines += ["", *(f"- {markdown_text(why)}" for why in words.reasons(result, REASONS_SHOWN))]
    lines += [
        "",
        f"{info.get('from', '')} to {info.get('until', '')}, {info.get('target', '')} against "
        f"{markdown_text(report.against)}. {markdown_text(words.parts_line(report))}".rstrip(),
        "",
    ]
    return lines


def _findings(report: Report) -> list[str]:
    result = report.result
    if not result.thresholds and not result.findings:
        return []
    shown, rest = finding_words.gravest(result.findings, FINDINGS_SHOWN)
    lines = [
        "| | threshold | route | before → after | change | 95 % interval | limit | samples | more samples |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for finding in shown:
        found = finding_words.finding_words(finding)
        cells = [
            MARKS[finding.state],
            markdown_code(finding.threshold),
            _name(found.where) if finding.route else finding_words.ALL_REQUESTS,
            *(
                markdown_text(text or "-")
                for text in (found.values, found.change, found.interval, found.limit)
            ),
            number(finding.samples),
            markdown_text(found.more or "-"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    lines += [
        f"- {MARKS[state]} {markdown_code(threshold)}: {finding_words.rest_line(state, count, HINT)}"
        for threshold, state, count in rest
    ]
    lines += [
        f"- {MARKS['met']} {markdown_code(threshold)}: nothing crossed it"
        for threshold in finding_words.without_finding(result.thresholds, result.findings)
    ]
    if more := finding_words.more_findings(result.findings_left_out):
        lines.append(f"- {more}")
    return [*lines, ""]


def _name(route: str) -> str:
    return markdown_code(shortened(route, NAME_WIDTH))


def _section(title: str, items: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {item}" for item in items), ""] if items else []


def _coverage(report: Report) -> list[str]:
    coverage = report.result.coverage
    items = [markdown_text(words.sent_line(coverage))]
    for title, reasons in (
        ("left out", coverage.left_out),
        ("not asked for", coverage.not_asked),
        ("answered, but not comparable with the original", coverage.uncomparable),
    ):
        if reasons:
            listed = "; ".join(f"{why}: {number(count)}" for why, count in words.counted(reasons))
            items.append(f"{title}: {markdown_text(listed)}")
    if window := words.window_line(coverage):
        items.append(markdown_text(window))
    items += [
        f"{_name(row.route)}: {markdown_text(words.left_out_text(row))}"
        for row in coverage.routes_left_out[:FINDINGS_SHOWN]
    ]
    if more := words.more_left_out(coverage, FINDINGS_SHOWN, HINT):
        items.append(more)
    if report.run.reencoded:
        items.append(f"percent-encoded again ({WHY_REENCODED}): {number(report.run.reencoded)}")
    outcomes = words.listed(report.run.total.outcomes)
    if outcomes:
        items.append(f"without an answer: {markdown_text(outcomes)}")
    return items


def _statuses(report: Report) -> list[str]:
    return [f"{pair}: {number(count)}" for pair, count in words.status_pairs(report)]


def _bodies(report: Report) -> list[str]:
    line = words.bodies_line(report.figures.total().bodies)
    if not line:
        return []
    rows = sorted(
        ((name, row.bodies) for name, row in report.figures.routes.items() if row.bodies.changed),
        key=lambda item: (-item[1].changed / max(1, item[1].compared), item[0]),
    )
    items = [markdown_text(line)]
    for name, found in rows[:FINDINGS_SHOWN]:
        keys = ", ".join(f"{_name(key)} ({number(count)})" for key, count in found.keys.most_common(5))
        items.append(
            f"{_name(name)}: {number(found.changed)} of {number(found.compared)} differ"
            f"{': ' if keys else ''}{keys}"
        )
    if len(rows) > FINDINGS_SHOWN:
        items.append(f"{plural(len(rows) - FINDINGS_SHOWN, 'more route')}{HINT}")
    return items


def _steps(report: Report) -> list[str]:
    if not report.result.steps:
        return []
    lines = [
        "## Speeds",
        "",
        "| speed | requests/s | p95 | errors | |",
        "| ---: | ---: | ---: | ---: | --- |",
    ]
    for step in report.result.steps:
        what = "held" if step.held else markdown_text(step.reason or "did not hold")
        lines.append(
            f"| {step.speed:g}x | {rate(step.rate)} | {milliseconds(step.p95_ms)} "
            f"| {share(step.error_share)} | {what} |"
        )
    return [*lines, ""]


def _routes(report: Report) -> list[str]:
    rows = report.run.routes
    lines = ["## Routes", "", *_table([report.run.total, *rows[:ROUTES_SHOWN]]), ""]
    if len(rows) > ROUTES_SHOWN:
        lines += [f"{plural(len(rows) - ROUTES_SHOWN, 'more route')}{HINT}.", ""]
    return [*lines, "Percentiles are accurate to 1 %; changes in bold are beyond chance (95 %)."]


def _table(rows: Sequence[ReplayedRoute]) -> list[str]:
    return [
        "| route | sent | no answer | other status | p50 | change | p95 | change | p99 | change |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {_name(row.route or finding_words.ALL_REQUESTS)} | {number(row.sent)} "
            f"| {number(row.sent - row.answered)} | {_share(row.status_changed, row.answered)} "
            f"| {_values(row.original.p50, row.replayed.p50)} | {_change(row.p50_change)} "
            f"| {_values(row.original.p95, row.replayed.p95)} | {_change(row.p95_change)} "
            f"| {_values(row.original.p99, row.replayed.p99)} | {_change(row.p99_change)} |"
            for row in rows
        ),
    ]


def _values(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return milliseconds(after)
    return arrow(milliseconds(before), milliseconds(after))


def _share(part: int, total: int) -> str:
    return share(part / total) if total else "-"


def _change(change: Change) -> str:
    if change.share is None:
        return "-"
    text = f"{signed(100 * change.share)} %"
    return f"**{text}**" if change.is_sure else text
