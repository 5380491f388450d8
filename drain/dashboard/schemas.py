"""JSON schemas of the dataclasses that the API sends, made from their fields, so that they fit."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.alerts import message
from drain.dashboard.endpoint import Schema

PLAIN: dict[object, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}

NAMES: Mapping[Any, str] = {message.Finding: "AlertFinding", message.Request: "AlertRequest"}
"""Of dataclasses whose own name another one has as well, or is too general for a document of everything."""


def ref(name: str) -> Schema:
    """Stands for the schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas_of(roots: Sequence[Any]) -> Schema:
    """Name -> schema, of these dataclasses and of those that they have in them."""
    schemas: Schema = {}
    kinds: dict[str, Any] = {}
    for root in roots:
        _add(root, schemas, kinds)
    return dict(sorted(schemas.items()))


def _add(kind: Any, schemas: Schema, kinds: dict[str, Any]) -> str:
    """Its name."""
    name = str(NAMES.get(kind, kind.__name__))
    if kinds.setdefault(name, kind) is not kind:
        raise TypeError(f"two dataclasses are named {name}")
    if name in schemas:
        return name
    schema = schemas[name] = {
        "type": "object",
        "description": inspect.getdoc(kind) or "",
        "required": [field.name for field in dataclasses.fields(kind)],
    }
    hints = typing.get_type_hints(kind)
    schema["properties"] = {
        field.name: _schema(hints[field.name], schemas, kinds) for field in dataclasses.fields(kind)
    }
    return name


def _schema(kind: Any, schemas: Schema, kinds: dict[str, Any]) -> Schema:
    if kind in PLAIN:
        return PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        return ref(_add(kind, schemas, kinds))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, tuple, Sequence):
        return {"type": "array", "items": _schema(arguments[0], schemas, kinds)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], schemas, kinds)}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_schema(part, schemas, kinds) for part in arguments]}
    raise TypeError(f"no schema for {kind}")
