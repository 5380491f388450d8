"""`--fail-if`, and the verdict that follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli.compare.conditions import Condition, parse_condition
from app.cli.compare.text import comparison_lines
from app.cli.compare.verdict import Judged, judge
from app.comparison.result import Comparison, FigureComparison, FigureName, RouteComparison, Side, Word
from consumers.replay.gate.thresholds import BadThreshold


def row(route: str, word: Word = "no difference shown", *, requests: int = 1_000) -> RouteComparison:
    high = {"worse": 0.5, "better": -0.1}.get(word, 0.1)
    change, low = {"worse": (0.35, 0.2), "better": (-0.3, -0.5)}.get(word, (0.0, -0.1))

    def figure(name: FigureName, is_share: bool = False) -> FigureComparison:
        if is_share:
            return FigureComparison(
                name, 0.0, 0.001, 0.001, -0.002, 0.004, "no difference shown", 0.0005, 0.004
            )
        after = 100 * (1 + change)
        return FigureComparison(name, 100, after, change, low, high, word, 0.9 * after, 1.1 * after)

    figures = [
        FigureComparison("requests", 1.0, 1.0, 0.0, -0.1, 0.1, None),
        figure("errors", True),
        figure("aborted", True),
        *(figure(name) for name in ("p50", "p95", "p99")),
    ]
    return RouteComparison(route, route or "all", requests, requests, word, figures)


def found(*routes: RouteComparison, total: Word = "no difference shown") -> Comparison:
    return Comparison(
        "shop",
        Side(0, 900, 1_000, 1.1),
        Side(960, 1_860, 1_000, 1.1),
        total=row("", total),
        routes=list(routes),
        warnings=["a warning"],
    )


def verdict(comparison: Comparison, *conditions: str, is_strict: bool = False) -> Judged:
    return judge(comparison, list(map(parse_condition, conditions)), is_strict=is_strict)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p95>+20%", Condition("p95>+20%", "p95", 0.2, "change")),
        (" p50 > +100ms ", Condition("p50 > +100ms", "p50", 100, "ms of change")),
        ("p99>1.5s", Condition("p99>1.5s", "p99", 1_500, "after")),
        ("errors>+1%", Condition("errors>+1%", "errors", 0.01, "change")),
        ("errors > 0.5%", Condition("errors > 0.5%", "errors", 0.005, "after")),
        ("aborted>2%", Condition("aborted>2%", "aborted", 0.02, "after")),
    ],
)
def test_conditions_are_those_of_the_gate_and_rises_of_shares(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p95", "must be like"),
        ("p95>20%", "write +20%"),
        ("p90>+20%", "p90 is not compared here"),
        ("sent<95%", "sent is not compared here"),
        ("late>1s", "late is not compared here"),
        ("errors>101%", "at most 100%"),
        ("errors>+1ms", "errors is a share"),
        ("requests>+1%", "'errors>+1%'"),
        ("p95>+0%", "above 0"),
        ("", "must be like"),
    ],
)
def test_another_condition_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(BadThreshold) as fault:
        parse_condition(text)
    assert "--fail-if" in str(fault.value)
    assert said in str(fault.value)


def test_without_conditions_whatever_is_worse_fails() -> None:
    assert verdict(found(row("/a"))).verdict == "passed"
    failed = verdict(found(row("/a"), row("/checkout", "worse")))
    assert failed.verdict == "failed"
    assert failed.reasons == ["/checkout is worse: p50, p95, p99"]
    assert verdict(found(row("/a"), total="worse")).verdict == "failed"
    assert verdict(found(row("/a", "better"), total="better")).verdict == "passed"


def test_with_conditions_only_what_they_name_fails() -> None:
    slower = found(row("/a"), row("/checkout", "worse"))
    assert verdict(slower, "p95>+10%").verdict == "failed"
    assert verdict(slower, "p95>+10%").reasons == ["p95>+10% on /checkout"]
    assert verdict(slower, "p95>+60%").verdict == "passed"
    assert verdict(slower, "errors>+1%").verdict == "passed"
    assert verdict(slower, "errors>0.01%").verdict == "failed"
    assert verdict(slower, "p95>100ms").verdict == "failed"
    assert verdict(slower, "p95>500ms").verdict == "passed"
    assert verdict(slower, "p95>+10ms").verdict == "failed"


def test_what_can_not_be_told_is_inconclusive_and_never_passed() -> None:
    undecided = verdict(found(row("/checkout", "worse")), "p95>+30%")
    assert undecided.verdict == "inconclusive"
    assert undecided.reasons == ["p95>+30% on /checkout: undecided"]
    assert verdict(found(row("/checkout", "worse")), "p95>+30%", is_strict=True).verdict == "failed"
    few = found(row("/a", "too few"), total="too few")
    assert verdict(few).verdict == "inconclusive"
    assert verdict(few, "p95>+20%").verdict == "inconclusive"
    assert verdict(found(row("/a", "too few")), "p95>+20%").verdict == "passed"


@pytest.mark.parametrize(("ready_s", "said"), [(2_000, "not over"), (None, "not complete")])
def test_an_incomplete_comparison_is_inconclusive_unless_something_is_worse(
    ready_s: int | None, said: str
) -> None:
    early = replace(found(row("/a")), is_complete=False, ready_s=ready_s)
    assert verdict(early).verdict == "inconclusive"
    assert said in verdict(early).reasons[0]
    assert verdict(replace(early, routes=[row("/a", "worse")])).verdict == "failed"


def test_the_text_names_what_is_worse_first_with_its_interval_and_word() -> None:
    comparison = found(row("/checkout\x1b[31m", "worse"), row("/a", "better"), row("/b"))
    lines = comparison_lines(comparison, verdict(comparison), 1)
    text = "\n".join(lines)
    assert text.index("worse\n") < text.index("better\n") < text.index("all requests")
    assert "      p95      100 → 135 ms, +35 % (+20 … +50 %), worse" in lines
    assert "\x1b" not in text
    assert "3 routes: 1 worse, 1 better, 1 with no difference shown" in lines
    assert "  ! a warning" in lines
    assert lines[-1] == "exit code 1: failed"
    assert "verdict: failed" in lines
