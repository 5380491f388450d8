"""Compares JSON by the paths of its keys. Pure; without recursion, because the nesting is a stranger's.

Objects are compared by key, whatever the order, and arrays by index. Numbers are compared by value: 1 is 1.0.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import orjson

from consumers.replay.bodies.differences import Differences, Path
from consumers.replay.bodies.names import ANY_KEY, joined, key_name

NODES_MAX = 10_000
"""Values that are compared. A body of 256 KB may have 130,000."""
DEPTH_MAX = 100
MAP_KEYS = 50
"""An object with more keys is a map: its keys are data, so they are no part of a name."""
ITEMS = "[]"
"""In a name: each item of an array."""

_Names = tuple[str, ...]


def compare_json(first: Any, other: Any, top: str = "body") -> Differences:
    """Where two parsed documents differ. `top`: the name of the whole."""
    return _Comparison(top).compare(first, other)


class _Comparison:
    """One comparison: containers wait until they are compared; single values are compared at once."""

    def __init__(self, top: str) -> None:
        self._found = Differences()
        self._waiting: list[tuple[Path, _Names, Any, Any]] = []
        self._top = top
        self._names: dict[_Names, str] = {}
        self._nodes_left = NODES_MAX

    def compare(self, first: Any, other: Any) -> Differences:
        self._value((), (), first, other)
        while self._waiting and self._nodes_left > 0:
            path, names, one, two = self._waiting.pop()
            if len(one) > self._nodes_left:
                self._found.is_cut = True
            if isinstance(one, dict):
                self._objects(path, names, one, two)
            else:
                self._arrays(path, names, one, two)
            self._nodes_left -= len(one)
        self._found.is_cut = self._found.is_cut or bool(self._waiting)
        return self._found

    def _objects(self, path: Path, names: _Names, one: dict[str, Any], two: dict[str, Any]) -> None:
        is_map = len(one) > MAP_KEYS or len(two) > MAP_KEYS
        for key, value in islice(one.items(), self._nodes_left):
            if key in two and not _is_same(value, found := two[key]):
                self._value((*path, key), (*names, ANY_KEY if is_map else key), value, found)
        if one.keys() == two.keys():
            return
        for how, has, lacks in (("missing", one, two), ("new", two, one)):
            for key in islice(has, self._nodes_left):
                if key not in lacks:
                    name = self._name((*names, ANY_KEY if is_map else key))
                    self._found.add((*path, key), how, f"{name} ({how})", closes=True)

    def _arrays(self, path: Path, names: _Names, one: list[Any], two: list[Any]) -> None:
        names = (*names, ITEMS)
        for index, (value, found) in enumerate(islice(zip(one, two, strict=False), self._nodes_left)):
            if not _is_same(value, found):
                self._value((*path, index), names, value, found)
        if len(one) != len(two):
            self._found.add(path, "length", f"{self._name(names)} (length)")
            self._found.closed.update((*path, index) for index in range(len(two), len(one)))

    def _value(self, path: Path, names: _Names, one: Any, two: Any) -> None:
        if _kind(one) != _kind(two):
            self._found.add(path, "type", f"{self._name(names)} (type)", closes=True)
        elif not isinstance(one, dict | list):
            if one != two:
                self._found.add(path, "value", self._name(names))
        elif len(path) >= DEPTH_MAX:
            self._found.is_cut = True
        else:
            self._waiting.append((path, names, one, two))

    def _name(self, names: _Names) -> str:
        if names not in self._names:
            named = [name if name in (ITEMS, ANY_KEY) else key_name(name) for name in names]
            self._names[names] = joined([self._top, *named])
        return self._names[names]


def _is_same(one: Any, two: Any) -> bool:
    """Whether two values are the same for certain; most are, and need no closer look."""
    kind = type(one)
    if kind is not type(two):
        return False
    if kind is not dict and kind is not list:
        return bool(one == two)
    if len(one) != len(two):
        return False
    try:
        # Not `==`, for which 1 is True.
        return orjson.dumps(one) == orjson.dumps(two)
    except TypeError:  # Nested too deep for orjson.
        return False


def _kind(value: Any) -> type:
    """What the value is in JSON, which has one kind of number."""
    return float if type(value) is int else type(value)
