"""The rules over the past, one moment after the other: what would have fired, and what is said of it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
import redis

from app.alerts.facts import Facts, Subject
from app.alerts.rule import EACH, Rule
from app.cli.alerts import past
from app.cli.alerts.backtest import lines, span_of
from app.cli.alerts.past import Backtest, LeftOut, run_moments
from app.cli.alerts.progress import Progress
from app.cli.alerts.silence import BadUsage
from app.errors import LogUnavailable
from tests.app.alerts.scripted import CHECKOUT, T0, Scripted, during, facts, rule

SECONDS = range(0, 3_600, 60)


def quiet(done: int, at_s: int, incidents: int) -> None:
    """A progress that nobody looks at."""


def backtest(rules: Sequence[Rule], seconds: Sequence[int] = SECONDS) -> Backtest:
    found = Backtest(T0, T0, rules=[one.name for one in rules])

    def read(rules: Sequence[Rule], at_s: int, watched: Sequence[Subject]) -> Facts:
        return facts(at_s - T0)

    run_moments(found, rules, [T0 + second for second in seconds], read, quiet, clock=lambda: float(T0))
    return found


def test_what_would_have_fired_has_its_time_its_length_and_its_reason() -> None:
    found = backtest([rule("errors", Scripted(during((600, 1_200))))])
    (incident,) = found.incidents
    assert (incident.fired_s, incident.app, incident.rules) == (T0 + 600, "shop", ["errors"])
    assert incident.resolved_s is not None
    assert T0 + 1_200 <= incident.resolved_s <= T0 + 1_500
    assert incident.text == "errors > 2% is bad"
    assert (found.messages, incident.messages) == (2, 2)
    assert (found.moments, found.until_s) == (60, T0 + 3_540)
    row = lines(found)[1]
    assert row.startswith("2023-11-14T22:23:20Z  ")
    assert row.endswith("errors > 2% is bad")


def test_routes_that_fail_together_are_one_incident() -> None:
    found = backtest([rule("errors", Scripted(during((600, 1_200))), route=EACH)])
    (incident,) = found.incidents
    assert incident.routes == ["/cart", "/checkout"]
    assert "/cart, /checkout" in lines(found)[1]


def test_what_goes_on_at_the_end_says_so() -> None:
    found = backtest([rule("errors", Scripted(during((3_000, 9_999))))])
    assert found.incidents[0].resolved_s is None
    assert "goes on" in lines(found)[1]


def test_nothing_that_fires_is_said_in_one_line() -> None:
    found = backtest([rule("errors", Scripted(during()))])
    (line,) = lines(found)
    assert line.startswith("0 incidents, at most 0 messages to a target. Judged: 60 moments from ")
    assert line.endswith("by errors.")


def test_more_incidents_than_are_listed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "INCIDENTS_MAX", 1)
    found = backtest([rule("errors", Scripted(during((0, 300), (1_800, 2_100))))])
    assert (len(found.incidents), found.more_incidents) == (1, 1)
    said = "\n".join(lines(found))
    assert "and 1 more incident\n" in said
    assert "2 incidents, at most 4 messages" in said


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), redis.TimeoutError("slow"), LogUnavailable("gone")])
def test_whatever_ends_it_early_what_was_found_until_then_is_kept(fault: BaseException) -> None:
    found = Backtest(T0, T0, rules=["errors"])

    def read(rules: Sequence[Rule], at_s: int, watched: Sequence[Subject]) -> Facts:
        if at_s > T0 + 900:
            raise fault
        return facts(at_s - T0)

    rules = [rule("errors", Scripted(during((600, 1_200))))]
    with pytest.raises(type(fault)):
        run_moments(found, rules, [T0 + second for second in SECONDS], read, quiet)
    assert not found.is_whole
    assert (len(found.incidents), found.until_s) == (1, T0 + 900)
    found.ended_by = "interrupted"
    assert "What was after 2023-11-14T22:28:20Z was not judged: interrupted." in lines(found)


def test_a_rule_whose_time_had_not_come_when_it_ended_was_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "is_kept", lambda rule, at_s, now_s: rule.name == "errors" or at_s > T0 + 600)
    found = Backtest(T0, T0, rules=["errors", "budget"])

    def read(rules: Sequence[Rule], at_s: int, watched: Sequence[Subject]) -> Facts:
        if at_s > T0 + 300:
            raise KeyboardInterrupt
        return facts(at_s - T0)

    rules = [rule("errors", Scripted(during())), rule("budget", Scripted(during()))]
    with pytest.raises(KeyboardInterrupt):
        run_moments(found, rules, [T0 + second for second in SECONDS], read, quiet)
    assert (found.rules, found.left_out) == (["errors"], [LeftOut("budget", past.NOT_REACHED)])


def test_if_it_ended_before_the_first_moment_it_does_not_say_that_nothing_would_have_fired() -> None:
    found = Backtest(T0, T0, rules=["errors"], is_whole=False, ended_by="interrupted")
    assert lines(found) == ["Nothing was judged: interrupted."]


def test_what_is_on_the_board_is_watched() -> None:
    watched_at: dict[int, set[Subject]] = {}

    def read(rules: Sequence[Rule], at_s: int, watched: Sequence[Subject]) -> Facts:
        watched_at[at_s - T0] = set(watched)
        return facts(at_s - T0)

    rules = [rule("errors", Scripted(during((60, 600), of=[CHECKOUT])), route=EACH)]
    run_moments(Backtest(T0, T0), rules, [T0, T0 + 60, T0 + 120], read, quiet)
    assert watched_at == {0: set(), 60: set(), 120: {CHECKOUT}}


def test_what_is_left_out_is_said() -> None:
    found = Backtest(
        T0,
        T0,
        not_judged_before_s=T0,
        left_out=[LeftOut("memory", "dynos have no past"), LeftOut("crashes", "dynos have no past")],
        judged_from_s={"budget": T0 + 60},
    )
    assert lines(found) == [
        "Not judged: what was before 2023-11-14T22:13:20Z, because only whole hours are kept of it.",
        "budget: judged from 2023-11-14T22:14:20Z on, because it looks further back than is kept before "
        "that.",
        "Left out: memory, crashes: dynos have no past.",
    ]


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("soon", "now", "--from: 'soon' is not a time"),
        ("1h", "later", "--until: 'later' is not a time"),
        ("2023-11-15T00:00Z", "now", "--from: 2023-11-15T00:00:00Z is not in the past"),
        ("1h", "2h", "must be after --from"),
    ],
)
def test_a_bad_span_names_the_flag(start: str, end: str, says: str) -> None:
    with pytest.raises(BadUsage, match=says):
        span_of(start, end, float(T0))


def test_a_span_ends_before_what_is_still_judged_as_now() -> None:
    assert span_of("1h", "now", float(T0)) == (T0 - 3_600, T0 - 40)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere() -> None:
    for out, is_shown in ((Terminal(), True), (io.StringIO(), False)):
        now_s = iter(float(second) for second in range(100))
        progress = Progress(out, 1_740, clock=lambda now_s=now_s: next(now_s))  # type: ignore[misc]
        progress.show(435, T0, 1)
        progress.clear()
        said = out.getvalue()
        assert ("435 of 1,740 moments  1 incident  time left: 3 s" in said) == is_shown
        assert said == "" or said.endswith("\r\033[K")
