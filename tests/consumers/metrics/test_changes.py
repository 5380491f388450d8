"""What a batch changes, without Redis: windows, rows, names that are not admitted, what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from app.router_line import RouterLine
from app.store.bounds import OTHER
from app.store.keys import WINDOWS
from app.store.schema import TOTALS_HASH
from consumers.metrics.aggregate import Aggregator
from consumers.metrics.route_rows import Seen
from servers.messages import stamp
from tests.consumers.metrics.test_aggregate import MARKED, NOW_S, ROUTE_OF, EveryName, changes_of, message


def test_a_window_is_kept_until_its_time_is_over_and_not_a_second_longer() -> None:
    start_s = 1_800_000_000
    last_s = {length_s: start_s + length_s + kept_s for length_s, kept_s in WINDOWS}
    line = message('path="/foo" status=200', start_s)
    for length_s, ends_s in last_s.items():
        for now_s, is_kept in ((ends_s - 1, True), (ends_s, False)):
            (row, all_routes) = Aggregator(ROUTE_OF, EveryName()).changes([line], now_s).rows
            assert row.added.windows == all_routes.added.windows
            assert (length_s in [window[0] for window in row.added.windows]) is is_kept


def test_windows_are_those_of_the_schema_in_order_of_time() -> None:
    start_s = 1_800_000_000
    messages = [message('path="/foo" bytes=5', start_s + after_s) for after_s in (65, 0, 9, 10, 3_600)]
    (row, _) = Aggregator(ROUTE_OF, EveryName()).changes(messages, start_s).rows
    assert [(length_s, at_s - start_s, counts["n"]) for length_s, at_s, counts in row.added.windows] == [
        *((10, 0, 2), (10, 10, 1), (10, 60, 1), (10, 3_600, 1)),
        *((60, 0, 3), (60, 60, 1), (60, 3_600, 1)),
        *((3_600, 0, 4), (3_600, 3_600, 1)),
    ]
    assert row.added.counts[TOTALS_HASH] == {"count": 5, "bytes": 25}


def test_rows_that_get_the_same_are_one_for_several_apps() -> None:
    messages = [
        *(message('path="/both"', app=app) for app in ("shop", "blog")),
        *(message('path="/shop"', app="shop"), message('path="/none"'), message('path="/none"')),
    ]
    found = changes_of(*messages)
    rows = {(row.apps, row.route): row.added.counts[TOTALS_HASH]["count"] for row in found.rows}
    assert rows == {
        (("",), "/both"): 2,
        (("shop",), "/both"): 1,
        (("blog",), "/both"): 1,
        (("", "shop"), "/shop"): 1,
        (("",), "/none"): 2,
        (("",), ""): 5,
        (("shop",), ""): 2,
        (("blog",), ""): 1,
    }
    assert found.apps == {"shop": 2, "blog": 1, "": 2}
    assert found.totals == {"messages": 5}


class SomeNames(EveryName):
    """Admits the app `shop`, the code H12 and, of routes, /a in all apps and /b in `shop` alone."""

    def rows(self, wanted: Mapping[str, Mapping[str, Seen]]) -> dict[str, dict[str, str]]:
        self.wanted = {
            app: {route: seen.lines for route, seen in some.items()} for app, some in wanted.items()
        }
        admitted = {"": {"/a"}, "shop": {"/b"}}
        return {
            app: {route: route if route in admitted.get(app, ()) else OTHER for route in some}
            for app, some in wanted.items()
        }

    def apps(self, names: Iterable[str]) -> set[str]:
        self.seen_apps = set(names)
        return self.seen_apps & {"", "shop"}

    def codes(self, names: Iterable[str]) -> set[str]:
        self.seen_codes = set(names)
        return self.seen_codes & {"H12"}


def test_what_is_not_admitted_counts_with_the_others() -> None:
    messages = [
        message('path="/a" code=H12', app="shop"),
        message('path="/b" code=H99', app="shop"),
        message('path="/c"', app="shop"),
        message('path="/a"', app="stranger"),
        message('path="/a"', app="other-stranger"),
        message('path="/a"'),
    ]
    names = SomeNames()
    found = Aggregator(ROUTE_OF, names).changes(messages, NOW_S)
    assert names.seen_apps == {"shop", "stranger", "other-stranger", ""}
    assert names.seen_codes == {"H12", "H99"}
    assert names.wanted == {
        "": {"/a": 4, "/b": 1, "/c": 1},
        "shop": {"/a": 1, "/b": 1, "/c": 1},
        "(other)": {"/a": 2},
    }
    assert found.apps == {"shop": 3, "(other)": 2, "": 1}
    counted = {
        (app, row.route): row.added.counts[TOTALS_HASH]["count"] for row in found.rows for app in row.apps
    }
    assert counted == {
        ("", "/a"): 4,
        ("", "(other)"): 2,
        ("", ""): 6,
        ("shop", "/b"): 1,
        ("shop", "(other)"): 2,
        ("shop", ""): 3,
        ("(other)", "(other)"): 2,
        ("(other)", ""): 2,
    }
    (total,) = [row.added.counts[TOTALS_HASH] for row in found.rows if (row.apps, row.route) == (("",), "")]
    assert (total["c:H12"], total["c:(other)"]) == (1, 1)


def test_what_counts_for_no_route_is_in_the_totals_of_the_group() -> None:
    lines = ["no pairs", "status=200", 'path="?a"', f'path="/a" request_id={MARKED}', 'path="/a"']
    found = changes_of(*map(message, [*lines, *lines[1:]]))
    assert found.totals == {"messages": 9, "without_path": 4, "replayed": 2}
    assert len(found.bad) == 1
    assert [row.added.counts[TOTALS_HASH]["count"] for row in found.rows] == [2, 2]


def test_the_place_tells_which_message_is_in_hand_and_none_afterwards() -> None:
    place = [0]
    seen: list[int] = []

    def route_of(line: RouterLine) -> str:
        seen.append(place[0])
        return line.path

    Aggregator(route_of, EveryName(), place).changes([message('path="/a"')] * 3, NOW_S)
    assert (seen, place) == ([1, 2, 3], [0])


def test_what_is_remembered_of_times_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.metrics.aggregate.CACHED_TIMES", 3)
    aggregator = Aggregator(ROUTE_OF, EveryName())
    for number in range(8):
        at_s = 1_800_000_000 + 10 * number
        (row, _) = aggregator.changes([message('path="/foo"', at_s)], at_s).rows
        assert row.added.windows[0][1] == at_s
        assert len(aggregator._starts) == number % 3 + 1
        assert set(aggregator._starts.values()) <= set(range(1_800_000_000, at_s + 1, 10))


def test_the_time_of_arrival_counts_to_ten_seconds() -> None:
    for received_ms, start_s in ((1_800_000_009_999, 1_800_000_000), (1_800_000_010_000, 1_800_000_010)):
        odd = message('path="/foo"', timestamp="-", received_at=received_ms)
        (row, _) = Aggregator(ROUTE_OF, EveryName()).changes([odd], 1_800_000_000).rows
        assert row.added.windows[0][:2] == (10, start_s)


@pytest.mark.parametrize(("late_ms", "is_own"), [(3_600_000, True), (3_600_001, False)])
def test_a_line_may_be_an_hour_ahead_of_its_arrival_to_the_millisecond(late_ms: int, is_own: bool) -> None:
    own_s = 1_800_000_000
    received_ms = own_s * 1000 - late_ms
    odd = message('path="/foo"', timestamp=stamp(own_s), received_at=received_ms)
    (row, _) = Aggregator(ROUTE_OF, EveryName()).changes([odd], own_s - 3_600).rows
    assert row.added.windows[0][1] == (own_s if is_own else received_ms // 10_000 * 10)
