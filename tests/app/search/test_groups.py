"""Groups: counted, failed and timed as the figures are, and bounded in number."""

from __future__ import annotations

from typing import Any

import pytest

from app.router_line import parse
from app.search.found import FoundRequest
from app.search.groups import GroupBy, Groups
from app.store.bounds import OTHER
from servers.messages import router_line


def found(app: str = "shop", route: str = "/x", is_connection: bool = False, **line: Any) -> FoundRequest:
    parsed = parse(router_line(**line))
    assert parsed is not None
    return FoundRequest(0, 0, "f.0", app, route, parsed, is_connection)


def grouped(by: GroupBy, *requests: FoundRequest) -> dict[str, tuple[int, int]]:
    groups = Groups(by)
    for request in requests:
        groups.add(request)
    return {group.name: (group.count, group.errors) for group in groups.result()}


def test_requests_count_by_each_of_their_values() -> None:
    requests = (
        found(dyno="web.1", fwd="10.0.0.1, 192.0.2.7", host="A.example", method="POST"),
        found(dyno="web.3", fwd="192.0.2.8", host="a.example:443", status=503, code="H12", route="/y"),
        found(dyno="", fwd="", host="b.example", status="", code="H24"),
    )
    assert grouped("dyno", *requests) == {"web.1": (1, 0), "web.3": (1, 1), "": (1, 1)}
    assert grouped("ip", *requests) == {"192.0.2.7": (1, 0), "192.0.2.8": (1, 1), "": (1, 1)}
    assert grouped("host", *requests) == {"a.example": (2, 1), "b.example": (1, 1)}
    assert grouped("method", *requests) == {"GET": (2, 2), "POST": (1, 0)}
    assert grouped("status", *requests) == {"200": (1, 0), "503": (1, 1), "": (1, 1)}
    assert grouped("code", *requests) == {"": (1, 0), "H12": (1, 1), "H24": (1, 1)}
    assert grouped("route", *requests) == {"/x": (2, 1), "/y": (1, 1)}


def test_an_aborted_request_is_no_error() -> None:
    assert grouped("code", found(code="H27", status=499)) == {"H27": (1, 0)}


def test_times_are_percentiles_within_1_percent_and_shares_of_the_whole() -> None:
    groups = Groups("dyno")
    for service_ms in range(1, 101):
        groups.add(found(dyno="web.1", service_ms=service_ms))
    groups.add(found(dyno="web.2", service_ms=5_050))
    first, second = groups.result()
    assert first.p50 == pytest.approx(50, rel=0.011)
    assert first.p95 == pytest.approx(95, rel=0.011)
    assert first.time_share == second.time_share == pytest.approx(0.5)
    assert second.p50 == pytest.approx(5_050, rel=0.01)


def test_a_connection_counts_and_has_no_latency() -> None:
    groups = Groups("dyno")
    groups.add(found(status=101, service_ms=600_000, is_connection=True))
    (group,) = groups.result()
    assert (group.count, group.p50, group.p95, group.time_share) == (1, None, None, 0.0)


def test_largest_first_and_what_is_beyond_the_limit_together_last() -> None:
    groups = Groups("dyno")
    for number in range(1, 6):
        for _ in range(number):
            groups.add(found(dyno=f"web.{number}", service_ms=10, status=500))
    shown = groups.result(2)
    assert [(group.name, group.count, group.errors) for group in shown] == [
        ("web.5", 5, 5), ("web.4", 4, 4), (OTHER, 6, 6)
    ]  # fmt: skip
    assert sum(group.time_share for group in shown) == pytest.approx(1)
    assert shown[-1].p50 == pytest.approx(10, rel=0.01)


def test_however_many_names_come_few_are_kept_and_the_busy_ones_are_among_them() -> None:
    groups = Groups("ip", names_max=100)
    for number in range(5_000):
        groups.add(found(fwd=f"10.0.{number // 250}.{number % 250}"))
        groups.add(found(fwd="192.0.2.7"))
        assert len(groups._sums) <= 101
    shown = groups.result()
    assert (shown[0].name, shown[0].count) == ("192.0.2.7", 5_000)
    assert sum(group.count for group in shown) == 10_000
