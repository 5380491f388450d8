"""The sentences of a report."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.store.run_result import Finding
from consumers.replay.reports import finding_words, words
from consumers.replay.reports.numbers import share
from tests.consumers.replay.reports.samples import ABSOLUTE, CROSSED, MET, RARE, SHARE, UNSURE, report


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (CROSSED, "334 → 478 ms, +43 % (95 % CI +27 … +66 %), limit +20 %, 599 samples"),
        (
            UNSURE,
            "120 → 141 ms, +18 % (95 % CI \N{MINUS SIGN}9 … +35 %), limit +20 %, 210 samples, "
            "about 1,200 more samples would decide",
        ),
        (ABSOLUTE, "478 ms (95 % CI 440 … 512 ms), limit 500 ms, 3,726 samples"),
        (SHARE, "1.25 % (95 % CI 0.81 … 1.93 %), limit 0.5 %, 1,600 samples"),
        (
            RARE,
            "12 → 15 ms, +25 % (95 % CI \N{MINUS SIGN}80 % or more), limit +20 %, 3 samples, "
            "about 900 more samples would decide",
        ),
        (
            Finding("p50>+100ms", "/a", "crossed", "ms", 990, 2_100, 1_110, 1_050, 1_170, 100, 1, None),
            "990 ms → 2.10 s, +1,110 ms (95 % CI +1,050 … +1,170 ms), limit +100 ms, 1 sample",
        ),
        (
            Finding("sent<95%", "", "inconclusive", "share", None, 0.5, 0.5, None, None, 0.95, 20, None),
            "50 %, limit 95 %, 20 samples",
        ),
        (
            Finding("p50>+10%", "", "crossed", "share", 0, 200, math.inf, None, math.inf, 0.1, 20, None),
            "0 → 200 ms, limit +10 %, 20 samples",
        ),
        (
            Finding(
                "p95>+20%", "", "inconclusive", "share", None, math.nan, math.nan, None, None, 0.2, 0, 600
            ),
            "nothing was measured, limit +20 %, about 600 more samples would decide",
        ),
        (replace(UNSURE, samples_missing=1, low=None), None),
    ],
)
def test_a_finding_has_values_estimate_interval_limit_samples_and_what_would_decide(
    finding: Finding, text: str | None
) -> None:
    said = finding_words.finding_words(finding).text()
    assert text is None or said == text
    if text is None:
        assert "(95 % CI up to +35 %)" in said
        assert said.endswith("about 1 more sample would decide")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (0.000_01, "<0.01 %"),
        (0.001_63, "0.163 %"),
        (0.0125, "1.25 %"),
        (0.05, "5 %"),
        (0.933, "93.3 %"),
        (0.9, "90 %"),
        (0.9995, "99.95 %"),
        (1, "100 %"),
        (12.74, "1,274 %"),
    ],
)
def test_a_share_is_as_exact_as_it_needs_to_be(value: float, text: str) -> None:
    assert share(value) == text


def test_only_the_gravest_routes_are_listed_and_the_others_are_summed() -> None:
    findings = [MET, RARE, *(replace(CROSSED, route=f"/{number}") for number in range(5)), UNSURE]
    shown, rest = finding_words.gravest(findings, 3)
    assert [finding.route for finding in shown] == ["/0", "/1", "/2", ""]
    assert rest == [
        ("p95>+20%", "crossed", 2),
        ("p95>+20%", "inconclusive", 1),
        ("p95>+20%", "not-judged", 1),
    ]


def test_reasons_beyond_a_dozen_are_summed() -> None:
    shown = words.counted({f"H{number}": 100 - number for number in range(40)})
    assert shown[:2] == [("H0", 100), ("H1", 99)]
    assert (len(shown), shown[-1]) == (13, ("28 other reasons", sum(100 - n for n in range(12, 40))))


def test_what_the_log_lacks_of_the_window_is_said() -> None:
    coverage = report().result.coverage
    assert words.window_line(coverage) == "the log lacks 1 min of the window's 60 min (2.5 %)"
    overtaken = replace(coverage, missing_s=0.0, was_overtaken=True)
    assert words.window_line(overtaken) == "the log dropped requests of the window before they were read"
    assert words.window_line(replace(coverage, missing_s=0.0)) == ""


def test_the_pace_says_asked_reached_late_and_by_whose_fault() -> None:
    assert words.pace_lines(report().result.pace) == [
        "asked 10x, reached 4.1x, 189 requests/s (41 % of what was asked), in 40 s",
        "sent after it was due: p50 200 ms, p95 7.40 s, p99 8.10 s, longest 8.20 s",
        "requests at once: 16, limit 16",
        "the limit of requests at once was too low: All 16 connections were busy. --concurrency 64 would do.",
    ]


def test_reasons_are_bounded_in_number_and_length_and_repeat_no_finding_where_those_are_listed() -> None:
    many = [f"p95>+20%: /{number} was crossed" for number in range(30)]
    result = report(reasons=[*many, "41 % of the speed asked", "/" + "x" * 5_000]).result
    assert words.reasons(result, 2) == [*many[:2], "30 more reasons"]
    own = words.reasons(result, 5, but_of_findings=True)
    assert own[0] == "41 % of the speed asked"
    assert (len(own), len(own[1])) == (2, 300)
    assert words.reasons(report(reasons=many, findings=[]).result, 1, but_of_findings=True)[0] == many[0]
