"""What lines count for, in windows and in totals, without Redis."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from app.router_line import RouterLine, parse
from app.sketch import bucket
from app.store.schema import BUCKET_SHIFT, TOTALS_HASH, Field, Names
from consumers.metrics import encode
from consumers.metrics.encode import Cell, EncodedBatch, Encoder
from servers.messages import router_line


def lines(*texts: str) -> list[RouterLine]:
    found = [parse(text) for text in texts]
    assert None not in found
    return [line for line in found if line]


def batch(*texts: str, admitted: Collection[str] = ()) -> EncodedBatch:
    return Encoder().encode(lines(*texts), admitted)


def times(service_ms: float, connect_ms: float) -> dict[Field, int]:
    return {bucket(service_ms) - BUCKET_SHIFT: 1, -1 - bucket(connect_ms) - BUCKET_SHIFT: 1}


def test_a_line_counts_for_all_that_it_says() -> None:
    found = batch(router_line(service_ms=30, connect_ms=2, bytes=7, status=404, method="POST"))
    assert found.count([0]) == Cell([0], {"n": 1, "b": 7, "s404": 1, "mPOST": 1, **times(30, 2)})


def test_a_line_with_a_code_counts_for_it_too() -> None:
    found = batch(router_line(service_ms=30, connect_ms=2, bytes=7, code="H12"), admitted={"H12"})
    assert found.count([0]).counts == {"n": 1, "b": 7, "s200": 1, "mGET": 1, "cH12": 1, **times(30, 2)}


def test_a_line_that_says_nothing_is_a_request_of_no_bytes() -> None:
    found = batch("path=/")
    assert found.count([0]).counts == {"n": 1, "b": 0}
    added = found.totals(found.count([0]))
    assert (added.counts, added.maxima, added.times) == ({TOTALS_HASH: {"count": 1, "bytes": 0}}, {}, {})
    assert added.bounded == {":dynos": {}, ":hosts": {}}


def test_a_batch_without_lines_is_empty() -> None:
    found = batch()
    assert found.fields == []
    assert [column for _, column in found.names] == [[], []]


def test_a_code_that_is_not_admitted_counts_with_the_others() -> None:
    texts = [router_line(code=code) for code in ("H12", "H10", "H99", "")]
    counts = batch(*texts, admitted={"H12"}).count([0, 1, 2, 3]).counts
    assert {field: count for field, count in counts.items() if str(field).startswith("c")} == {
        "cH12": 1,
        "c(other)": 2,
    }


def test_a_cell_counts_the_lines_at_its_places() -> None:
    found = batch(*(router_line(bytes=size, status=200 + size) for size in range(5)))
    cell = found.count([1, 3, 4])
    assert (cell.places, cell.counts["n"], cell.counts["b"]) == ([1, 3, 4], 3, 8)
    assert {field for field in cell.counts if str(field).startswith("s")} == {"s201", "s203", "s204"}


@pytest.mark.parametrize("lines_a_cell", [1, 2, 100])
def test_the_sum_of_cells_is_the_cell_of_all_their_lines(lines_a_cell: int) -> None:
    texts = [
        router_line(status=200 + at % 3, service_ms=at % 7 + 1, bytes=at) for at in range(3 * lines_a_cell)
    ]
    found = batch(*texts)
    places = [list(range(at * lines_a_cell, (at + 1) * lines_a_cell)) for at in range(3)]
    cells = [found.count(some) for some in places]
    before = [dict(cell.counts) for cell in cells]
    assert found.sum(cells) == found.count(list(range(3 * lines_a_cell)))
    assert [cell.counts for cell in cells] == before
    assert found.sum(cells[1:2]) == cells[1]
    assert found.sum(cells[:2]) == found.count(list(range(2 * lines_a_cell)))


def test_totals_hold_counts_sums_maxima_and_names() -> None:
    found = batch(
        router_line(service_ms=20, connect_ms=1, dyno="web.1", host="a.example", status=200, code="H12"),
        router_line(service_ms=50.25, connect_ms=4, dyno="web.2", host="a.example", status=503),
        router_line(service_ms=30, connect_ms=None, dyno="", host="b.example", status=200),
        router_line(service_ms=9_000, connect_ms=9_000, dyno="web.9", host="c.example"),
        admitted={"H12"},
    )
    added = found.totals(found.count([0, 1, 2]))
    assert added.counts == {
        TOTALS_HASH: {"count": 3, "bytes": 39, "m:GET": 3, "c:H12": 1},
        "::statuses": {"200": 2, "503": 1},
        ":service": {str(bucket(ms)): 1 for ms in (20, 50.25, 30)},
        ":connect": {str(bucket(ms)): 1 for ms in (1, 4)},
    }
    assert added.times == {"::service": (100_250, 3), "::connect": (5_000, 2)}
    assert added.maxima == {"max_service": 50.25, "max_connect": 4.0}
    assert added.bounded == {
        ":dynos": {"web.1": 1, "web.2": 1},
        ":hosts": {"a.example": 2, "b.example": 1},
    }
    assert added.windows == []


@pytest.mark.parametrize(
    ("sent", "microseconds"), [("1.0006ms", 1_001), ("1.0004ms", 1_000), ("0.0006ms", 1)]
)
def test_a_time_counts_to_the_nearest_microsecond(sent: str, microseconds: int) -> None:
    found = batch(f"path=/ service={sent}")
    assert found.totals(found.count([0])).times == {"::service": (microseconds, 1)}


def test_names_that_no_window_has_and_no_bound_are_in_the_totals_with_their_prefix() -> None:
    names = Names("clients", "", ":clients", "fwd", prefix="f:")
    found = EncodedBatch(fields=[(), (), ()], amounts=[], names=[(names, ["a", "", "a"])], times=[])
    assert found.totals(Cell([0, 1, 2], {})).counts == {":clients": {"f:a": 2}}


@pytest.mark.parametrize(
    ("hosts", "counted"),
    [
        ("ab", {"a": 1, "b": 1}),
        ("aabb", {"a": 2, "b": 2}),
        ("abcca", {"a": 2, "b": 1, "(other)": 2}),
        ("abcda", {"a": 2, "b": 1, "(other)": 2}),
    ],
)
def test_a_batch_sends_so_many_names_and_counts_the_others_together(
    hosts: str, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, "NAMES_SENT_MAX", 2)
    found = batch(*(router_line(host=host) for host in hosts))
    assert found.totals(found.count(list(range(len(hosts))))).bounded[":hosts"] == counted


def test_what_is_remembered_is_bounded_and_changes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "CACHED_VALUES", 3)
    read: list[str] = []

    def upper(text: str) -> str:
        read.append(text)
        return text.upper()

    cache = encode._Cache(upper)
    assert cache.all("abcabc") == list("ABCABC")
    assert read == list("abc")
    assert cache.all("dd") == list("DD")
    assert dict(cache) == {"d": "D"}
    assert cache.all("a") == ["A"]
    assert read == list("abcda")


def test_an_unusual_line_counts_for_what_it_was() -> None:
    found = Encoder().encode(
        lines(
            router_line(service_ms=30, connect_ms=2, bytes=7, code="H18"),
            router_line(service_ms=30, connect_ms=2, bytes=7, status=499),
            router_line(service_ms=30, connect_ms=2, bytes=7, status=503, code="H27"),
            router_line(service_ms=60_000, connect_ms=2, bytes=7, status=101),
            router_line(service_ms=30, connect_ms=2, bytes=7),
        ),
        {"H18", "H27"},
        {0: False, 1: False, 2: False, 3: True},
    )
    usual: dict[Field, int] = {"n": 1, "b": 7, "mGET": 1}
    wanted: list[dict[Field, int]] = [
        {**usual, "s200": 1, "cH18": 1, "f": 1, **times(30, 2)},
        {**usual, "s499": 1, "a": 1, **times(30, 2)},
        # A status of 5xx and the code: versions before would find two failures.
        {**usual, "s503": 1, "cH27": 1, "a": 1, "g": 2, **times(30, 2)},
        {**usual, "s101": 1, "w": 1, f"l{bucket(60_000)}": 1},
        {**usual, "s200": 1, **times(30, 2)},
    ]
    assert [found.count([place]).counts for place in range(5)] == wanted
    added = found.totals(found.count([0, 1, 2, 3, 4]))
    assert added.times["::service"] == (120_000, 4)
    assert added.maxima == {"max_service": 30, "max_connect": 2, "max_lifetime": 60_000}
    assert added.counts[TOTALS_HASH] == {
        **{"count": 5, "bytes": 35, "m:GET": 5, "c:H18": 1, "c:H27": 1},
        **{"errors_added": 1, "errors_removed": 2, "aborted": 2, "connections": 1},
    }
