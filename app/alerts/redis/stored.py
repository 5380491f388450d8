"""Dataclasses as JSON in Redis, and back. While an upgrade is under way, processes of two versions read what
the other wrote: fields that are not known are skipped, those that are missing have their defaults. Pure."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Mapping
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
        return cast(Stored, _value(kind, orjson.loads(text)))
    except (ValueError, TypeError):  # orjson's own error is a ValueError.
        return None


def fields_of(kind: type[Any], text: bytes | str | None, names: Collection[str]) -> dict[str, Any]:
    """Those of these fields that are there and can be read."""
    try:
        found = orjson.loads(text or "{}")
    except ValueError:
        return {}
    values = {}
    for field in _fields(cast(Any, kind)):
        if field.name in names and isinstance(found, dict) and field.name in found:
            with suppress(ValueError, TypeError):
                values[field.name] = _value(field.kind, found[field.name])
    return values


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: Any
    is_needed: bool


@lru_cache(maxsize=64)
def _fields(kind: Any) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Field(one.name, hints[one.name], one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    )


def _value(kind: Any, found: Any) -> Any:
    """Raises ValueError, TypeError."""
    if is_dataclass(kind):
        return _of_dataclass(cast(type[Any], kind), found)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        if not isinstance(found, list):
            raise ValueError("not a list")
        return tuple(_value(arguments[0], item) for item in found)
    if origin is Mapping:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return {name: _value(arguments[1], item) for name, item in found.items()}
    if origin in (types.UnionType, typing.Union):
        if found is None and types.NoneType in arguments:
            return None
        return _value(next(one for one in arguments if one is not types.NoneType), found)
    if origin is Literal:
        if found not in arguments:
            raise ValueError("a word that is not known")
        return found
    if kind is float and isinstance(found, int):
        return float(found)
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise ValueError(f"not a {kind.__name__}")
    return found


def _of_dataclass(kind: type[Any], found: Any) -> Any:
    if not isinstance(found, dict):
        raise ValueError("not an object")
    values = {}
    for field in _fields(cast(Any, kind)):
        if field.name in found:
            values[field.name] = _value(field.kind, found[field.name])
        elif field.is_needed:
            raise ValueError(f"{field.name} is missing")
    return kind(**values)
