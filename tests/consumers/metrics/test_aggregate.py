"""From messages to hashes: the talk's own figures, odd lines, and all of it against the reference."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.loop_guard import LoopGuard
from app.message import RouterMessage, encode
from app.router_line import RouterLine
from app.routes import route_namer
from app.settings import Settings
from app.store.apply import Changes, apply
from app.store.claims import offsets_claim
from app.store.keys import digest
from app.store.schema import TOTALS_HASH
from consumers.current_message import Cursor
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator, NameAdmission
from consumers.metrics.batch_rows import CELL_S
from consumers.metrics.name_tables import AdmittedNames, WantedNames
from consumers.metrics.route_rows import Seen
from servers.messages import router_message, stamp
from tests.support.reference import Hashes, Reference, differences, hashes_in
from tests.support.stored import expires_at_s

_numbers = itertools.count()
NOW_S = int(time.time())
"""As Redis has it, for it removes windows whose time is over."""

ROUTE_OF = route_namer(Settings())


def message(line: str, at_s: float = NOW_S, app: str = "", **more: Any) -> RouterMessage:
    """A message whose line is `line`, written and received at `at_s`."""
    return router_message(line, at_s, id=f"f.{next(_numbers)}", app=app, **more)


class EveryName:
    """Where no Redis bounds the names."""

    def rows(self, wanted: Mapping[str, Mapping[str, Seen]]) -> dict[str, dict[str, str]]:
        return {app: {route: route for route in routes} for app, routes in wanted.items()}

    def apps(self, names: Iterable[str]) -> set[str]:
        return set(names)

    def codes(self, names: Iterable[str]) -> set[str]:
        return set(names)

    def names(self, wanted: WantedNames) -> AdmittedNames:
        return {table: set(some.lines) for table, some in wanted.items()}


GUARD = LoopGuard(lambda: b"a key of the tests")
MARKED = GUARD.mark("8601b555")


def aggregator_of(
    names: NameAdmission, route_of: Callable[[RouterLine], str] = ROUTE_OF, cursor: Cursor | None = None
) -> Aggregator:
    """One that recognises the marks of GUARD."""
    return Aggregator(route_of, names, cursor, GUARD.is_replayed)


def changes_of(*messages: RouterMessage, route_of: Callable[[RouterLine], str] = ROUTE_OF) -> Changes:
    return aggregator_of(EveryName(), route_of).changes(messages, NOW_S)


def count(
    store: redis.Redis,
    batches: Sequence[Sequence[RouterMessage]],
    route_of: Callable[[RouterLine], str] = ROUTE_OF,
    routes_max: int = 500,
) -> Hashes:
    """Counts the batches as a metrics worker does; the hashes that Redis holds then."""
    aggregator = aggregator_of(Admission(store, routes_max), route_of)
    at = int(store.hget("tailrace:positions:metrics", "0") or 0)
    for number, batch in enumerate(batches, at):
        claim = offsets_claim("tailrace:positions:metrics", [(0, number, number + 1, False)])
        apply(store, "metrics", claim, aggregator.changes(batch, NOW_S), routes_max)
    return hashes_in(store)


# --- the talk's figures ---------------------------------------------------------------------


def test_connect_times_of_the_talk(redis_client: redis.Redis) -> None:
    lines = ['at=info path="/foo" connect=5ms', 'at=info path="/foo" connect=7ms']
    found = count(redis_client, [[message(line) for line in lines]])
    assert found[f"{digest('/foo')}::connect"] == {"sum": "12", "count": "2", "average": "6"}
    assert found["routes"] == {"/foo": digest("/foo")}


def test_service_times_of_the_talk(redis_client: redis.Redis) -> None:
    lines = ['at=info path="/foo" service=300ms', 'at=info path="/foo" service=200ms']
    found = count(redis_client, [[message(line)] for line in lines])
    assert found[f"{digest('/foo')}::service"] == {"sum": "500", "count": "2", "average": "250"}


def test_statuses_of_the_talk(redis_client: redis.Redis) -> None:
    lines = [f'at=info path="/bar" status={status}' for status in (200, 500, 500)]
    found = count(redis_client, [[message(line) for line in lines]])
    assert found[f"{digest('/bar')}::statuses"] == {"200": "1", "500": "2"}


def test_a_line_without_a_path_changes_nothing(redis_client: redis.Redis) -> None:
    for line in (
        "at=info method=GET status=200",
        'at=info path="" status=200',
        'at=info path="?a=b" status=2',
    ):
        assert count(redis_client, [[message(line)]]) == {}
    assert redis_client.hgetall("tailrace:group:metrics") == {b"messages": b"3", b"without_path": b"3"}


def test_times_that_cannot_be_read_are_counted_and_their_lines_count_without_them(
    redis_client: redis.Redis,
) -> None:
    times = ["18ms", "397", "", "1.5s", "-1ms", "1e3ms", "1e3ms", "9999999999ms"]
    first = [message(f'path="/bar" connect=0 service={time}') for time in times]
    found = count(redis_client, [first, [message('path="/bar" connect=- service=-')]])
    bar = digest("/bar")
    assert found[f"{bar}::service"] == {"sum": "415", "count": "2", "average": "207.5"}
    assert found[f"{bar}::connect"] == {"sum": "0", "count": "8", "average": "0"}
    assert found[f"tailrace:{bar}:mix"]["count"] == "9"
    assert redis_client.hget("tailrace:group:metrics", "unreadable_times") == b"7"


# --- what a line says -----------------------------------------------------------------------

FULL = (
    'at=error code=H12 desc="Request timeout" method=POST path="/slow/7?q=1" host=h.example request_id=r '
    'fwd="192.0.2.1" dyno=web.2 connect=1.5ms service=30000.25ms status=503 bytes=12 protocol=https'
)


def test_all_that_a_line_says_is_in_its_row(redis_client: redis.Redis) -> None:
    found = count(redis_client, [[message(FULL)]])
    slow = digest("/slow/:id")
    assert found[f"{slow}::service"] == {"sum": "30000.25", "count": "1", "average": "30000.25"}
    mix = {"count": "1", "bytes": "12", "m:POST": "1", "c:H12": "1", "last_s": str(NOW_S // 10 * 10)}
    assert found[f"tailrace:{slow}:mix"] == mix | {"max_service": "30000.25", "max_connect": "1.5"}
    assert found[f"tailrace:{slow}:dynos"] == {"web.2": "1"}
    assert found[f"tailrace:{slow}:hosts"] == {"h.example": "1"}
    start = NOW_S // 10 * 10
    assert found[f"tailrace:{slow[:16]}:10:{start}"] == {
        "n": "1",
        "b": "12",
        "s503": "1",
        "mPOST": "1",
        "cH12": "1",
        **dict.fromkeys(found[f"tailrace:{slow}:service"], "1"),
        **{str(-1 - int(bucket)): "1" for bucket in found[f"tailrace:{slow}:connect"]},
    }


def test_fractions_of_milliseconds_are_kept_to_the_microsecond(redis_client: redis.Redis) -> None:
    lines = [f'path="/foo" service={ms}ms' for ms in ("0.001", "0.0015", "1.999", "3")]
    found = count(redis_client, [[message(line) for line in lines]])
    assert found[f"{digest('/foo')}::service"] == {"sum": "5.002", "count": "4", "average": "1.25"}


@pytest.mark.parametrize(
    "value", ["", "ms", "12s", "-1ms", "1e3ms", "9999999999ms", "\u0661ms", "nanms", "1ms2"]
)
def test_a_time_that_is_none_counts_no_time(redis_client: redis.Redis, value: str) -> None:
    found = count(redis_client, [[message(f'path="/foo" service={value} status=200')]])
    assert f"{digest('/foo')}::service" not in found
    assert found[f"{digest('/foo')}::statuses"] == {"200": "1"}


@pytest.mark.parametrize(
    ("size", "counted"), [("12", "12"), ("", "0"), ("-5", "0"), ("1e9", "0"), ("9" * 40, "0")]
)
def test_a_size_that_is_none_counts_as_nothing(redis_client: redis.Redis, size: str, counted: str) -> None:
    found = count(redis_client, [[message(f'path="/foo" bytes={size}')]])
    assert found[f"tailrace:{digest('/foo')}:mix"]["bytes"] == counted


def test_sizes_never_overflow_what_redis_adds_up(redis_client: redis.Redis) -> None:
    line = f'path="/foo" bytes={"9" * 15} service=999999999ms'
    count(redis_client, [[message(line)] * 5_000] * 3)
    assert redis_client.hget("tailrace:group:metrics", "refused") is None


def test_methods_that_clients_invent_count_together() -> None:
    lines = [f'path="/foo" method={method}' for method in ("GET", "XYZZY", "get", "PROPFIND", "A" * 99)]
    (row, _) = changes_of(*map(message, lines)).rows
    assert row.added.counts[TOTALS_HASH] == {
        "count": 5,
        "bytes": 0,
        "m:GET": 1,
        "m:PROPFIND": 1,
        "m:(other)": 3,
    }


def test_requests_of_a_replay_are_kept_out(redis_client: redis.Redis) -> None:
    line = f'path="/foo" request_id={MARKED} status=200'
    assert count(redis_client, [[message(line)]]) == {}
    assert redis_client.hgetall("tailrace:group:metrics") == {b"messages": b"1", b"replayed": b"1"}


@pytest.mark.parametrize(
    "request_id",
    [
        "replay-" + "a" * 20,
        "replay-8601b555-6a83-4c12-8269-97c8e32cdb22",
        LoopGuard(lambda: b"another key").mark("8601b555"),
        MARKED[:-1] + ("0" if MARKED[-1] != "0" else "1"),
        MARKED.replace("8601b555", "8601b556"),
        MARKED.upper().replace("REPLAY-", "replay-"),
        "replay-caf\u00e9-\udcff",
        "replay-",
    ],
)
def test_nobody_outside_can_hide_a_request(redis_client: redis.Redis, request_id: str) -> None:
    lines = [message(f'path="/foo" request_id={one} status=200') for one in (request_id, "8601b555", MARKED)]
    found = count(redis_client, [lines])
    assert found["tailrace:apps"] == {"": "2"}
    totals = {b"messages": b"3", b"replayed": b"1", b"forged_marks": b"1"}
    assert redis_client.hgetall("tailrace:group:metrics") == totals


def test_without_a_key_no_mark_hides_a_request() -> None:
    guard = LoopGuard(lambda: b"")
    line = message(f'path="/foo" request_id={guard.mark("8601b555")} status=200')
    found = Aggregator(ROUTE_OF, EveryName(), None, guard.is_replayed).changes([line], NOW_S)
    assert (found.apps, found.totals) == ({"": 1}, {"messages": 1, "forged_marks": 1})


def test_a_line_without_any_pair_is_a_dead_letter_with_all_of_its_message() -> None:
    odd = message("State changed from up to down")
    found = changes_of(odd)
    assert [(bad.value, bad.reason) for bad in found.bad] == [
        (encode(odd), "a router line without any key=value pair")
    ]
    assert found.rows == []


# --- apps, routes, windows ------------------------------------------------------------------


def test_named_apps_count_twice_and_the_unprefixed_keys_hold_all_together(redis_client: redis.Redis) -> None:
    line = 'path="/foo" status=200'
    found = count(redis_client, [[message(line, app=app) for app in ("shop", "shop", "blog", "")]])
    foo = digest("/foo")
    assert found[f"{foo}::statuses"] == {"200": "4"}
    assert found[f"app:shop:{foo}::statuses"] == {"200": "2"}
    assert found[f"app:blog:{foo}::statuses"] == {"200": "1"}
    assert found["tailrace:apps"] == {"shop": "2", "blog": "1", "": "1"}
    assert found["tailrace:app:shop:all:mix"]["count"] == "2"


def test_ids_in_paths_make_one_route_and_raw_mode_one_each(redis_client: redis.Redis) -> None:
    batch = [message(f'path="/users/{number}?page={number}"') for number in (42, 77)]
    assert set(count(redis_client, [batch])["routes"]) == {"/users/:id"}
    redis_client.flushall()
    raw = route_namer(Settings(route_templates="raw"))
    assert set(count(redis_client, [batch], raw)["routes"]) == {"/users/42", "/users/77"}


def test_a_million_paths_of_a_scanner_are_one_row(redis_client: redis.Redis) -> None:
    batch = [message(f'path="/a{"x" * (number % 17)}{number // 17}q" status=404') for number in range(2_000)]
    found = count(redis_client, [batch], lambda line: line.path, routes_max=20)
    assert len(found["routes"]) == 21
    counted = sum(int(fields["404"]) for key, fields in found.items() if key.endswith("::statuses"))
    assert counted == 2_000
    assert found[f"{digest('(other)')}::statuses"] == {"404": "1980"}


def test_windows_are_those_of_the_lines_own_time_and_expire(redis_client: redis.Redis) -> None:
    line = 'path="/foo" status=200'
    ages = {0: (10, 60, 3_600), 3_700: (60, 3_600), 90_000: (3_600,), 32 * 86_400: ()}
    for age, lengths in ages.items():
        redis_client.flushall()
        found = count(redis_client, [[message(line, NOW_S - age, received_at=NOW_S * 1000)]])
        starts = [(length, (NOW_S - age) // length * length) for length in lengths]
        windows = {f"tailrace:{digest('/foo')[:16]}:{length}:{start}" for length, start in starts}
        assert {key for key in found if key.startswith(f"tailrace:{digest('/foo')[:16]}:")} == windows
        assert found["routes"], "what is too old for a window still counts"


@pytest.mark.parametrize(
    ("timestamp", "is_own"),
    [
        ("2026-01-02T03:04:05.123456+00:00", True),
        ("2026-01-02T03:04:05Z", True),
        ("2026-01-02T04:04:05+01:00", True),
        ("2026-01-02 03:04:05 +0000", True),
        ("2026-01-02T03:04:05", False),
        ("2026-13-02T03:04:05+00:00", False),
        ("2026-01-02T03:04:61+00:00", False),
        ("", False),
        ("-", False),
        ("yesterday T        +00:00", False),
    ],
)
def test_a_line_without_a_time_of_its_own_has_that_of_its_arrival(timestamp: str, is_own: bool) -> None:
    received_ms = 1_767_323_045_000 + 86_400_000  # A day after 2026-01-02T03:04:05Z.
    odd = message('path="/foo"', timestamp=timestamp, received_at=received_ms)
    (row, _) = Aggregator(ROUTE_OF, EveryName()).changes([odd], received_ms // 1000).rows
    starts = {length: start for length, start, _ in row.added.windows}
    assert starts[3_600] == (received_ms // 1000 - (86_400 if is_own else 0)) // 3_600 * 3_600


def test_a_clock_that_is_ahead_of_its_line_by_more_than_an_hour_is_not_believed() -> None:
    aggregator = Aggregator(ROUTE_OF, EveryName())
    for ahead_s, is_believed in ((3_000, True), (3_600, True), (3_611, False), (10**8, False)):
        own_s = NOW_S + ahead_s
        # Before and after, the same second arrives in time: what is remembered of it changes nothing.
        for received_s in (own_s, NOW_S, own_s):
            odd = message('path="/foo"', timestamp=stamp(own_s), received_at=received_s * 1000)
            (row, _) = aggregator.changes([odd], NOW_S).rows
            wanted = own_s if is_believed or received_s == own_s else received_s
            assert row.added.windows[0][1] == wanted // CELL_S * CELL_S


# --- against the reference ------------------------------------------------------------------

_paths = st.sampled_from(["/", "/foo", "/users/1", "/users/2?a=b", "/é", "?x=1", "", "/a b", "*"])
_times = st.one_of(
    st.integers(0, 40_000).map(lambda ms: f"{ms}ms"),
    st.integers(0, 9_999_999).map(lambda us: f"{us / 1000:.3f}ms"),
    st.just(""),
)


@st.composite
def _lines(draw: st.DrawFn) -> str:
    code = draw(st.sampled_from(["", "", "", "H12", "H18", "H26", "H27"]))
    parts = [
        f"at={draw(st.sampled_from(['info', 'info', 'error', 'warning', '']))}",
        *([f'code={code} desc="Some thing"'] if code else []),
        f"method={draw(st.sampled_from(['GET', 'POST', 'HEAD', 'BREW', '']))}",
        f'path="{draw(_paths)}"',
        f"host={draw(st.sampled_from(['a.example', 'b.example', '']))}",
        f"request_id={draw(st.sampled_from(['8601b555', MARKED, 'replay-1', '']))}",
        'fwd="192.0.2.1"',
        f"dyno={draw(st.sampled_from(['web.1', 'web.2', '']))}",
        f"connect={draw(_times)}",
        f"service={draw(_times)}",
        f"status={draw(st.sampled_from(['200', '404', '503', '101', '499', '']))}",
        f"bytes={draw(st.sampled_from(['0', '17', '123456', '']))}",
    ]
    if draw(st.integers(0, 5)) == 0:
        parts = draw(st.permutations(parts))
    return " ".join(parts) + draw(st.sampled_from(["", "\n", " protocol=https tls=true\n"]))


@st.composite
def _messages(draw: st.DrawFn) -> RouterMessage:
    # NOW_S is of the import: windows of 10 s, kept for an hour, must still be there when this runs.
    age_s = draw(st.sampled_from([0, 1, 9, 11, 61, 1_500, 80_000, 10 * 86_400, 40 * 86_400]))
    ahead_s = draw(st.sampled_from([0, 0, 0, 30, 8_000]))
    at_s = NOW_S - age_s
    form = draw(st.sampled_from(["{}+00:00", "{}.123456+00:00", "{}Z", "broken"]))
    timestamp = form.format(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s + ahead_s)))
    app = draw(st.sampled_from(["", "shop", "blog"]))
    return message(draw(_lines()), at_s, app, timestamp=timestamp)


@settings(
    max_examples=settings().max_examples * 6 // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(_messages(), max_size=12), max_size=5), st.sampled_from([3, 500]))
def test_batches_of_any_lines_come_out_as_one_by_one_in_plain_python(
    redis_client: redis.Redis, batches: list[list[RouterMessage]], routes_max: int
) -> None:
    redis_client.flushall()
    reference = Reference(NOW_S, routes_max=routes_max, is_replayed=lambda identity: identity == MARKED)
    for batch in batches:
        reference.add_all(batch)
    found = count(redis_client, batches, routes_max=routes_max)
    assert differences(found, reference.hashes()) == []
    expiries = {key: expires_at_s(redis_client, key) for key in reference.expiries}
    assert expiries == reference.expiries


@settings(max_examples=settings().max_examples * 3)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "msg": st.one_of(st.text(max_size=60), _lines()),
                "timestamp": st.text(max_size=30),
                "app": st.text(max_size=5),
                "received_at": st.integers(0, 10**14 - 1),
            }
        ),
        max_size=6,
    )
)
def test_no_message_stops_the_worker(odd: list[dict[str, Any]]) -> None:
    batch = [{**message(""), **found} for found in odd]
    changes = Aggregator(ROUTE_OF, EveryName()).changes(batch, NOW_S)  # type: ignore[arg-type]
    counted = sum(changes.apps.values()) + len(changes.bad)
    left_out = changes.totals.get("without_path", 0) + changes.totals.get("replayed", 0)
    assert counted + left_out == len(odd)
