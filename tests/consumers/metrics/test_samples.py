"""Samples: the slowest and the latest failed requests of each row, against the reference and by hand."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connections import open_connection_matcher
from app.message import RouterMessage
from app.routes import route_namer
from app.settings import Settings
from app.store import keys, queries
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.keys import ALL_ROUTES, digest
from app.store.route_table import Move, Mover, retire
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.messages import router_line, router_message
from tests.support.sample_reference import SampleReference, samples_in

NOW_S = int(time.time())
_numbers = itertools.count()


@pytest.fixture(params=["redis_server", "old_redis_server"])
def store(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """Both versions of Redis, empty."""
    client = redis.Redis.from_url(request.getfixturevalue(request.param).url)
    client.flushall()
    yield client
    client.close()


def message(at_s: float = NOW_S, path: str = "/foo", app: str = "", **line: Any) -> RouterMessage:
    number = next(_numbers)
    return router_message(
        router_line(path, **{"request_id": f"id-{number}", **line}), at_s, id=f"f.{number}", app=app
    )


def count(store: redis.Redis, batches: Sequence[Sequence[RouterMessage]], routes_max: int = 500) -> None:
    """Counts the batches as a metrics worker does that knows `/live` as a stream."""
    streams = open_connection_matcher(Settings(stream_rules=("/live",)))
    aggregator = Aggregator(route_namer(Settings()), Admission(store, routes_max), is_connection=streams)
    at = int(store.hget("tailrace:positions:metrics", "0") or 0)
    for number, batch in enumerate(batches, at):
        claim = offsets_claim("tailrace:positions:metrics", [(0, number, number + 1, False)])
        apply(store, "metrics", claim, aggregator.changes(batch, NOW_S), routes_max)


def found(store: redis.Redis, route: str = "/foo", app: str = "", **more: Any) -> queries.Samples:
    name = digest(route) if route else ALL_ROUTES
    return queries.samples(store, app, name, more.get("span"), more.get("now_s", NOW_S))


# --- against the reference ------------------------------------------------------------------

_lines = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/", "/users/1", "/users/2"]),
        "method": st.sampled_from(["GET", "BREW"]),
        "status": st.sampled_from([200, 200, 404, 500, 503, 101, 499]),
        "code": st.sampled_from(["", "", "", "H12", "H18", "H26", "H27"]),
        "service_ms": st.one_of(
            st.none(), st.sampled_from([0, 1, 30_000]), st.integers(0, 99).map(lambda n: n / 8)
        ),
        "connect_ms": st.sampled_from([None, 0, 1, 1.5]),
        "dyno": st.sampled_from(["web.1", "web.2", ""]),
    }
)


@st.composite
def _messages(draw: st.DrawFn) -> RouterMessage:
    age_s = draw(st.sampled_from([0, 0, 0, 1, 2, 700, 3_500, 4_300, 80_000, 100_000]))
    at_s = NOW_S - age_s + draw(st.integers(0, 999_999)) / 1e6
    found = message(at_s, app=draw(st.sampled_from(["", "shop"])), **draw(_lines))  # type: ignore[arg-type]
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s))
    odd = ["+00:00", "Z", ".5+00:00", ".1234567+00:00", "+01:00"]
    form = draw(st.sampled_from(["", "", "", "", *odd, "broken"]))
    if form:
        found["timestamp"] = "broken" if form == "broken" else second + form
    return found


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(_messages(), max_size=40), max_size=4))
def test_of_any_lines_in_any_batches_the_slowest_and_the_latest_failed_are_kept(
    store: redis.Redis, batches: list[list[RouterMessage]]
) -> None:
    store.flushall()
    reference = SampleReference(NOW_S)
    for batch in batches:
        reference.add_all(batch)
    count(store, batches)
    assert reference.differences(store) == []
    assert store.hget("tailrace:group:metrics", "refused") is None


# --- which requests -------------------------------------------------------------------------


def test_a_sample_says_what_finds_the_request(store: redis.Redis) -> None:
    slow = message(
        NOW_S - 5.5,
        app="shop",
        method="POST",
        status=503,
        code="H12",
        service_ms=30_000.25,
        connect_ms=1.5,
        dyno="web.3",
        request_id="8601b555-6a83-4c12-8269-97c8e32cdb22",
    )
    count(store, [[slow]])
    (sample,) = found(store, app="shop").slowest
    assert sample == queries.Sample(
        at_ms=NOW_S * 1000 - 5_500,
        request_id="8601b555-6a83-4c12-8269-97c8e32cdb22",
        app="shop",
        dyno="web.3",
        method="POST",
        status="503",
        code="H12",
        service_ms=30_000.25,
        connect_ms=1.5,
    )
    assert found(store, app="shop").failed == [sample]
    assert found(store, "", "shop").failed == [sample]


def test_five_of_each_are_kept_of_ten_minutes(store: redis.Redis) -> None:
    start_s = NOW_S // 600 * 600 - 600
    lines = [message(start_s + at, service_ms=100 + at, status=500, request_id=f"r{at}") for at in range(20)]
    count(store, [lines[::2], lines[1::2]])
    kept = found(store, span=queries.Span(600, start_s + 600))
    assert [sample.request_id for sample in kept.slowest] == ["r19", "r18", "r17", "r16", "r15"]
    assert [sample.request_id for sample in kept.failed] == ["r19", "r18", "r17", "r16", "r15"]


@pytest.mark.parametrize(
    ("line", "is_slow", "is_failed"),
    [
        ({"status": 200}, True, False),
        ({"status": 500}, True, True),
        ({"status": 404}, True, False),
        ({"status": 499, "code": "H27"}, True, False),
        ({"status": 200, "code": "H18"}, True, True),
        ({"status": 400, "code": "H26", "service_ms": None}, False, True),
        ({"status": 503, "code": "H10", "service_ms": 0}, False, True),
        ({"status": 101}, False, False),
        ({"status": 200, "path": "/live"}, False, False),
        ({"status": 503, "code": "H15", "path": "/live"}, False, True),
        ({"status": 500, "path": "/live"}, True, True),
    ],
)
def test_a_connection_is_not_slow_and_only_what_failed_is_failed(
    redis_client: redis.Redis, line: dict[str, Any], is_slow: bool, is_failed: bool
) -> None:
    count(redis_client, [[message(**{"service_ms": 50_000, **line})]])
    kept = found(redis_client, line.get("path", "/foo"))
    assert (len(kept.slowest), len(kept.failed)) == (is_slow, is_failed)


def test_a_connection_that_failed_has_no_service_time(redis_client: redis.Redis) -> None:
    count(redis_client, [[message(path="/live", status=503, code="H15", service_ms=55_000)]])
    (sample,) = found(redis_client, "/live").failed
    assert sample.service_ms is None


def test_a_thousand_failures_of_the_same_seconds_leave_the_latest(redis_client: redis.Redis) -> None:
    start_s = NOW_S // 10 * 10 - 20
    lines = [message(start_s + at / 100, status=503, request_id=f"r{at}") for at in range(1_000)]
    lines = [lines[at * 7 % 1_000] for at in range(1_000)]
    count(redis_client, [lines])
    assert [one.request_id for one in found(redis_client).failed][:5] == [
        f"r{at}" for at in range(999, 994, -1)
    ]


def test_a_broken_fraction_of_a_second_counts_as_the_start_of_its_ten_seconds(
    redis_client: redis.Redis,
) -> None:
    start_s = NOW_S // 10 * 10 - 20
    lines = [message(start_s + at, status=500, request_id=f"r{at}") for at in range(7)]
    lines[6]["timestamp"] = lines[6]["timestamp"].replace(".000000", ".00x000")
    count(redis_client, [lines])
    kept = [(one.request_id, one.at_ms) for one in found(redis_client).failed]
    assert kept[:5] == [(f"r{at}", (start_s + at) * 1000) for at in (5, 4, 3, 2, 1)]
    count(redis_client, [lines[6:]])
    assert {one.at_ms // 1000 - start_s for one in found(redis_client).failed} <= {0, 1, 2, 3, 4, 5}


def test_a_copy_of_a_line_in_two_chunks_is_shown_once(redis_client: redis.Redis) -> None:
    count(redis_client, [[message(status=500)]])
    assert len(samples_in(redis_client)) == 4, "ten minutes and an hour, of the route and of all routes"
    assert len(found(redis_client).failed) == len(found(redis_client).slowest) == 1


# --- apps -----------------------------------------------------------------------------------


def test_each_app_keeps_its_own_and_all_apps_are_read_together(store: redis.Redis) -> None:
    lines = [message(app=app, service_ms=ms, status=500) for app, ms in (("shop", 5), ("blog", 9), ("", 7))]
    count(store, [lines])
    assert [sample.app for sample in found(store).slowest] == ["blog", "", "shop"]
    assert [sample.app for sample in found(store, app="shop").slowest] == ["shop"]
    assert [sample.app for sample in found(store, "").failed] == sorted(
        ("", "blog", "shop"), reverse=True
    ) or len(found(store, "").failed) == 3
    assert {key.split(":samples")[0] for key in samples_in(store)} == {
        f"tailrace:{scope}{row}"
        for scope in ("", "app:shop:", "app:blog:")
        for row in (digest("/foo")[:16], "all")
    }


def test_routes_beyond_the_bound_have_theirs_in_the_row_for_many(store: redis.Redis) -> None:
    lines = [message(path=f"/p{letter}", status=500) for letter in "abcd"]
    count(store, [lines[:2], lines[2:]], routes_max=2)
    assert len(found(store, "(other)").failed) == 2
    assert len(found(store, "").failed) == 4


# --- time -----------------------------------------------------------------------------------


def test_only_samples_of_the_span_are_shown(redis_client: redis.Redis) -> None:
    ages = (5, 100, 1_000, 5_000, 80_000)
    count(redis_client, [[message(NOW_S - age, status=500, request_id=f"{age}") for age in ages]])

    def ids(span: queries.Span | None) -> list[str]:
        return [sample.request_id for sample in found(redis_client, span=span).failed]

    assert ids(None) == ["5", "100", "1000", "5000", "80000"]
    assert ids(queries.Span(300)) == ["5", "100"]
    assert ids(queries.Span(600, NOW_S - 700)) == ["1000"]
    assert ids(queries.Span(31 * 86_400)) == ids(None)
    assert ids(queries.Span(3_600, NOW_S - 10 * 86_400)) == []


def test_chunks_expire_an_hour_and_a_day_after_their_end(store: redis.Redis) -> None:
    count(store, [[message(NOW_S, status=500)]])
    reference = SampleReference(NOW_S)
    late = {key: store.pttl(key) for key in samples_in(store)}
    assert all(0 < left <= (600 + 3_600) * 1000 for key, left in late.items() if ":600:" in key)
    assert all(0 < left <= (3_600 + 86_400) * 1000 for key, left in late.items() if ":3600:" in key)
    assert len(late) == 4
    assert reference.differences(store), "the reference knows of no line, so it must say so"


@pytest.mark.parametrize("age_s", [4_300, 91_000, 40 * 86_400])
def test_what_is_too_old_for_a_chunk_makes_none(redis_client: redis.Redis, age_s: int) -> None:
    count(redis_client, [[message(NOW_S - age_s, status=500)]])
    lengths = {key.split(":samples:")[1].split(":")[0] for key in samples_in(redis_client)}
    assert lengths == ({"3600"} if age_s < 90_000 else set())


# --- hostile values -------------------------------------------------------------------------

HOSTILE = (
    *("\x1b[2J\x07id", "a\tb\tc\td\te\tf", "x" * 200, "x" * 5_000, "é" * 200, "日" * 3_000, "\u202egnp.exe"),
    *("half\udcff\ud800", "\x00\x7f\x85\u2028", "<script>alert(1)</script>", "=1+1", "\\\\u0000", "🚀" * 80),
)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_sender_invents_is_bounded_and_safe(store: redis.Redis, value: str) -> None:
    quoted = f'"{value}"'
    line = f'at=error path="/foo" request_id={quoted} service=5ms connect={quoted} '
    one = {**message(), "msg": line + "status=500 dyno=web.1 method=GET"}
    two = {
        **message(),
        "msg": 'at=error path="/foo" '
        + " ".join(f"{name}={quoted}" for name in ("dyno", "status", "code", "method", "service")),
    }
    if any("\ud800" <= char <= "\udfff" for char in value):
        two = one  # No JSON brings these to a dyno's name.
    count(store, [[one], [two]])  # type: ignore[list-item]
    kept = found(store)
    assert len(kept.failed) == (1 if one is two else 2)
    for sample in kept.failed:
        for text in (sample.request_id, sample.dyno, sample.method, sample.status, sample.code):
            assert text.isprintable()
            text.encode()
        assert len(sample.request_id.encode()) <= 200
        assert len(sample.dyno.encode()) <= 64
        assert {sample.method, sample.status, sample.code} <= {"GET", "500", "(other)", ""}
    sizes = [store.strlen(key) for key in samples_in(store)]
    assert max(sizes) < 2 * 2 * 330
    if value == "x" * 200:
        assert value in {sample.request_id for sample in kept.failed}


def test_a_row_full_of_the_longest_values_has_a_bounded_size(redis_client: redis.Redis) -> None:
    lines = [
        message(status=503, code="H12", request_id="i" * 9_000, dyno="d" * 9_000, service_ms=at, app="shop")
        for at in range(100)
    ]
    count(redis_client, [lines])
    assert max(redis_client.strlen(key) for key in samples_in(redis_client)) < 10 * 320


# --- what is in the way, and rows that are merged --------------------------------------------


def test_a_key_that_someone_else_uses_costs_its_samples_and_no_more(redis_client: redis.Redis) -> None:
    count(redis_client, [[message(status=500)]])
    (key,) = [key for key in samples_in(redis_client) if digest("/foo")[:16] in key and ":3600:" in key]
    for value in ("not MessagePack \xc1", "\x07", b"\x92\x01\x02", b"\x92\x93\xa1a\xa1b\xa1c\x90"):
        redis_client.set(key, value)
        assert len(found(redis_client).failed) == 1, "the shorter chunk has it"
    redis_client.delete(key)
    redis_client.hset(key, "a", "b")
    assert len(found(redis_client).failed) == 1
    count(redis_client, [[message(status=500)]])
    assert redis_client.hget("tailrace:group:metrics", "refused") == b"1"
    assert redis_client.hget(f"{digest('/foo')}::statuses", "500") == b"2"


@pytest.mark.parametrize("app", ["", "shop"])
def test_samples_of_a_retired_row_go_to_the_row_that_it_is_merged_into(store: redis.Redis, app: str) -> None:
    ages = [5, 6, 700, 5_000, 50_000]
    lines = {
        path: [message(NOW_S - age, path, app, status=500, service_ms=age) for age in ages for _ in range(4)]
        for path in ("/a", "/b", "/c")
    }
    count(store, [lines["/a"], lines["/b"], lines["/c"]])
    retire(store, app, [Move(path, digest(path), "/all") for path in ("/a", "/b")])
    mover = Mover(store, 500)
    while mover.step(NOW_S):
        pass
    reference = SampleReference(NOW_S, route_of=lambda path: "/c" if path == "/c" else "/all")
    for some in lines.values():
        reference.add_all(some)
    assert reference.differences(store) == []
    assert store.llen(keys.ROUTE_MOVES) == 0
