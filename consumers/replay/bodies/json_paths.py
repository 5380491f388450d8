"""Compares JSON by the paths of its keys. Pure; without recursion, because the nesting is a stranger's.

Objects are compared by key, whatever the order, and arrays by index. Numbers are compared by value: 1 is 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from consumers.replay.bodies.differences import Differences, Path
from consumers.replay.bodies.names import ANY_KEY, joined, key_name

NODES_MAX = 10_000
"""Values that differ, and those around them. A body of 256 KB may have 130,000 values."""
DEPTH_MAX = 100
MAP_KEYS = 50
"""An object with more keys is a map: its keys are data, so they are no part of a name."""
ITEMS = "[]"
"""In a name: each item of an array."""

_Names = tuple[str, ...]
_Pair = tuple[Path, _Names, Any, Any]


def compare_json(first: Any, other: Any, top: str = "body") -> Differences:
    """Where two parsed documents differ. `top`: the name of the whole."""
    return _Comparison(top).compare(first, other)


class _Comparison:
    """One comparison. A container is left for the ones in it, and continued when they are compared."""

    def __init__(self, top: str) -> None:
        self._found = Differences()
        self._open: list[Iterator[_Pair]] = []
        self._top = top
        self._names: dict[_Names, str] = {}

    def compare(self, first: Any, other: Any) -> Differences:
        self._value((), (), first, other)
        left = NODES_MAX
        while self._open:
            pair = next(self._open[-1], None)
            if pair is None:
                self._open.pop()
                continue
            if not left:
                self._found.is_cut = True
                break
            left -= 1
            self._value(*pair)
        return self._found

    def _objects(
        self, path: Path, names: _Names, one: dict[str, Any], two: dict[str, Any]
    ) -> Iterator[_Pair]:
        """The values that may differ, by key."""
        is_map = len(one) > MAP_KEYS or len(two) > MAP_KEYS
        for key, value in one.items():
            if key in two and not _is_same(value, found := two[key]):
                yield (*path, key), (*names, ANY_KEY if is_map else key), value, found
        if one.keys() == two.keys():
            return
        for how, has, lacks in (("missing", one, two), ("new", two, one)):
            alone = [key for key in has if key not in lacks]
            self._found.is_cut = self._found.is_cut or len(alone) > NODES_MAX
            for key in alone[:NODES_MAX]:
                name = self._name((*names, ANY_KEY if is_map else key))
                self._found.add((*path, key), how, f"{name} ({how})", closes=True)

    def _arrays(self, path: Path, names: _Names, one: list[Any], two: list[Any]) -> Iterator[_Pair]:
        """The values that may differ, by index."""
        names = (*names, ITEMS)
        if len(one) != len(two):
            self._found.add(path, "length", f"{self._name(names)} (length)")
            self._found.closed.update((*path, index) for index in range(len(two), len(one)))
        for index, (value, found) in enumerate(zip(one, two, strict=False)):
            if not _is_same(value, found):
                yield (*path, index), names, value, found

    def _value(self, path: Path, names: _Names, one: Any, two: Any) -> None:
        if _kind(one) != _kind(two):
            self._found.add(path, "type", f"{self._name(names)} (type)", closes=True)
        elif not isinstance(one, dict | list):
            if one != two:
                self._found.add(path, "value", self._name(names))
        elif len(path) >= DEPTH_MAX:
            self._found.is_cut = True
        elif isinstance(one, dict):
            self._open.append(self._objects(path, names, one, two))
        else:
            self._open.append(self._arrays(path, names, one, two))

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
