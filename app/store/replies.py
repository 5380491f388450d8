"""Replies of Redis as typed values; redis-py leaves their types open.

Text that is not UTF-8 is read with U+FFFD in place of the bad bytes, everywhere: senders choose names, and a
bad one must not hide the others. Names are only shown; one that was read like this is not found if looked up
again, and counts as absent. A value that should be a number but is not raises ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import orjson

Name = TypeVar("Name")


def text(answer: Any) -> str:
    """A text; empty where there is none."""
    return bytes(answer).decode("utf-8", "replace") if answer is not None else ""


def texts(answer: Any) -> dict[str, str]:
    """A hash of texts."""
    found = cast(Mapping[bytes, bytes], answer)
    return {text(name): text(value) for name, value in found.items()}


def text_list(answer: Any) -> list[str]:
    """A list of texts, or the fields or values of a hash."""
    return [text(value) for value in cast(Sequence[bytes], answer)]


def number(answer: Any) -> int:
    """A whole number; 0 where there is none."""
    return int(answer or 0)


def counts(answer: Any) -> dict[str, int]:
    """A hash of whole numbers."""
    found = cast(Mapping[bytes, bytes], answer)
    return {text(name): int(value) for name, value in found.items()}


def sketch(answer: Any) -> dict[int, int]:
    """A hash of a sketch: bucket -> count, as in app/sketch.py."""
    found = cast(Mapping[bytes, bytes], answer)
    return {int(index): int(count) for index, count in found.items()}


def json_object(answer: Any) -> dict[str, Any]:
    """A JSON object made by a script."""
    return cast(dict[str, Any], orjson.loads(text(answer)))


def present(names: Sequence[Name], answer: Any) -> dict[Name, bytes]:
    """Which of these fields a hash has, with their values as they are: what HMGET answers."""
    found = cast(Sequence[bytes | None], answer)
    return {name: value for name, value in zip(names, found, strict=True) if value is not None}


def entries(answer: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    """Entries of a stream: (id, fields as they are, because they may hold any bytes)."""
    found = cast(Sequence[tuple[bytes, dict[bytes, bytes]]], answer)
    return [(text(entry_id), fields) for entry_id, fields in found]
