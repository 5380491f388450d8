"""The report as one HTML file that loads nothing: tables, and plots as inline SVG. Pure but for reading the
template, which escapes all it is given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Template

from app.formatting import milliseconds, number
from app.html_files import load_template
from app.store.queries.figures import latency
from app.store.queries.replays import Change
from consumers.replay.reports import finding_words, words
from consumers.replay.reports.numbers import arrow, share, signed
from consumers.replay.reports.plots import shift_plot, time_plot
from consumers.replay.reports.report import EXIT_MEANINGS, WHY_REENCODED, Report

MARKS = {"crossed": "✗", "met": "✓", "inconclusive": "?", "not-judged": "·"}

ROUTES_MAX = 1_000
"""In the table; a browser is slow with more. The JSON has all."""


@functools.cache
def _template() -> Template:
    filters: Mapping[str, Callable[..., object]] = {
        "ms": milliseconds,
        "number": number,
        "share": share,
        "change": _change,
    }
    return load_template(Path(__file__).parent / "report.html.j2", filters)


def render(report: Report) -> str:
    """The whole file."""
    run, result, figures = report.run, report.result, report.figures
    rows = [
        (row, latency(figures.routes[row.route].response), figures.routes[row.route].bodies)
        for row in run.routes[:ROUTES_MAX]
    ]
    return _template().render(
        report=report,
        run=run,
        info=run.info,
        result=result,
        ended=words.ended(report),
        parts=words.parts_line(report),
        exit_meaning=EXIT_MEANINGS.get(report.exit_code, ""),
        findings=[
            (one, MARKS[one.state], finding_words.STATES[one.state], finding_words.finding_words(one))
            for one in result.findings
        ],
        held=finding_words.without_finding(result.thresholds, result.findings),
        pace=words.pace_lines(result.pace),
        sent=words.sent_line(result.coverage),
        coverage=[
            ("Left out", words.counted(result.coverage.left_out)),
            ("Not asked for", words.counted(result.coverage.not_asked)),
            ("Answered, but not comparable", words.counted(result.coverage.uncomparable)),
            ("Without an answer", words.counted(run.total.outcomes)),
        ],
        left_out=[(row.route, words.left_out_text(row)) for row in result.coverage.routes_left_out],
        more_left_out=words.more_left_out(result.coverage, len(result.coverage.routes_left_out), ""),
        more_findings=finding_words.more_findings(result.findings_left_out),
        window=words.window_line(result.coverage),
        why_reencoded=WHY_REENCODED,
        statuses=words.status_pairs(report),
        total=run.total,
        total_response=latency(figures.total().response),
        rows=rows,
        more_routes=max(0, len(run.routes) - ROUTES_MAX),
        bodies=words.bodies_line(figures.total().bodies),
        keys_of=words.keys_line,
        arrow=arrow,
        shifts=shift_plot(run.routes),
        times=time_plot(result.timeline),
    )


def _change(change: Change) -> str:
    return "-" if change.share is None else f"{signed(100 * change.share)} %"
