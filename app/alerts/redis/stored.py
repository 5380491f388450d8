"""Dataclasses as JSON in Redis, and back. While an upgrade is under way, processes of two versions read what
the other wrote: fields that are not known are skipped, those that are missing have their defaults. Pure."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, cast

import orjson

Stored = TypeVar("Stored")


def encoded(value: object) -> str:
    """JSON of a dataclass, or of anything that JSON has."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not stored")


def decoded(kind: type[Stored], text: bytes | str | None) -> Stored | None:
    """The dataclass; None where it is not there, or cannot be one (a later version's, or somebody else's)."""
    if text is None:
        return None
    try:
        return cast(Stored, _reader(cast(Any, kind))(orjson.loads(text)))
    except (ValueError, TypeError):  # orjson's own error is a ValueError.
        return None


def fields_of(kind: type[Any], text: bytes | str | None, names: Collection[str]) -> dict[str, Any]:
    """Those of these fields that are there and can be read."""
    try:
        found = orjson.loads(text or "{}")
    except ValueError:
        return {}
    values = {}
    for field in _fields(kind):
        if field.name in names and isinstance(found, dict) and field.name in found:
            with suppress(ValueError, TypeError):
                values[field.name] = field.read(found[field.name])
    return values


Read = Callable[[Any], Any]
"""Makes a value of what JSON has. Raises ValueError, TypeError."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    read: Read
    is_needed: bool


def _fields(kind: type[Any]) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Field(one.name, _reader(hints[one.name]), one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    )


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Read:
    """What reads values of a type. A board has thousands of them, so types are looked into once."""
    if is_dataclass(kind):
        return _dataclass_reader(cast(type[Any], kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _tuple_reader(_reader(arguments[0]))
    if origin is Mapping:
        return _mapping_reader(_reader(arguments[1]))
    if origin in (types.UnionType, typing.Union):
        other = _reader(next(one for one in arguments if one is not types.NoneType))
        return _optional_reader(other) if types.NoneType in arguments else other
    if origin is Literal:
        return _literal_reader(frozenset(arguments))
    return _float if kind is float else _plain_reader(kind)


def _dataclass_reader(kind: type[Any]) -> Read:
    known = _fields(kind)

    def read(found: Any) -> Any:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        values = {}
        for field in known:
            if field.name in found:
                values[field.name] = field.read(found[field.name])
            elif field.is_needed:
                raise ValueError(f"{field.name} is missing")
        return kind(**values)

    return read


def _tuple_reader(of: Read) -> Read:
    def read(found: Any) -> Any:
        if not isinstance(found, list):
            raise ValueError("not a list")
        return tuple(map(of, found))

    return read


def _mapping_reader(of: Read) -> Read:
    def read(found: Any) -> Any:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return {name: of(item) for name, item in found.items()}

    return read


def _optional_reader(of: Read) -> Read:
    return lambda found: None if found is None else of(found)


def _literal_reader(words: frozenset[Any]) -> Read:
    def read(found: Any) -> Any:
        if found not in words:
            raise ValueError("a word that is not known")
        return found

    return read


def _float(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError("not a number")
    return float(found)


def _plain_reader(kind: type[Any]) -> Read:
    def read(found: Any) -> Any:
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise ValueError(f"not a {kind.__name__}")
        return found

    return read
