"""A figure is declared once: the rows of the schema, and two more that all else follows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from app.store.rows import pack
from app.store.schema import (
    BUCKET_SHIFT,
    FIGURES,
    TOTALS_HASH,
    Count,
    Figure,
    Names,
    Sketch,
    check,
    hashes_of,
    total_of_field,
)
from app.store.sums import Sums, sums_of, sums_of_totals
from servers.redis_server import RedisServer

ROOT = Path(__file__).parents[3]

TOYS = """
    Count("not_found", "x", total="not_found", columns=("status", "method"), read=_toy_not_found),
    Names("schemes", "y", TOTALS_HASH, "fwd", prefix="y:"),
    Sketch("response_size", "q", ":response_size", "bytes", _toy_size),
)
"""
FUNCTIONS = """
def _toy_not_found(status: str, method: str) -> int:
    return int(status == "404" and method == "GET")


def _toy_size(text: str) -> float | None:
    return float(text) if text.isdecimal() else None


CODES = """

PROGRAM = """
import json, sys
import redis
from app.settings import Settings
from app.store import queries
from app.store.apply import apply
from app.store.keys import ALL_ROUTES
from app.store.queries.spans import Span, plan
from app.store.queries.windows import bin_sums, route_sums
from app.store.queries.all_time import all_time
from app.cli.tables import facts
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from drain.app import create_app

url, now_s = sys.argv[1], int(sys.argv[2])
store = redis.Redis.from_url(url)
def message(number, status, size):
    line = (f'at=info method=GET path="/a" host=h request_id=r{number} fwd="http" dyno=web.1 '
            f'connect=1ms service=5ms status={status} bytes={size}')
    return {"timestamp": "broken", "msg": line, "id": f"f.{number}", "app": "", "received_at": now_s * 1000}
batch = [message(n, 404 if n < 3 else 200, 1000 * (n + 1)) for n in range(10)]
claim = {"kind": "offsets", "positions": "p", "spans": [[0, 0, 1, False]], "seen": []}
apply(store, "g", claim, Aggregator(lambda line: line.path, Admission(store, 9)).changes(batch, now_s), 9)
(span,) = route_sums(store, "", [ALL_ROUTES], plan(Span(3600), now_s + 20, 30)).values()
totals, maxima = all_time(store, "", [ALL_ROUTES])[ALL_ROUTES]
web = create_app(Settings.load({"REDIS_URL": url, "DRAIN_AUTH": "none"})).test_client()
def told(sums):
    return [sums.counts, sums.names["schemes"], sum(sums.sketches["response_size"].values())]
table = queries.routes_table(store, "", None, now_s)
print(json.dumps({
    "windows": told(span.total),
    "totals": [*told(totals), maxima],
    "api": web.get("/api/routes?window=5m").json["total"],
    "openapi": web.get("/api/openapi.json").json["components"]["schemas"]["Figures"],
    "csv": web.get("/api/routes.csv?window=ever").text.splitlines(),
    "report": dict(facts(table.total)),
}))
"""


@pytest.fixture(scope="module")
def with_toys(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> dict[str, Any]:
    """What a copy with three more rows in its schema, and no other change, counts and shows."""
    copy = tmp_path_factory.mktemp("toys")
    for folder in ("app", "consumers", "drain"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "app" / "store" / "schema.py"
    head, end, tail = path.read_text("utf-8").partition(")\n\nCOUNTS = ")
    changed = head.replace("\nCODES = ", FUNCTIONS, 1) + TOYS.lstrip("\n") + end[1:] + tail
    path.write_text(changed, "utf-8")
    with redis.Redis.from_url(redis_server.url) as store:
        store.flushall()
        now_s = store.time()[0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, redis_server.url, str(now_s)],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_a_new_count_is_in_windows_and_totals(with_toys: dict[str, Any]) -> None:
    assert with_toys["windows"][0] == {"requests": 10, "bytes": 55_000, "not_found": 3}
    counted = {name: count for name, count in with_toys["totals"][0].items() if count}
    assert counted == {"requests": 10, "bytes": 55_000, "not_found": 3}


def test_new_names_and_a_new_sketch_are_in_windows_and_totals(with_toys: dict[str, Any]) -> None:
    assert with_toys["windows"][1:] == [{"http": 10}, 10]
    assert with_toys["totals"][1:3] == [{"http": 10}, 10]
    assert with_toys["totals"][3] == {"service": 5.0, "connect": 1.0, "response_size": 10_000.0}


def test_new_figures_are_in_the_api_and_its_description(with_toys: dict[str, Any]) -> None:
    total = with_toys["api"]
    assert total["not_found"] == 3
    assert total["schemes"] == {"http": 10}
    assert total["response_size"]["p50"] == pytest.approx(5_000, rel=0.01)
    described = with_toys["openapi"]
    assert described["properties"].keys() == total.keys() == set(described["required"])
    assert described["properties"]["response_size"] == {"$ref": "#/components/schemas/Latency"}


def test_new_figures_are_the_last_columns_of_the_csv(with_toys: dict[str, Any]) -> None:
    heads, row = (line.strip('"').split('","') for line in with_toys["csv"])
    assert heads[-8:] == [
        *("to", "not_found", "schemes"),
        *(f"response_size_{share}_ms" for share in ("p50", "p90", "p95", "p99", "max")),
    ]
    assert row[-7:-5] == ["3", "http:10"]
    assert float(row[-1]) == 10_000


def test_new_figures_are_in_the_report(with_toys: dict[str, Any]) -> None:
    assert with_toys["report"]["not_found"] == "3"
    assert with_toys["report"]["response_size"].endswith("longest 10.0 s")


# --- codes ----------------------------------------------------------------------------------


def test_fields_of_a_window_are_told_apart() -> None:
    # All forms that windows of the first version have.
    window = {"n": 3, "b": 70, "s200": 2, "s(other)": 1, "mGET": 3, "cH12": 1, "-143": 2, "127": 1, "-444": 3}
    sums = sums_of(window)
    assert sums.counts == {"requests": 3, "bytes": 70}
    assert sums.names == {
        "statuses": {"200": 2, "(other)": 1},
        "methods": {"GET": 3},
        "codes": {"H12": 1},
    }
    assert sums.service == {300: 2, 570: 1}
    assert sums.connect == {0: 3}


def test_a_code_of_a_later_version_is_passed_over() -> None:
    assert sums_of({"n": 1, "z9": 4}).counts == {"requests": 1}


def test_the_first_two_sketches_have_whole_numbers_and_others_a_prefix() -> None:
    service, connect, lifetime = (figure for figure in FIGURES if isinstance(figure, Sketch))
    further = Sketch("queue", "q", ":queue", "service", lambda text: 1.0)
    assert [sketch.field(300) for sketch in (service, connect, lifetime, further)] == [
        *(-143, -744),
        *("l300", "q300"),
    ]
    assert total_of_field(0 - BUCKET_SHIFT) == (":service", "0")
    assert total_of_field(-1 - BUCKET_SHIFT) == (":connect", "0")
    with pytest.raises(ValueError, match="no figure has the field 'z9'"):
        total_of_field("z9")


def test_the_totals_of_a_row_are_the_same_sums_as_its_windows() -> None:
    window = {"n": 3, "b": 70, "s200": 2, "mGET": 3, "cH12": 1, "-143": 2, "-444": 3}
    totals: dict[str, dict[str, int]] = {}
    for name, count in window.items():
        hash_name, field = total_of_field(name)
        totals.setdefault(hash_name, {})[field] = count
    assert set(totals) == {TOTALS_HASH, "::statuses", ":service", ":connect"}
    for sums in (sums_of(window), sums_of_totals(totals)):
        assert (sums.requests, sums.bytes) == (3, 70)
        assert (sums.statuses, sums.methods, sums.codes) == ({"200": 2}, {"GET": 3}, {"H12": 1})
        assert (sums.service, sums.connect) == ({300: 2}, {0: 3})


def test_a_row_without_anything_has_sums_of_nothing() -> None:
    for sums in (sums_of({}), sums_of_totals({}), Sums()):
        assert (sums.requests, sums.bytes) == (0, 0)
        assert (sums.statuses, sums.methods, sums.codes, sums.service, sums.connect) == ({}, {}, {}, {}, {})


def test_each_hash_of_totals_is_named_once() -> None:
    assert hashes_of(FIGURES) == [
        TOTALS_HASH,
        "::statuses",
        ":service",
        ":connect",
        ":dynos",
        ":hosts",
        ":lifetime",
    ]


@pytest.mark.parametrize(
    ("column", "text", "counted"),
    [
        ("bytes", "9" * 11, 10**11 - 1),
        ("bytes", "0" * 11, 0),
        ("bytes", "1" * 12, 0),
        ("bytes", "-1", 0),
        ("bytes", "", 0),
        ("status", "100", "100"),
        ("status", "999", "999"),
        ("status", "099", "(other)"),
        ("status", "", ""),
        ("method", "QUERY", "QUERY"),
        ("method", "get", "(other)"),
        ("method", "", ""),
        ("dyno", "w" * 64, "w" * 64),
        ("dyno", "w" * 65, "w" * 64),
        ("host", "h" * 255, "h" * 255),
        ("host", "h" * 256, "h" * 255),
        ("service", "999999999.999ms", 999_999_999.999),
        ("service", "1000000000ms", None),
        ("service", "", None),
        ("connect", "0ms", 0.0),
    ],
)
def test_what_a_figure_takes_from_a_line_is_bounded(column: str, text: str, counted: Any) -> None:
    (read,) = [
        figure.read
        for figure in FIGURES
        if not (isinstance(figure, (Count, Sketch)) and figure.is_rare)
        and column in (figure.columns if isinstance(figure, Count) else (figure.column,))
    ]
    assert read(text) == counted


def test_figures_without_a_code_may_be_several_and_what_follows_them_is_checked() -> None:
    some: list[Figure] = [
        Names("a", "", ":a", "fwd"),
        Names("b", "", ":b", "fwd"),
        Count("c", "c", total="c"),
    ]
    check(some)
    with pytest.raises(ValueError, match=r"^two figures are named a$"):
        check([*some, Names("a", "", ":c", "fwd")])
    with pytest.raises(ValueError, match=r"^d: its code must be one character that no other figure has$"):
        check([*some, Count("d", "c", total="d")])
    with pytest.raises(ValueError, match=r"^d: the whole numbers of a window are service and connect$"):
        check([*some, Sketch("d", "-", ":d", "fwd", lambda text: 1.0)])


@pytest.mark.parametrize(
    ("figure", "fault"),
    [
        (Count("requests", "x", total="x"), "two figures are named requests"),
        (Count("more", "n", total="x"), "one character that no other figure has"),
        (Count("more", "nn", total="x"), "one character"),
        (Count("more", "", total="x"), "one character"),
        (Sketch("more", "7", ":more", "bytes", lambda text: 1.0), "one character"),
        (Sketch("more", "+", ":more", "bytes", lambda text: 1.0), "one character that no other"),
        (Names("more", "s", ":more", "fwd"), "no other figure has"),
    ],
)
def test_figures_that_a_reader_could_not_tell_apart_are_refused(figure: Figure, fault: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        check((*FIGURES, figure))


def test_windows_are_packed_as_redis_packs_them(store: redis.Redis) -> None:
    numbers = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53]
    numbers += [-1, -32, -33, -128, -129, -32_768, -32_769]
    for number in numbers:
        for name in ("n", "s(other)", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "é"):
            _same(store, {name: number})
        if abs(number) < 2**31:
            _same(store, {"n": 1, number: 1})
    for size in (1, 15, 16, 300):
        counts: dict[Any, int] = {f"s{number}": number for number in range(size)}
        assert store.eval(_UNPACK, 0, pack(counts)) == str(sum(counts.values())).encode()


def _same(store: redis.Redis, counts: dict[Any, int]) -> None:
    again = "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))"
    assert sorted(bytes(store.eval(again, 0, pack(counts)))) == sorted(pack(counts))


_UNPACK = """
local sum = 0
for _, count in pairs(cmsgpack.unpack(ARGV[1])) do sum = sum + count end
return string.format('%.0f', sum)
"""
