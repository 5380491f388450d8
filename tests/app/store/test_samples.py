"""The text of a sample, and samples on their way to Redis."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import redis

from app.store.apply import Changes, apply, limits
from app.store.claims import offsets_claim
from app.store.journal import Journal
from app.store.keys import digest, journal
from app.store.rows import PORTION_UNITS, ROW_UNITS, Added, Row, portions
from app.store.samples import SampleChunk, SampleText, pack, safe, sample_units, unpack
from tests.support.reference import hashes_in
from tests.support.sample_reference import samples_in

START_S = int(time.time()) // 3_600 * 3_600
EXPIRES_S = START_S + 90_000


def chunk(start_s: int = START_S, count: int = 1) -> SampleChunk:
    triples: list[int | str] = []
    for at in range(count, 0, -1):
        triples += (at, at * 1_000, f"\t\t\t\t\tr{at}")
    return f"samples:3600:{start_s}", EXPIRES_S, triples, triples


def told(portion: bytes) -> tuple[int, list[dict[str, Any]]]:
    """Units and rows of a portion."""
    units, size, rest = portion.split(b" ", 2)
    return int(units), json.loads(rest[: int(size)])


# --- the text -------------------------------------------------------------------------------


def test_a_text_says_what_was_packed() -> None:
    text = pack("1.5ms", "web.3", "POST", "503", "H12", "8601b555")
    assert text == "1500\tweb.3\tPOST\t503\tH12\t8601b555"
    assert unpack(text) == SampleText(1.5, "web.3", "POST", "503", "H12", "8601b555")
    assert unpack(pack("", "", "", "", "", "")) == SampleText(None, "", "", "", "", "")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (("-1ms", "web.1", "GET", "200", "", "r"), SampleText(None, "web.1", "GET", "200", "", "r")),
        (("9999999999", "web.1", "GET", "200", "", "r"), SampleText(None, "web.1", "GET", "200", "", "r")),
        (
            ("0", "web\n1", "get", "20", "H1234", "r"),
            SampleText(0, "web\ufffd1", "(other)", "(other)", "(other)", "r"),
        ),
        (
            ("", "d\udcff" * 99, "GET", "200", "H1", "i\td"),
            SampleText(None, "d\ufffd" * 16, "GET", "200", "H1", "i\ufffdd"),
        ),
    ],
)
def test_a_text_holds_only_what_is_safe(said: tuple[str, ...], kept: SampleText) -> None:
    assert unpack(pack(*said)) == kept


@pytest.mark.parametrize("text", ["", "1\t2", "x\t\t\t\t\t", "\t" * 6])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        unpack(text)


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        *(("abc", 3, "abc"), ("abc", 2, "ab"), ("é" * 3, 5, "éé"), ("日本", 6, "日本"), ("日本", 5, "日")),
        *(("a\x00b", 9, "a\ufffdb"), ("\ud800", 9, "\ufffd"), ("\u202e", 9, "\ufffd"), ("a b", 9, "a b")),
        *(("x" * 10**6, 200, "x" * 200), ("\x07" * 10**6, 200, "\ufffd" * 66), ("🚀" * 99, 10, "🚀🚀")),
    ],
)
def test_a_safe_text_is_printable_and_bounded(text: str, most: int, kept: str) -> None:
    assert safe(text, most) == kept


# --- on the way -----------------------------------------------------------------------------


def test_samples_are_of_the_last_app_alone_and_cost_once() -> None:
    without = Row(("", "shop"), "/a", Added(counts={":mix": {"count": 1}}))
    row = Row(("", "shop"), "/a", without.added, [chunk(count=5)])
    ((units, (found,)),) = map(told, portions([row]))
    ((units_without, (found_without,)),) = map(told, portions([without]))
    assert found["samples"] == ["app:shop:", [[*chunk(count=5)[:2], *map(list, chunk(count=5)[2:])]]]
    assert "samples" not in found_without
    assert units == units_without + sample_units(chunk(count=5))


def test_many_chunks_of_a_row_come_in_pieces_of_bounded_cost() -> None:
    chunks = [chunk(START_S + 600 * at, 5) for at in range(200)]
    row = Row(("", "shop"), "/a", Added(counts={":mix": {"count": 1}}), chunks)
    found = [told(portion) for portion in portions([row])]
    assert max(units for units, _ in found) <= PORTION_UNITS
    pieces = [piece for _, rows in found for piece in rows]
    assert len(pieces) > 3
    assert [one[0] for piece in pieces for one in piece["samples"][1]] == [one[0] for one in chunks]
    assert ["counts" in piece for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert {tuple(piece["scopes"]) for piece in pieces[1:]} == {("app:shop:",)}
    assert {piece["digest"] for piece in pieces} == {digest("/a")}
    assert sum(units for units, _ in found) >= 200 * sample_units(chunk(count=5)) + len(pieces) * ROW_UNITS


def test_of_a_row_that_is_parted_by_app_one_part_has_the_samples() -> None:
    wide = Added(counts={":mix": {f"m:{at}": 1 for at in range(700)}})
    found = [row for one in portions([Row(("", "shop"), "/a", wide, [chunk()])]) for row in told(one)[1]]
    assert [row["scopes"] for row in found if "samples" in row] == [["app:shop:"]]
    assert [row["scopes"] for row in found if "counts" in row] == [[""], ["app:shop:"]]


def test_in_pieces_or_at_once_the_samples_are_the_same(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row(("", "shop"), "/a", Added(), [chunk(START_S + 600 * at, 5) for at in range(100)])
    found = []
    for units_max in (PORTION_UNITS, 10**9):
        monkeypatch.setattr("app.store.rows.PORTION_UNITS", units_max)
        store.flushall()
        apply(store, "g", offsets_claim("p", [(0, 0, 1, False)]), Changes([row], {}, {}), 500)
        found.append(samples_in(store))
    assert found[0] == found[1]
    assert len(found[0]) == 100


def test_the_bounds_of_who_adds_are_those_that_count(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.apply.SLOWEST_MAX", 3)
    monkeypatch.setattr("app.store.apply.FAILED_MAX", 2)
    rows = [Row(("shop",), "/a", Added(), [chunk(count=9)])]
    apply(store, "g", offsets_claim("p", [(0, 0, 1, False)]), Changes(rows, {}, {}), 500)
    (kept,) = samples_in(store).values()
    assert [len(some) for some in kept] == [3, 2]
    assert [service_us for _, service_us, _ in kept[0]] == [9_000, 8_000, 7_000]


# --- versions side by side --------------------------------------------------------------------


def left_in_journal(store: redis.Redis, portion: bytes) -> None:
    store.rpush(journal("g"), portion)
    found = Journal(store, "g", limits(500))
    found.recover()
    assert found.left == 0


def test_portions_without_samples_and_with_parts_of_a_later_version_count(store: redis.Redis) -> None:
    row = Row(("", "shop"), "/a", Added(counts={":mix": {"count": 2}}, windows=[(10, START_S, {"n": 2})]))
    (plain,) = portions([row])
    left_in_journal(store, plain)
    before = hashes_in(store)
    assert before["tailrace:app:shop:" + digest("/a") + ":mix"] == {"count": "2"}
    store.flushall()
    units, size, rest = plain.split(b" ", 2)
    rows, windows = json.loads(rest[: int(size)]), rest[int(size) :]
    rows[0]["a_part_of_tomorrow"] = {"x": [1, 2]}
    encoded = json.dumps(rows).encode()
    left_in_journal(store, b"%b %d %b%b" % (units, len(encoded), encoded, windows + b"and its bytes"))
    assert hashes_in(store) == before
    assert store.hget("tailrace:group:g", "refused") is None


def test_every_sample_of_a_portion_in_the_journal_is_added_once(store: redis.Redis) -> None:
    rows = [
        Row(("shop",), f"/{at}", Added(counts={":mix": {"count": 1}}), [chunk(count=5)]) for at in range(300)
    ]
    rest = Journal(store, "g", limits(500))
    rest.cost.units_max = 1
    apply(store, "g", offsets_claim("p", [(0, 0, 1, False)]), Changes(rows, {}, {}), 500, rest)
    assert rest.left > 5
    Journal(store, "g", limits(500)).recover()  # Another worker's step.
    rest.finish()
    found = samples_in(store)
    assert len(found) == 300
    assert all(len(slowest) == len(failed) == 5 for slowest, failed in found.values())
