"""What `python -m app replay` prints."""

from __future__ import annotations

from collections import Counter

import pytest

from app.cli.replay.text import dry_run_lines, resume_command, summary_lines
from app.store.queries.replays import compared
from app.store.replay import Run, RunFigures
from consumers.replay.gate.thresholds import check, parse_threshold
from consumers.replay.window import DryRun

RESUME_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
UNTIL_MS = RESUME_MS + 3_600_000


def test_a_dry_run_lists_the_largest_counts_first_and_why_something_is_not_sent() -> None:
    counts = Counter({("/a", "sent"): 1_200, ("/b", "method"): 3, ("/a", "rule"): 3, ("", "no-path"): 1})
    assert dry_run_lines(DryRun(counts, reencoded=3)) == [
        "would send 1,200 of 1,207 requests",
        "         3  of them percent-encoded again (Router 2.0 logs the path decoded)",
        "     1,200  /a",
        "         3  not sent (rule) /a",
        "         3  not sent (method) /b",
        "         1  not sent (no-path)",
    ]


def test_a_summary_has_totals_failures_findings_and_verdict() -> None:
    figures = RunFigures(skipped=Counter({"method": 2}), reencoded=12)
    for _ in range(300):
        figures.of("/a").add("answered", 500, 40.0, 200, 10.0)
    figures.of("/a").add("timeout", 0, 40.0, 200, 10.0)
    findings = check([parse_threshold("status-changed>1%")], figures)
    lines = summary_lines(compared(Run("r", {}, figures)), findings, has_thresholds=True)
    assert lines[0] == "run r: 301 sent, 300 answered, 300 with another status"
    assert lines[1].startswith("  p50 10 -> 40 ms, p95 10 -> 40 ms")
    assert "  percent-encoded again (Router 2.0 logs the path decoded): 12" in lines
    assert "  timeout: 1" in lines
    assert "  not sent (method): 2" in lines
    assert "  CROSSED  status-changed>1%: all requests: 100.00% (300 samples)" in lines
    assert lines[-1] == "verdict: failed"


def test_without_thresholds_there_is_no_verdict() -> None:
    assert summary_lines(compared(Run("r", {}, RunFigures())), [], has_thresholds=False) == [
        "run r: 0 sent, 0 answered, 0 with another status"
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["replay", "--from", "1h", "--to", "http://a b", "--until", "now"],
        ["replay", "--from=1h", "--until=now", "--to", "http://a b"],
    ],
)
def test_the_command_to_resume_is_the_same_with_another_start(words: list[str]) -> None:
    assert resume_command(words, RESUME_MS, UNTIL_MS) == (
        "python -m app replay --to 'http://a b' "
        "--from 2026-11-23T10:00:00.000Z --until 2026-11-23T11:00:00.000Z"
    )
