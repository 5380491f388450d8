"""Rows in two spans: which figures are compared, what they are called, and their intervals."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.comparison.blocks import Block
from app.comparison.compare import Row, compared
from app.comparison.result import FigureComparison, RouteComparison
from app.sketch import bucket
from servers.release_traffic import KINDS, Traffic, outcome, rows


def blocks(
    rng: random.Random,
    *,
    count: int = 15,
    requests: int = 100,
    median_ms: float = 100,
    errors: Sequence[int] = (),
    aborted: Sequence[int] = (),
) -> list[Block]:
    return [
        Block(
            60,
            requests,
            errors[at % len(errors)] if errors else 0,
            aborted[at % len(aborted)] if aborted else 0,
            Counter(bucket(round(rng.lognormvariate(0, 0.5) * median_ms)) for _ in range(requests)),
        )
        for at in range(count)
    ]


def constant(time_ms: int, requests: int = 100) -> list[Block]:
    return [Block(60, requests, 0, 0, {bucket(time_ms): requests}) for _ in range(15)]


def one(before: list[Block], after: list[Block]) -> RouteComparison:
    return compared([Row("/", "d", before, after)])[0]


def figure(row: RouteComparison, name: str) -> FigureComparison:
    return next(some for some in row.figures if some.figure == name)


def words(row: RouteComparison) -> dict[str, str | None]:
    return {some.figure: some.word for some in row.figures}


def test_a_route_that_became_slower_is_worse_and_one_that_became_faster_is_better() -> None:
    rng = random.Random(1)
    slower = one(blocks(rng), blocks(rng, median_ms=140))
    assert words(slower)["p50"] == words(slower)["p95"] == slower.word == "worse"
    faster = one(blocks(rng), blocks(rng, median_ms=70))
    assert words(faster)["p50"] == faster.word == "better"
    change = figure(slower, "p50")
    assert change.low is not None
    assert change.high is not None
    assert 0 < change.low < 0.4 < change.high
    assert change.after_low is not None
    assert change.after_high is not None
    assert change.after_low < 140 < change.after_high


def test_the_number_of_requests_is_neither_better_nor_worse() -> None:
    rng = random.Random(2)
    row = one(blocks(rng), blocks(rng, requests=300))
    requests = figure(row, "requests")
    assert requests.before == pytest.approx(1.667, rel=0.01)
    assert (requests.after, requests.change) == (5.0, 2.0)
    assert requests.word is None
    assert row.word == "no difference shown"


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "word"),
    [
        (2, 3, "no difference shown"),
        (2, 5, "worse"),
        (0, 0, "no difference shown"),
        (0, 1, "no difference shown"),
        (0, 5, "worse"),
        (1_000, 1_015, "no difference shown"),
        (1_000, 1_040, "worse"),
        (1_040, 1_000, "better"),
    ],
)
def test_a_difference_that_sketch_and_router_do_not_resolve_is_none(
    before_ms: int, after_ms: int, word: str
) -> None:
    assert words(one(constant(before_ms), constant(after_ms)))["p50"] == word


def test_more_errors_and_more_aborted_requests_are_worse() -> None:
    rng = random.Random(3)
    failing = one(blocks(rng), blocks(rng, errors=(4, 2, 3)))
    assert words(failing)["errors"] == failing.word == "worse"
    assert words(failing)["aborted"] == "no difference shown"
    errors = figure(failing, "errors")
    assert (errors.before, errors.after, errors.change) == (0.0, 0.03, 0.03)
    leaving = one(blocks(rng, aborted=(1,)), blocks(rng, aborted=(9, 7)))
    assert words(leaving)["aborted"] == "worse"
    assert words(one(blocks(rng, errors=(5, 3)), blocks(rng)))["errors"] == "better"


def test_errors_and_times_of_a_single_minute_are_not_worse() -> None:
    rng = random.Random(4)
    burst = blocks(rng)
    burst[7] = replace(burst[7], errors=60, service={bucket(5_000): 100})
    row = one(blocks(rng), burst)
    assert "worse" not in words(row).values()
    spread = [replace(block, errors=4) for block in blocks(rng)]
    assert words(one(blocks(rng), spread))["errors"] == "worse"


def test_what_has_too_few_requests_is_not_compared_and_widens_nothing() -> None:
    rng = random.Random(5)
    many = Row("/", "d", blocks(rng), blocks(rng, median_ms=115))
    rare = [Row(f"/{at}", f"{at}", blocks(rng, requests=1), blocks(rng, requests=1)) for at in range(300)]
    alone, *_ = compared([many])
    beside, *others = compared([many, *rare])
    assert beside == alone
    assert all(row.word == "too few" for row in others)
    assert all(some.word in ("too few", None) for row in others for some in row.figures)


def test_more_figures_make_all_intervals_wider() -> None:
    rng = random.Random(6)
    rows_of_all = [Row(f"/{at}", f"{at}", blocks(rng), blocks(rng)) for at in range(30)]
    alone = figure(compared(rows_of_all[:1])[0], "p50")
    beside = figure(compared(rows_of_all)[0], "p50")
    assert None not in (alone.low, alone.high, beside.low, beside.high)
    assert (beside.low or 0) < (alone.low or 0)
    assert (beside.high or 0) > (alone.high or 0)


@pytest.mark.parametrize("is_before", [True, False])
def test_a_route_that_came_or_went_is_shown_and_not_judged(is_before: bool) -> None:
    rng = random.Random(7)
    some, none = blocks(rng), [Block(60)] * 15
    row = one(some, none) if is_before else one(none, some)
    assert row.word == "too few"
    assert {row.requests_before, row.requests_after} == {0, 1_500}
    assert figure(row, "p50").change is None


def test_nothing_at_all_is_too_few() -> None:
    assert one([], []).word == "too few"
    assert compared([]) == []


@pytest.mark.parametrize("name", ["visits", "slow and failing minutes", "all of it"])
def test_traffic_that_varies_by_itself_is_hardly_ever_worse(name: str) -> None:
    """Few releases, because the suite must be quick: bench/release.py simulates hundreds."""
    traffic = replace(KINDS[name], per_s=6)
    found = outcome(traffic, 12, seed=1)
    assert found.releases == 12
    assert found.false_alarms <= 1


def test_the_route_that_became_a_third_slower_is_found_in_traffic_that_comes_in_visits() -> None:
    traffic = replace(KINDS["visits"], per_s=12)
    found = outcome(traffic, 6, seed=2, slower={0: 1.35})
    assert found.found >= 5
    assert found.false_alarms <= 1


def test_the_simulated_traffic_is_what_it_says() -> None:
    traffic = Traffic(routes=5, per_s=10)
    total, *routes = rows(traffic, random.Random(8))
    assert sum(block.requests for block in total.before) == pytest.approx(9_000, rel=0.05)
    assert len(total.before) == len(total.after) == 15
    requests = [sum(block.requests for block in row.before) for row in routes]
    assert requests == sorted(requests, reverse=True)
    assert sum(requests) == sum(block.requests for block in total.before)
