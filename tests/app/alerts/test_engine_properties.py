"""What holds of the engine whatever the figures do, hour after hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.alerts.board import Silence
from app.alerts.condition import Family, Verdict
from app.alerts.engine import moments
from app.alerts.facts import Subject
from app.alerts.notices import UPDATE_S
from app.alerts.rule import EACH, Rule
from tests.app.alerts.scripted import T0, Scripted, Told, facts, rule

VERDICTS: Sequence[Verdict] = ("fine", "bad", "unclear", "fine", "bad")
FAMILIES: Sequence[Family] = ("failures", "slowness", "traffic")
LENGTH_S = 2_400
TAIL_S = 600

phases = st.lists(st.tuples(st.integers(1, 90), st.integers(0, len(VERDICTS) - 1)), min_size=1, max_size=8)
"""So many tens of seconds of a verdict, one after the other."""


class Played:
    """A condition that plays phases; each subject begins at another of them."""

    def __init__(self, played: Sequence[tuple[int, int]]) -> None:
        self.tens = [VERDICTS[number] for count, number in played for _ in range(count)]

    def __call__(self, second: int, subject: Subject) -> Verdict:
        if second >= LENGTH_S:
            return "fine"
        shift = 7 * len(subject.digest + subject.app)
        return self.tens[(second // 10 + shift) % len(self.tens)]


rules_of = st.lists(
    st.tuples(phases, st.integers(0, 2), st.sampled_from([0, 30, 120]), st.sampled_from(["", EACH])),
    min_size=1,
    max_size=4,
)


def made(drawn: Sequence[tuple[Sequence[tuple[int, int]], int, int, str]]) -> list[Rule]:
    return [
        rule(f"r{at}", Scripted(Played(played), FAMILIES[family]), for_s=for_s, route=route)
        for at, (played, family, for_s, route) in enumerate(drawn)
    ]


def check(told: Told) -> None:
    """What must hold after any time that ends well."""
    assert not told.board.alerts
    assert not told.board.incidents
    kinds: dict[str, list[str]] = {}
    for notice in told.notices:
        kinds.setdefault(notice.incident.id, []).append(notice.kind)
    for of_incident in kinds.values():
        assert of_incident[0] == "firing"
        assert of_incident[-1] == "resolved"
        assert Counter(of_incident)["firing"] == Counter(of_incident)["resolved"] == 1
    assert len({one.id for one in told.notices}) == len(told.notices)
    assert len({one.id for one in told.resolved}) == len(told.resolved)


@settings(max_examples=15)
@given(rules_of)
def test_whatever_fires_is_told_once_and_its_end_once(
    drawn: Sequence[tuple[Sequence[tuple[int, int]], int, int, str]],
) -> None:
    rules, told = made(drawn), Told()
    for second in range(0, LENGTH_S + TAIL_S, 10):
        step = told(rules, facts(second, apps=("shop", "api")))
        places = Counter(
            (one.app, family) for one in step.board.incidents.values() for family in one.families
        )
        assert all(count == 1 for count in places.values())
        for one in step.board.alerts.values():
            assert (one.state == "firing") == (one.incident in step.board.incidents)
        late = T0 + second - UPDATE_S - 30
        for state in step.board.alerts.values():
            if state.fired_s is not None and state.fired_s < late:
                (telling,) = step.board.incidents[state.incident].tellings
                assert state.key in telling.keys
    check(told)
    told_ids = {one.incident.id for one in told.notices}
    assert told_ids == {one.id for one in told.resolved}


@settings(max_examples=10)
@given(rules_of, st.lists(st.tuples(st.integers(0, 240), st.integers(1, 60)), max_size=3))
def test_silences_and_times_without_figures_lose_no_end(
    drawn: Sequence[tuple[Sequence[tuple[int, int]], int, int, str]], gaps: Sequence[tuple[int, int]]
) -> None:
    rules, told = made(drawn), Told()
    silence = Silence("r0", "", T0 + 1_200)
    for second in range(0, LENGTH_S + 2 * TAIL_S, 10):
        if any(begin <= second // 10 < begin + count for begin, count in gaps):
            before = told.board.alerts
            assert told(rules, facts(second, "metrics is 42 s behind"), [silence]).board.alerts == before
            continue
        for at_s in moments(told.board, T0 + second):
            told(rules, facts(at_s - T0), [silence])
    check(told)


@settings(max_examples=15)
@given(rules_of, st.lists(st.sampled_from([(), ("a",), ("a", "b"), ("c",)]), min_size=4, max_size=4))
def test_each_target_hears_what_is_for_it_from_its_beginning_to_its_end(
    drawn: Sequence[tuple[Sequence[tuple[int, int]], int, int, str]], addressed: Sequence[tuple[str, ...]]
) -> None:
    rules = [replace(one, to=to) for one, to in zip(made(drawn), addressed, strict=False)]
    by_name = {one.name: one for one in rules}
    told = Told(targets=("a", "b", "c", "d"))
    fired: dict[str, set[str]] = {target: set() for target in told.targets}
    for second in range(0, LENGTH_S + TAIL_S, 10):
        for state in told(rules, facts(second, apps=("shop", "api"))).board.alerts.values():
            for target in by_name[state.rule].to or told.targets:
                fired[target] |= {state.key} if state.state == "firing" else set()
    assert len({one.id for one in told.notices}) == len(told.notices)
    for target in told.targets:
        heard = [one for one in told.notices if target in one.to]
        begun: set[str] = set()
        for notice in heard:
            assert (notice.incident.id in begun) == (notice.kind != "firing")
            begun ^= {notice.incident.id} if notice.kind in ("firing", "resolved") else set()
            assert all(target in (by_name[one.rule].to or told.targets) for one in notice.incident.alerts)
        assert not begun
        assert {one.key for notice in heard for one in notice.incident.alerts} == fired[target]
    assert not told.board.incidents
