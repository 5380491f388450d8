"""Two targets' outcomes: joined by request, each request counted once."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from consumers.replay.request import Outcome, Request
from consumers.replay.sending.comparison import Comparison
from tests.consumers.replay.samples import request

OF_TARGET = Outcome("answered", 201, 1.0)
OF_BASELINE = Outcome("answered", 404, 2.0)


class Ledger:
    """What the comparison reports."""

    def __init__(self) -> None:
        self.compared: list[tuple[str, Outcome, Outcome, float]] = []
        self.skipped: list[tuple[str, str]] = []
        self.comparison = Comparison(self._compare, self._skip)

    def _compare(self, of: Request, before: Outcome, after: Outcome, late_ms: float) -> None:
        self.compared.append((of.path, before, after, late_ms))

    def _skip(self, of: Request, reason: str) -> None:
        self.skipped.append((of.path, reason))


@pytest.mark.parametrize("is_baseline_first", [False, True])
def test_the_baseline_takes_the_place_of_the_original_whichever_answers_first(
    is_baseline_first: bool,
) -> None:
    ledger, one = Ledger(), request(path="/a")
    for is_baseline in (is_baseline_first, not is_baseline_first):
        outcome, late_ms = (OF_BASELINE, 7.0) if is_baseline else (OF_TARGET, 3.0)
        ledger.comparison.done(is_baseline, one, outcome, late_ms)
    assert ledger.compared == [("/a", OF_BASELINE, OF_TARGET, 3.0)]
    assert ledger.skipped == []


def _done(comparison: Comparison, is_baseline: bool, of: Request) -> None:
    comparison.done(is_baseline, of, OF_BASELINE if is_baseline else OF_TARGET, 0.0)


def _skip(comparison: Comparison, is_baseline: bool, of: Request) -> None:
    comparison.skipped(is_baseline, of, "baseline" if is_baseline else "target")


@pytest.mark.parametrize(("one", "other"), [(_done, _skip), (_skip, _done), (_skip, _skip)])
@pytest.mark.parametrize("is_baseline_first", [False, True])
def test_a_request_that_one_target_did_not_get_is_skipped_once(
    one: Callable[[Comparison, bool, Request], None],
    other: Callable[[Comparison, bool, Request], None],
    is_baseline_first: bool,
) -> None:
    ledger, sent = Ledger(), request(path="/a")
    one(ledger.comparison, is_baseline_first, sent)
    other(ledger.comparison, not is_baseline_first, sent)
    ledger.comparison.close()
    first_to_skip = is_baseline_first if one is _skip else not is_baseline_first
    assert ledger.skipped == [("/a", "baseline" if first_to_skip else "target")]
    assert ledger.compared == []


def test_outcomes_are_never_those_of_another_request() -> None:
    """Requests come and go and their memory is reused, so an id must never belong to two of them."""
    ledger = Ledger()
    for number, (first, second) in enumerate(itertools.product((_done, _skip), repeat=2)):
        for turn in range(500):
            passing = request(path=f"/{number}/{turn}")
            first(ledger.comparison, False, passing)
            if turn % 2:
                second(ledger.comparison, True, passing)
            del passing
    ledger.comparison.close()
    assert len(ledger.compared) == 250
    assert all(before is OF_BASELINE and after is OF_TARGET for _, before, after, _ in ledger.compared)
    told = [path for path, _ in ledger.skipped] + [path for path, _, _, _ in ledger.compared]
    assert sorted(told) == sorted(f"/{number}/{turn}" for number in range(4) for turn in range(500))


def test_what_only_one_target_got_is_skipped_at_the_end() -> None:
    ledger = Ledger()
    _done(ledger.comparison, False, request(path="/a"))
    ledger.comparison.close()
    ledger.comparison.close()
    assert ledger.skipped == [("/a", "stopped")]
