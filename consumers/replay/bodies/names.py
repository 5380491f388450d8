"""The names under which differences are counted and shown. Pure.

A name must not hold a value: keys of a map may be ids, addresses or tokens of users. Names must be few, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.escaping import escaped
from app.templates import automatic

KEY_MAX_CHARS = 40
NAME_MAX_CHARS = 120
ANY_KEY = "*"

_PLAIN = re.compile(r"[A-Za-z_$][a-z_]{0,11}").fullmatch
_HEX_PART = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8,}(?![0-9A-Za-z])").search
"""Eight or more hex digits are an id, also where they look like a word and a number (`session-eabbfe38`)."""


def key_name(key: str) -> str:
    """The name of one key of a JSON object: `:uuid`, `:email` and the like for one that is an id."""
    if _PLAIN(key):
        return key
    if len(key) > KEY_MAX_CHARS or "/" in key or "@" in key or not key.strip():
        return ANY_KEY
    name = automatic(f"/{key}")[1:]
    return ":token" if _HEX_PART(name) else escaped(name)


def joined(parts: Iterable[str]) -> str:
    """The parts with dots between them, `[]` without; the middle of a long name is left out."""
    name = ""
    for part in parts:
        name += part if part == "[]" or not name else f".{part}"
    if len(name) > NAME_MAX_CHARS:
        half = NAME_MAX_CHARS // 2 - 2
        name = f"{name[:half]}...{name[-half:]}"
    return name
