"""JSON by the paths of its keys: what differs is named, in bounded time, and no value is in a name."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from consumers.replay.bodies.json_paths import DEPTH_MAX, compare_json
from consumers.replay.bodies.names import NAME_MAX_CHARS


def names(one: Any, two: Any) -> set[str]:
    return set(compare_json(one, two).names.values())


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, set()),
        ({"a": 1}, {"a": 1.0}, set()),
        ([[]], [[]], set()),
        ({"a": 1}, {"a": 2}, {"body.a"}),
        ({"a": 1}, {"a": True}, {"body.a (type)"}),
        ({"a": {"b": 0}}, {"a": {"b": False}}, {"body.a.b (type)"}),
        ({"a": 1}, {"a": "1"}, {"body.a (type)"}),
        ({"a": None}, {}, {"body.a (missing)"}),
        ({}, {"a": None}, {"body.a (new)"}),
        ({"a": None}, {"a": 0}, {"body.a (type)"}),
        ({"a": {}}, {"a": []}, {"body.a (type)"}),
        ({"a": {"b": 1}}, {"a": 1}, {"body.a (type)"}),
        (
            {"items": [{"price": 1, "name": "x"}, {"price": 2}]},
            {"items": [{"price": 1, "name": "x"}, {"price": 3}]},
            {"body.items[].price"},
        ),
        ({"items": [{"a": 1}, {}]}, {"items": [{}, {}]}, {"body.items[].a (missing)"}),
        ([[1, 2], [3]], [[1, 2], [4]], {"body[][]"}),
        ({"items": [1, 2]}, {"items": [1]}, {"body.items[] (length)"}),
        ({"items": [1, 2]}, {"items": [1, 3, 4]}, {"body.items[]", "body.items[] (length)"}),
        ({"größe": 1}, {"größe": 2}, {"body.größe"}),
        ("a", "b", {"body"}),
        (1, [1], {"body (type)"}),
    ],
)
def test_what_differs_is_named_by_its_path(one: Any, two: Any, expected: set[str]) -> None:
    assert names(one, two) == expected


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("price", "price"),
        ("createdAt", "createdAt"),
        ("8601b555-6a83-4c12-8269-97c8e32cdb22", ":uuid"),
        ("5170", ":id"),
        ("ana@example.com", "*"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", ":token"),
        ("a/b", "*"),
        ("\x1b[31m\u202e", "\\x1b[31m\\u202e"),
        ("k" * 41, "*"),
        ("", "*"),
    ],
)
def test_a_key_that_is_data_is_no_part_of_a_name(key: str, named: str) -> None:
    assert names({key: 1}, {key: 2}) == {f"body.{named}"}


def test_a_map_has_one_name_for_all_its_keys() -> None:
    users = {f"user{chr(97 + n % 26)}{chr(97 + n // 26)}": {"score": 1} for n in range(60)}
    changed = {name: {"score": 2} for name in users}
    assert names({"users": users}, {"users": changed}) == {"body.users.*.score"}
    assert names({"users": users}, {"users": {}}) == {"body.users.* (missing)"}


def test_a_name_is_never_long() -> None:
    one: Any = 1
    two: Any = 2
    for number in range(60):
        key = f"some_rather_long_key_{chr(97 + number % 26)}"
        one, two = {key: one}, {key: two}
    (name,) = names(one, two)
    assert len(name) <= NAME_MAX_CHARS
    assert name.startswith("body.some_rather")


@pytest.mark.parametrize("depth", [DEPTH_MAX - 1, DEPTH_MAX + 1, 1_000])
def test_nesting_has_a_limit(depth: int) -> None:
    one, two = (orjson.loads(b'{"a":' * depth + value + b"}" * depth) for value in (b"1", b"2"))
    found = compare_json(one, two)
    assert bool(found.names) == (depth < DEPTH_MAX)
    assert found.is_cut == (depth >= DEPTH_MAX)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([1] * 130_000, [2] * 130_000),
        ([{"a": n} for n in range(30_000)], [{"a": -n - 1} for n in range(30_000)]),
        ({f"k{n}": n for n in range(30_000)}, {f"j{n}": n for n in range(30_000)}),
    ],
)
def test_a_huge_document_is_compared_up_to_a_limit(one: Any, two: Any) -> None:
    started_s = time.process_time()
    found = compare_json(one, two)
    assert found.is_cut
    assert found.names
    assert time.process_time() - started_s < 2
