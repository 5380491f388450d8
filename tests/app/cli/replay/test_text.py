"""What `python -m app replay` prints."""

from __future__ import annotations

from collections import Counter

import pytest

from app.cli.replay.text import dry_run_lines, resume_command
from consumers.replay.plan import DryRun

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


@pytest.mark.parametrize(
    "words",
    [
        ["replay", "--from", "1h", "--to", "http://a b", "--until", "now"],
        ["replay", "--from=1h", "--until=now", "--to", "http://a b"],
        ["replay", "--resume", "before", "--from", "1h", "--to", "http://a b", "--until", "now"],
        ["replay", "--resume=before", "--from=1h", "--until=now", "--to", "http://a b"],
    ],
)
def test_the_command_to_resume_is_the_same_with_another_start(words: list[str]) -> None:
    times = "--from 2026-11-23T10:00:00.000Z --until 2026-11-23T11:00:00.000Z"
    begin = "python -m app replay --to 'http://a b'"
    assert resume_command(words, RESUME_MS, UNTIL_MS, "") == f"{begin} {times}"
    assert resume_command(words, RESUME_MS, UNTIL_MS, "r-1") == f"{begin} --resume r-1 {times}"
