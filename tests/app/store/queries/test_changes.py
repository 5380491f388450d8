"""What is marked as changed has changed: two spans of the same traffic are hardly ever told apart."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from app.binomial import lower_rank, upper_rank
from app.sketch import bucket
from app.store.queries.changes import (
    CHANGED,
    FREEDOM_MIN,
    Counted,
    changes,
    ranks,
    rate_differs,
    share_differs,
)
from app.store.queries.spans import Span, SpanPlan, plan
from app.store.sums import Sums

NOW_S = 1_795_447_804.0
FALSE_ALARMS_MAX = 0.05
Traffic = Callable[[random.Random, float, int], Iterator[float]]
"""The moments of requests, from a rate and for so many seconds."""


def independent(rng: random.Random, rate: float, seconds: int) -> Iterator[float]:
    at_s = rng.expovariate(rate)
    while at_s < seconds:
        yield at_s
        at_s += rng.expovariate(rate)


def visits(rng: random.Random, rate: float, seconds: int) -> Iterator[float]:
    """Eight requests on average, 5 s apart: counts vary eight times as much as independent ones."""
    for first_s in independent(rng, rate / 8, seconds + 300):
        at_s = first_s - 300
        while True:
            if 0 <= at_s < seconds:
                yield at_s
            if rng.random() < 1 / 8:
                break
            at_s += rng.expovariate(1 / 5)


def counted(planned: SpanPlan, moments: Iterator[float]) -> Counted:
    slots = Counter(int(at_s) // 10 for at_s in moments)
    requests = [
        sum(slots[(at_s - planned.start_s) // 10] for at_s in range(part.start_s, part.end_s, 10))
        for part in planned.bins
    ]
    return Counted(Sums(), planned.bins, requests, planned.end_s - planned.start_s)


def plans(span_s: int, offset_s: int) -> tuple[SpanPlan, SpanPlan]:
    after = plan(Span(span_s), NOW_S, 30)
    length_s = after.end_s - after.start_s
    return plan(Span(length_s, after.end_s - offset_s, after.step_s), NOW_S, 30), after


def shown(
    rng: random.Random, traffic: Traffic, rates: tuple[float, float], span_s: int, offset_s: int, times: int
) -> float:
    """How often a change of rate is shown."""
    planned = plans(span_s, offset_s)
    found = 0
    for _ in range(times):
        before, after = (
            counted(part, traffic(rng, rate, part.end_s - part.start_s))
            for part, rate in zip(planned, rates, strict=True)
        )
        found += rate_differs(before, after, offset_s)
    return found / times


@pytest.mark.parametrize("traffic", [independent, visits])
@pytest.mark.parametrize(
    ("span_s", "rate"), [(300, 0.05), (300, 0.5), (300, 3.0), (3_600, 0.05), (3_600, 0.5)]
)
@pytest.mark.parametrize("offset_s", [3_600, 86_400])
def test_the_same_traffic_is_hardly_ever_shown_as_another_rate(
    traffic: Traffic, span_s: int, rate: float, offset_s: int
) -> None:
    rng = random.Random(f"{span_s} {rate} {offset_s}")
    times = max(40, int(min(150, 40_000 / (span_s * rate))))
    false_alarms = shown(rng, traffic, (rate, rate), span_s, offset_s, times)
    assert false_alarms <= FALSE_ALARMS_MAX + 2 * math.sqrt(FALSE_ALARMS_MAX / times)


@pytest.mark.parametrize(
    ("traffic", "rates", "span_s"),
    [
        (independent, (2.0, 4.0), 300),
        (independent, (2.0, 1.0), 300),
        (independent, (0.2, 0.4), 3_600),
        (visits, (2.0, 4.0), 3_600),
        (independent, (5.0, 0.0001), 300),
    ],
)
def test_another_rate_is_shown(traffic: Traffic, rates: tuple[float, float], span_s: int) -> None:
    rng = random.Random(4)
    assert shown(rng, traffic, rates, span_s, 3_600, 20) >= 0.9


def test_of_too_few_steps_no_rate_is_shown() -> None:
    before, after = plans(30, 3_600)
    many = counted(after, independent(random.Random(1), 50.0, 30))
    few = counted(before, iter(()))
    assert len(after.bins) <= FREEDOM_MIN
    assert not rate_differs(few, many, 3_600)


def test_what_repeats_itself_every_hour_is_no_noise() -> None:
    """Traffic that doubles within the hour, as in the hour before, but 5 % more of it."""
    before, after = plans(3_600, 3_600)
    rng = random.Random(5)

    def some(planned: SpanPlan, factor: float) -> Counted:
        means = [factor * part.seconds * (250 + part.start_s % 3_600 // 15) for part in planned.bins]
        counts = [round(rng.gauss(mean, math.sqrt(mean))) for mean in means]
        return Counted(Sums(), planned.bins, counts, planned.end_s - planned.start_s)

    assert rate_differs(some(before, 1.0), some(after, 1.05), 3_600)
    assert not rate_differs(some(before, 1.0), some(after, 1.0), 3_600)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.05, 0.5])
@pytest.mark.parametrize(("before", "after"), [(20, 20), (1_000, 100), (20_000, 20_000)])
def test_the_same_share_of_errors_is_hardly_ever_shown_as_another(
    share: float, before: int, after: int
) -> None:
    rng = random.Random(3)

    def errors(requests: int) -> int:
        if requests > 1_000:
            spread = math.sqrt(requests * share * (1 - share))
            return min(requests, max(0, round(rng.gauss(requests * share, spread))))
        return sum(rng.random() < share for _ in range(requests))

    alarms = sum(share_differs(errors(before), before, errors(after), after) for _ in range(500))
    assert alarms / 500 <= FALSE_ALARMS_MAX


def test_a_share_that_grew_is_shown_as_soon_as_there_are_enough_requests() -> None:
    assert not share_differs(1, 100, 3, 100)
    assert share_differs(10, 1_000, 60, 1_000)
    assert share_differs(60, 1_000, 10, 1_000)
    assert not share_differs(0, 3, 3, 3)
    assert share_differs(0, 20, 20, 20)


def sketched(times_ms: Iterator[float]) -> Sums:
    buckets = Counter(bucket(round(time_ms)) for time_ms in times_ms)
    return Sums({"requests": sum(buckets.values())}, {}, {"service": dict(buckets)})


@pytest.mark.parametrize(("median_ms", "spread"), [(2.49, 0.3), (80.0, 0.8), (900.0, 1.5)])
@pytest.mark.parametrize(("before", "after"), [(10, 10), (60, 600), (1_500, 1_500)])
def test_the_same_times_are_hardly_ever_shown_as_others(
    median_ms: float, spread: float, before: int, after: int
) -> None:
    rng = random.Random(7)
    times = 40 if after > 1_000 else 200

    def some(count: int) -> Counted:
        sums = sketched(rng.lognormvariate(math.log(median_ms), spread) for _ in range(count))
        return Counted(sums, plan(Span(300), NOW_S, 30).bins, [0] * 30, 300)

    found = [changes(some(before), some(after), 3_600) for _ in range(times)]
    for name in ("p50", "p95", "p99"):
        alarms = sum(change[name].is_shown for change in found) / times
        assert alarms <= FALSE_ALARMS_MAX


def test_slower_times_are_shown_and_by_how_much() -> None:
    rng = random.Random(8)
    steps = plan(Span(300), NOW_S, 30).bins

    def some(median_ms: float) -> Counted:
        sums = sketched(rng.lognormvariate(math.log(median_ms), 0.5) for _ in range(3_000))
        return Counted(sums, steps, [100] * len(steps), 300)

    found = changes(some(100), some(150), 3_600)
    assert tuple(found) == CHANGED
    for name in ("p50", "p95", "p99"):
        assert found[name].is_shown
        assert found[name].change == pytest.approx(0.5, abs=0.2)
    assert (found["rate"].change, found["rate"].is_shown) == (0.0, False)


@pytest.mark.parametrize(("before_ms", "after_ms"), [(20.0, 21.0), (21.0, 20.0), (2.0, 3.0)])
def test_what_may_be_rounding_is_not_shown(before_ms: float, after_ms: float) -> None:
    """A router logs whole milliseconds: 20 and 21 may be 20.49 and 20.51."""
    steps = plan(Span(300), NOW_S, 30).bins
    before, after = (
        Counted(sketched(itertools.repeat(time_ms, 10_000)), steps, [0] * len(steps), 300)
        for time_ms in (before_ms, after_ms)
    )
    assert not any(change.is_shown for change in changes(before, after, 3_600).values())


def test_nothing_is_compared_with_nothing() -> None:
    steps = plan(Span(300), NOW_S, 30).bins
    nothing = Counted(Sums(), steps, [0] * len(steps), 300)
    something = Counted(sketched(iter([10.0] * 100)), steps, [4] * len(steps), 300)
    for before, after in ((nothing, something), (something, nothing), (nothing, nothing)):
        found = changes(before, after, 3_600)
        assert not any(found[name].is_shown for name in ("error_rate", "p50", "p95", "p99"))
    assert changes(nothing, something, 3_600)["rate"].change is None
    assert changes(something, nothing, 3_600)["rate"].change == -1.0


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_ranks_by_the_normal_approximation_are_those_of_the_exact_rule_or_wider(share: float) -> None:
    for samples in (110, 600, 2_600, 30_000):
        low, high = ranks(samples, share)
        exact = lower_rank(samples, share, 0.005), upper_rank(samples, share, 0.005)
        assert low <= exact[0] + 1
        if high is not None and exact[1] is not None:
            assert high >= exact[1] - 1
        assert (high is None) == (exact[1] is None)
