"""What a message says beside the figures, from a real Redis: a dyno that stands out, requests, a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import redis

from app.alerts.board import AlertState, Incident
from app.alerts.condition import Family, Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.log_requests import WantedRequests
from app.alerts.measures import Measure
from app.alerts.message import Request
from app.alerts.redis.context import read_context
from app.store import keys
from servers.figures import SeenRequest, fill
from tests.support.platform_events import add, released


def context_of(store: redis.Redis, incident: Incident, now_s: float, log: Sequence[Request] = ()) -> Context:
    """The context where a search of the log finds these requests."""
    return read_context(store, incident, now_s, lambda wanted: tuple(log)[: wanted.most])


def incident(
    at_s: int, family: Family = "failures", route: str = "", app: str = "shop", part: str = ""
) -> Incident:
    """One that began two minutes ago."""
    subject = Subject(app, route, keys.digest(route) if route else "", part)
    state = AlertState("r", subject, family, "firing", at_s - 120, Judgement("bad", "x"), fired_s=at_s - 60)
    return Incident("i1", app, "critical", at_s - 120, at_s - 60, (state,))


def traffic(
    at_s: int, bad: str, status: str = "500", service_ms: float = 20, app: str = "shop", dynos: int = 10
) -> list[SeenRequest]:
    """Two minutes of ten dynos, one of which fails or is slow each other time."""
    return [
        SeenRequest(
            at_s - second,
            "/checkout",
            dyno=name,
            app=app,
            status=status if (name == bad and second % 2) else "200",
            service_ms=service_ms if name == bad else 20,
        )
        for second in range(1, 120)
        for name in (f"web.{number}" for number in range(1, dynos + 1))
    ]


def test_the_dyno_that_fails_is_named(redis_client: redis.Redis, at_s: int, now_s: float) -> None:
    fill(redis_client, traffic(at_s, "web.3"), now_s)
    found = context_of(redis_client, incident(at_s), now_s)
    assert found.dyno == "web.3 has 100 % of the failures and 10 % of the requests"


def test_the_dyno_that_is_slow_is_named(redis_client: redis.Redis, at_s: int, now_s: float) -> None:
    fill(redis_client, traffic(at_s, "web.3", "200", service_ms=4_000), now_s)
    found = context_of(redis_client, incident(at_s, "slowness"), now_s)
    assert found.dyno.startswith("web.3 has 100 % of the requests over 20")
    assert found.dyno.endswith("and 10 % of the requests")


@pytest.mark.parametrize("family", ["failures", "slowness"])
def test_no_dyno_is_named_where_all_are_alike(
    redis_client: redis.Redis, at_s: int, now_s: float, family: Family
) -> None:
    seen = [
        SeenRequest(
            at_s - at / 10,
            dyno=f"web.{at % 7}",
            app="shop",
            service_ms=at % 97,
            status="500" if not at % 5 else "200",
        )
        for at in range(1, 1_000)
    ]
    fill(redis_client, seen, now_s)
    assert context_of(redis_client, incident(at_s, family), now_s).dyno == ""


def test_a_few_failures_of_one_dyno_or_the_only_dyno_say_nothing(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    few = [replace(one, status="200") for one in traffic(at_s, "web.3")]
    fill(
        redis_client,
        [*few, *(SeenRequest(at_s - 5, dyno="web.3", app="shop", status="500") for _ in range(5))],
        now_s,
    )
    fill(redis_client, traffic(at_s, "web.1", app="api", dynos=1), now_s)
    assert context_of(redis_client, incident(at_s), now_s).dyno == ""
    assert context_of(redis_client, incident(at_s, app="api"), now_s).dyno == ""


def test_three_requests_that_failed_or_were_slow_in_its_time(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    seen = [SeenRequest(at_s - 10 * at, "/a", app="shop", status="503", code="H12") for at in range(1, 8)]
    seen += [SeenRequest(at_s - 1_500 - at, "/a", app="shop", status="500") for at in range(9)]
    seen += [SeenRequest(at_s - 30, "/b", app="shop", service_ms=ms) for ms in (10, 900, 700, 800, 20)]
    fill(redis_client, seen, now_s)
    failed = context_of(redis_client, incident(at_s, route="/a"), now_s).requests
    assert [(one.at_ms, one.status, one.code, one.path) for one in failed] == [
        ((at_s - 10 * at) * 1000, "503", "H12", "/a") for at in (1, 2, 3)
    ]
    slow = context_of(redis_client, incident(at_s, "slowness"), now_s).requests
    assert [one.service_ms for one in slow] == [900, 800, 700]
    over = replace(incident(at_s, route="/a"), began_s=at_s - 1_550, resolved_s=at_s - 1_450)
    assert {one.status for one in context_of(redis_client, over, now_s).requests} == {"500"}
    assert context_of(redis_client, incident(at_s, "memory"), now_s).requests == ()


def test_requests_that_are_not_counted_are_no_example(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    seen = [SeenRequest(at_s - at, "/a", app="shop", status="500", dyno="web.1") for at in range(1, 60)]
    seen += [
        SeenRequest(at_s - at, "/a", app="shop", status="499", code="H27", service_ms=9_000, dyno="web.2")
        for at in range(1, 60)
    ]
    fill(redis_client, seen, now_s)
    one = incident(at_s, route="/a")

    def context(measure: Measure) -> Context:
        state = replace(one.alerts[0], judgement=Judgement("bad", "x", measure=measure))
        return context_of(redis_client, replace(one, alerts=(state,)), now_s)

    aborted = context(Measure("aborted"))
    assert {(found.status, found.code) for found in aborted.requests} == {("499", "H27")}
    assert aborted.dyno == "web.2 has 100 % of the aborted requests and 50 % of the requests"
    assert context(Measure("errors")).dyno.startswith("web.1 has 100 % of the failures")
    assert context(Measure("code", "H12")).requests == ()
    assert context(Measure("status", "404")) == Context()


def test_the_log_is_searched_for_what_is_not_sampled(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    """Of 404s the figures keep no samples, and of a code few where others fail more."""
    seen = [SeenRequest(at_s - at, "/a", app="shop", status="500") for at in range(1, 60)]
    seen += [SeenRequest(at_s - 90, "/a", app="shop", status="503", code="H12")]
    fill(redis_client, seen, now_s)
    logged = [Request(f"id-{n}", at_s * 1000 - n, "GET", "/a", "404", "", "web.1", 3.0) for n in range(5)]
    asked: list[WantedRequests] = []

    def found(measure: Measure | None, family: Family = "failures", **changed: int) -> list[str]:
        def search_log(wanted: WantedRequests) -> tuple[Request, ...]:
            asked.append(wanted)
            return tuple(logged[: wanted.most])

        one = replace(incident(at_s, family, route="/a"), **changed)  # type: ignore[arg-type]
        state = replace(one.alerts[0], judgement=Judgement("bad", "x", measure=measure))
        told = read_context(redis_client, replace(one, alerts=(state,)), now_s, search_log).requests
        return [request.request_id for request in told]

    status = Measure("status", "404")
    assert found(status) == found(Measure("code", "H12")) == ["id-0", "id-1", "id-2"]
    first, second = asked
    assert first == WantedRequests("shop", "/a", status, int(now_s) - 900, None, 3)
    assert second.measure == Measure("code", "H12")
    asked.clear()
    found(status, began_s=at_s - 600, resolved_s=at_s - 300)
    assert (asked[0].from_s, asked[0].until_s) == (at_s - 1_200, at_s - 300)
    asked.clear()
    for measure in (Measure("errors"), None):
        assert "id-0" not in found(measure)
    assert found(None, "memory") == []
    assert asked == []


def test_where_the_log_has_fewer_than_are_sampled_these_are_given(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    seen = [SeenRequest(at_s - at, "/a", app="shop", status="503", code="H12") for at in (1, 2)]
    fill(redis_client, seen, now_s)
    one = incident(at_s, route="/a")
    state = replace(one.alerts[0], judgement=Judgement("bad", "x", measure=Measure("code", "H12")))
    logged = [Request("id", at_s * 1000, "GET", "/a", "503", "H12", "web.1", 3.0)]
    told = context_of(redis_client, replace(one, alerts=(state,)), now_s, logged).requests
    assert [request.at_ms // 1000 for request in told] == [at_s - 1, at_s - 2]


def test_where_many_fail_each_second_the_latest_are_given(redis_client: redis.Redis, now_s: float) -> None:
    seen = [SeenRequest(now_s - at / 10, "/a", app="shop", status="500") for at in range(1, 600)]
    fill(redis_client, seen, now_s)
    found = context_of(redis_client, incident(int(now_s) // 10 * 10, route="/a"), now_s).requests
    assert [one.at_ms for one in found] == [int(1000 * (now_s - at / 10)) for at in (1, 2, 3)]


def test_of_a_quiet_app_the_failures_of_a_quarter_of_an_hour_are_given(
    redis_client: redis.Redis, at_s: int, now_s: float
) -> None:
    seen = [SeenRequest(at_s - at, "/a", app="shop", status="500") for at in (20, 400, 800, 1_300)]
    fill(redis_client, seen, now_s)
    found = context_of(redis_client, incident(at_s, route="/a"), now_s).requests
    assert [one.at_ms // 1000 for one in found] == [at_s - 20, at_s - 400, at_s - 800]


def test_the_last_release_before_it_began(redis_client: redis.Redis, at_s: int, now_s: float) -> None:
    fill(redis_client, [SeenRequest(at_s - 5, app="shop")], now_s)
    add(
        redis_client,
        {"shop": [released((at_s - 600) * 1000, 42), released((at_s - 9_000) * 1000, 41)]},
        now_s,
    )
    found = context_of(redis_client, incident(at_s), now_s).release
    assert found is not None
    assert found.version == 42
    earlier = replace(incident(at_s), began_s=at_s - 700)
    before = context_of(redis_client, earlier, now_s).release
    assert before is not None
    assert before.version == 41


def test_of_tailrace_itself_nothing_is_read(redis_client: redis.Redis, at_s: int, now_s: float) -> None:
    own = incident(at_s, "tailrace", app="", part="no_worker:metrics")
    assert context_of(redis_client, own, now_s) == Context()


def test_what_cannot_be_read_is_empty(redis_client: redis.Redis, at_s: int, now_s: float) -> None:
    with redis.Redis(port=1, socket_connect_timeout=0.2) as unreachable:
        assert context_of(unreachable, incident(at_s), now_s) == Context()
    add(redis_client, {"shop": [released((at_s - 600) * 1000, 42)]}, now_s)
    redis_client.set(keys.names("shop", "dynos"), "another program's")
    found = context_of(redis_client, incident(at_s), now_s)
    assert found.dyno == ""
    assert found.release is not None
