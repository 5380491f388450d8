"""Single requests picked out of what a search finds."""

from __future__ import annotations

import random

from app.router_line import parse
from app.search.found import FoundRequest
from app.search.picked import Picked
from app.store.queries import Sample
from servers.messages import router_line

AT_MS = 1_795_428_000_000


def found(number: int, *, service_ms: float | None = 18, status: int = 200, code: str = "") -> FoundRequest:
    text = router_line(request_id=f"r{number}", service_ms=service_ms, status=status, code=code)
    line = parse(text)
    assert line is not None
    return FoundRequest(AT_MS + number, AT_MS + number, f"f.{number}", "shop", "/foo", line, status == 101)


def ids(samples: list[Sample]) -> list[str]:
    return [sample.request_id for sample in samples]


def test_the_slowest_and_the_latest_failed_are_picked_whatever_the_order() -> None:
    requests = [
        found(number, service_ms=number * 7 % 101, status=500 if number % 3 else 200) for number in range(100)
    ]
    slowest = sorted(requests, key=lambda one: -float(one.line.service[:-2]))[:5]
    failed = [one for one in reversed(requests) if one.line.status == "500"][:5]
    for seed in range(5):
        random.Random(seed).shuffle(requests)
        picked = Picked(5)
        for one in requests:
            picked.add(one)
        assert ids(picked.slowest) == [one.line.request_id for one in slowest]
        assert ids(picked.failed) == [one.line.request_id for one in failed]


def test_a_connection_is_not_slow_and_a_request_without_a_time_may_have_failed() -> None:
    picked = Picked(5)
    picked.add(found(1, service_ms=900_000, status=101))
    picked.add(found(2, service_ms=None, status=503, code="H10"))
    picked.add(found(3))
    assert ids(picked.slowest) == ["r3"]
    (failed,) = picked.failed
    assert (failed.request_id, failed.service_ms, failed.code, failed.app) == ("r2", None, "H10", "shop")


def test_equal_requests_are_picked_without_being_compared() -> None:
    picked = Picked(2)
    for _ in range(4):
        picked.add(found(1, status=500))
    assert ids(picked.slowest) == ids(picked.failed) == ["r1", "r1"]
