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

Decoder = Callable[[Any], Any]
"""From what JSON has to a value. Raises ValueError, TypeError."""


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
        return cast(Stored, _decoder(cast(Any, kind))(orjson.loads(text)))
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
                values[field.name] = field.decode(found[field.name])
    return values


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    decode: Decoder
    is_needed: bool


@lru_cache(maxsize=64)
def _fields(kind: Any) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Field(one.name, _decoder(hints[one.name]), one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    )


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> Decoder:
    if is_dataclass(kind):
        return _dataclass(cast(type[Any], kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _list(_decoder(arguments[0]))
    if origin is Mapping:
        return _mapping(_decoder(arguments[1]))
    if origin in (types.UnionType, typing.Union):
        return _optional(_decoder(next(one for one in arguments if one is not types.NoneType)))
    if origin is Literal:
        return _word(frozenset(arguments))
    return _number if kind is float else _plainly(kind)


def _dataclass(kind: type[Any]) -> Decoder:
    def decode(found: Any) -> Any:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        values = {}
        for field in _fields(cast(Any, kind)):
            if field.name in found:
                values[field.name] = field.decode(found[field.name])
            elif field.is_needed:
                raise ValueError(f"{field.name} is missing")
        return kind(**values)

    return decode


def _list(inner: Decoder) -> Decoder:
    def decode(found: Any) -> Any:
        if not isinstance(found, list):
            raise ValueError("not a list")
        return tuple([inner(item) for item in found])

    return decode


def _mapping(inner: Decoder) -> Decoder:
    def decode(found: Any) -> Any:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return {name: inner(item) for name, item in found.items()}

    return decode


def _optional(inner: Decoder) -> Decoder:
    return lambda found: None if found is None else inner(found)


def _word(words: frozenset[str]) -> Decoder:
    def decode(found: Any) -> Any:
        if found not in words:
            raise ValueError("a word that is not known")
        return found

    return decode


def _number(found: Any) -> float:
    if type(found) not in (int, float):
        raise ValueError("not a number")
    return float(found)


def _plainly(kind: type[Any]) -> Decoder:
    def decode(found: Any) -> Any:
        if type(found) is not kind:
            raise ValueError(f"not a {kind.__name__}")
        return found

    return decode
