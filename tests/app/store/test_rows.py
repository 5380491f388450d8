"""Rows on their way to Redis."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from app.store import rows
from app.store.apply import Changes, apply
from app.store.claims import offsets_claim
from app.store.keys import digest
from app.store.rows import PORTION_UNITS, ROW_UNITS, WINDOW_UNITS, Added, Row, pack, portions
from tests.support.reference import differences, hashes_in


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What one test has packed must not answer for another."""
    rows._PACKED.clear()


def told(portion: bytes) -> tuple[int, list[dict[str, Any]], bytes]:
    """Units, rows and windows of a portion."""
    units, size, rest = portion.split(b" ", 2)
    return int(units), json.loads(rest[: int(size)]), rest[int(size) :]


def added(fields: int) -> Added:
    start_s = 1_800_000_000
    windows: list[Any] = [(10, start_s + 10 * at, {"n": 1, "b": at}) for at in range(3)]
    return Added(counts={":mix": {f"m:{at}": 1 for at in range(fields)}}, windows=windows)


def test_a_row_of_two_apps_is_sent_once_and_costs_twice() -> None:
    (one,) = map(told, portions([Row(("",), "/a", added(5))]))
    (both,) = map(told, portions([Row(("", "shop"), "/a", added(5))]))
    assert [row["scopes"] for row in both[1]] == [["", "app:shop:"]]
    assert both[2] == one[2]
    assert both[0] == 2 * one[0]


def test_a_row_whose_totals_cost_a_portion_is_one_for_each_app() -> None:
    found = [told(portion) for portion in portions([Row(("", "shop"), "/a", added(700))])]
    assert [[row["scopes"] for row in rows] for _, rows, _ in found] == [[[""]], [["app:shop:"]]]


def test_a_row_of_two_apps_and_two_rows_of_one_are_the_same_to_redis(store: redis.Redis) -> None:
    claim = offsets_claim("p", [(0, 0, 1, False)])
    apply(store, "g", claim, Changes([Row(("", "shop"), "/a", added(5))], {}, {}), 500)
    both = hashes_in(store)
    store.flushall()
    both_rows = [Row((app,), "/a", added(5)) for app in ("", "shop")]
    apply(store, "g", claim, Changes(both_rows, {}, {}), 500)
    assert "app:shop:routes" in both
    assert differences(both, hashes_in(store)) == []


# --- what a portion holds ---------------------------------------------------------------------

START_S = 1_800_000_000


def test_a_row_is_told_with_all_that_it_adds() -> None:
    row = Row(
        ("", "shop"),
        "/a",
        Added(
            counts={":mix": {"count": 2, "bytes": 9}},
            bounded={":dynos": {"web.1": 2}},
            times={"::service": (5_000, 2)},
            maxima={"max_service": 3.5},
            windows=[(10, START_S, {"n": 2}), (10, START_S + 10, {"n": 1, "b": 9}), (60, START_S, {"n": 2})],
        ),
    )
    ((units, (found,), windows),) = map(told, portions([row]))
    # Both apps: a row, three fields, and three windows with four fields.
    assert units == 2 * (ROW_UNITS + 3 + 3 * WINDOW_UNITS + 4)
    assert found == {
        "scopes": ["", "app:shop:"],
        "route": "/a",
        "digest": digest("/a"),
        "counts": {":mix": [["count", "bytes"], [2, 9]]},
        "bounded": {":dynos": [["web.1"], [2]]},
        "times": {"::service": [5_000, 2]},
        "maxima": {"max_service": 3.5},
        # A chunk of 10 s windows is 600 s and kept for an hour; one of minutes an hour, and for a day.
        "chunks": [
            [f"10:{START_S}", START_S + 600 + 3_600, [0, 1], [4, 7]],
            [f"60:{START_S}", START_S + 3_600 + 86_400 + 7_200, [0], [4]],
        ],
    }
    assert windows == b"\x81\xa1n\x02" + b"\x82\xa1n\x01\xa1b\x09" + b"\x81\xa1n\x02"


def test_a_chunk_expires_from_its_own_start_whichever_window_comes_first() -> None:
    windows: list[Any] = [
        (10, START_S + 590, {"n": 1}),
        (10, START_S + 600, {"n": 1}),
        (3_600, START_S, {"n": 1}),
    ]
    ((_, (row,), _),) = map(told, portions([Row(("",), "", Added(windows=windows))]))
    day_s = START_S // 86_400 * 86_400
    assert row["chunks"] == [
        [f"10:{START_S}", START_S + 4_200, [59], [4]],
        [f"10:{START_S + 600}", START_S + 4_800, [0], [4]],
        [f"3600:{day_s}", day_s + 86_400 + 31 * 86_400, [(START_S - day_s) // 3_600], [4]],
    ]
    assert (row["route"], row["digest"], row["scopes"]) == (None, "all", [""])


def of_units(units: int) -> Row:
    """A row that costs so much."""
    return Row(("",), "/a", Added(counts={":mix": {f"m:{at}": 1 for at in range(units - ROW_UNITS)}}))


def test_rows_share_a_portion_up_to_its_cost() -> None:
    half = PORTION_UNITS // 2
    assert [told(one)[0] for one in portions([of_units(half), of_units(half)])] == [PORTION_UNITS]
    found = [told(one) for one in portions([of_units(half), of_units(half + 1), of_units(100)])]
    assert [(units, len(rows)) for units, rows, _ in found] == [(half, 1), (half + 1 + 100, 2)]
    assert [told(one)[0] for one in portions([of_units(5 * PORTION_UNITS), of_units(50)])] == [
        5 * PORTION_UNITS,
        50,
    ]
    assert list(portions([])) == []


def test_a_row_of_several_apps_is_parted_where_its_totals_cost_more_than_a_portion() -> None:
    for units, number in ((PORTION_UNITS // 2, 1), (PORTION_UNITS // 2 + 1, 2)):
        row = Row(("", "shop"), "/a", of_units(units).added)
        assert len([one for portion in portions([row]) for one in told(portion)[1]]) == number
    bounded = Row(("", "shop"), "/a", Added(bounded={":hosts": dict.fromkeys(map(str, range(500)), 1)}))
    assert len([one for portion in portions([bounded]) for one in told(portion)[1]]) == 2


def test_a_row_with_many_windows_comes_in_pieces_and_its_totals_once() -> None:
    windows: list[Any] = [(10, START_S + 10 * at, {"n": 1}) for at in range(40)]
    row = Row(("",), "/a", Added(counts={":mix": {"count": 40}}, windows=windows))
    found = [told(portion) for portion in portions([row])]
    # ROW_UNITS and, at first, one field; each window costs WINDOW_UNITS and one field.
    assert [units for units, _, _ in found] == [41 + 15 * 61, 40 + 15 * 61, 40 + 10 * 61]
    row_pieces = [piece for _, pieces, _ in found for piece in pieces]
    assert [number for piece in row_pieces for chunk in piece["chunks"] for number in chunk[2]] == list(
        range(40)
    )
    assert ["counts" in piece for piece in row_pieces] == [True, False, False]
    assert ["maxima" in piece for piece in row_pieces] == [True, False, False]
    assert {piece["digest"] for piece in row_pieces} == {digest("/a")}
    assert b"".join(packed for _, _, packed in found) == b"\x81\xa1n\x01" * 40


def test_a_window_fills_a_portion_to_the_last_unit() -> None:
    room = PORTION_UNITS - ROW_UNITS - WINDOW_UNITS
    for fields, pieces in ((room, 1), (room + 1, 2)):
        window: Any = (10, START_S, {f"s{at}": 1 for at in range(fields)})
        assert len(list(portions([Row(("",), "/a", Added(windows=[window]))]))) == pieces


# --- MessagePack ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "packed"),
    [
        # github.com/msgpack/msgpack, spec.md: fixint, uint 8 to 64, int 8 to 64.
        *((0, "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65_535, "cdffff")),
        *((65_536, "ce00010000"), (2**32 - 1, "ceffffffff"), (2**32, "cf0000000100000000")),
        *((2**64 - 1, "cfffffffffffffffff"), (-1, "ff"), (-32, "e0"), (-33, "d0df"), (-128, "d080")),
        *((-129, "d1ff7f"), (-32_768, "d18000"), (-32_769, "d2ffff7fff"), (-(2**31), "d280000000")),
        *((-(2**31) - 1, "d3ffffffff7fffffff"), (-(2**63), "d38000000000000000")),
    ],
)
def test_a_number_is_packed_in_its_shortest_form(number: int, packed: str) -> None:
    assert pack({"n": number}).hex() == "81a16e" + packed
    assert pack({number: 1}).hex() == "81" + packed + "01"


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_a_number_of_more_than_64_bits_is_refused(number: int) -> None:
    with pytest.raises(OverflowError, match=f"^{number} has more than 64 bits$"):
        pack({"n": number})


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "a0"), (1, "a1"), (31, "bf"), (32, "d920"), (255, "d9ff"), (256, "da0100"), (65_535, "daffff")],
)
def test_a_name_is_packed_in_its_shortest_form(size: int, head: str) -> None:
    assert pack({"x" * size: 1}) == b"\x81" + bytes.fromhex(head) + b"x" * size + b"\x01"


@pytest.mark.parametrize(
    ("size", "head"), [(0, "80"), (1, "81"), (15, "8f"), (16, "de0010"), (300, "de012c")]
)
def test_a_map_is_packed_in_its_shortest_form(size: int, head: str) -> None:
    assert pack(dict.fromkeys(range(-size, 0), 1))[: len(head) // 2].hex() == head
    assert pack(dict.fromkeys(["n", "b"], 3)).hex() == "82a16e03a16203"


def test_what_is_remembered_as_packed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PACKED_VALUES_MAX", 3)
    packed = rows._Packed()
    for number in range(10):
        assert packed[number] == bytes([number])
        assert len(packed) == number % 3 + 1
