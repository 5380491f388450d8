"""The path of a router line as the app reads it: without its query, percent-decoded. Pure functions.

The legacy router writes the path as the client sent it. Router 2.0 writes it decoded: seen for spaces, beside
the app's own log of the same request. Heroku documents neither; that Router 2.0 decodes every other escape
too, once, is a guess. Both forms become one text here, so that the same request has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from app.router_line import RouterLine, path_only

CACHED_PATHS = 20_000
CACHED_PATH_CHARS = 1_000
"""A scanner's endless paths empty a cache instead of filling the memory; longer paths are not cached."""

_KEPT = re.compile(r"%(2f|3f)", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_Found = TypeVar("_Found", str, bool)


def decoded_path(line: RouterLine) -> str:
    """The decoded path of a line. It is valid UTF-8 text without anything unprintable."""
    path = path_only(line.path)
    return printable(path) if line.is_router_2 else decoded(path)


def decoded(path: str) -> str:
    """A path as a client sends it, decoded once: `/caf%C3%A9` is `/café`.

    `%2F` and `%3F` stay, in capitals, because decoded they would separate segments or begin a query; that
    Router 2.0 decodes them cannot be undone. So does whatever decodes to something unprintable. `%25`
    becomes `%`, `%23` becomes `#`, and what is no escape (`100%`, `%zz`, `+`) stays as it is.
    """
    if "%" not in path:
        return printable(path)
    # Their own percent sign is escaped, so it is the only part of them that is decoded.
    kept = _KEPT.sub(lambda found: "%25" + found[1].upper(), path)
    return printable(_text(unquote_to_bytes(_bytes(kept))))


def printable(path: str) -> str:
    """The path with percent-escapes for everything that `str.isprintable` refuses, such as control
    characters, and U+FFFD for bytes that are not UTF-8 (lone surrogates, PEP 383)."""
    if path.isprintable():
        return path
    text = _text(_bytes(path))
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def literal(text: str) -> str:
    """Text of a pattern in the form that paths have here; without an escape it stays as it is."""
    return decoded(text) if _ESCAPE.search(text) else text


def by_path(of_path: Callable[[str], _Found]) -> Callable[[RouterLine], _Found]:
    """What `of_path` gives for a line's decoded path, cached by the path as the line has it."""
    usual: dict[str, _Found] = {}
    with_percent_sign_from_router_2: dict[str, _Found] = {}

    def of_line(line: RouterLine) -> _Found:
        path = line.path.partition("?")[0]  # as path_only, without the call
        # Without a percent sign a path means the same on both routers.
        known = with_percent_sign_from_router_2 if "%" in path and line.is_router_2 else usual
        found = known.get(path)
        if found is None:
            found = of_path(decoded_path(line))
            if len(path) <= CACHED_PATH_CHARS:
                if len(known) >= CACHED_PATHS:
                    known.clear()
                known[path] = found
        return found

    return of_line


def utf8(path: str) -> str:
    """The path as it is, with U+FFFD for bytes that are not UTF-8."""
    return path if path.isascii() else _text(_bytes(path))


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Half of a UTF-16 pair stands for no byte.
        return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    # As the drain decodes the lines it passes on.
    return raw.decode("utf-8", "replace")


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())
