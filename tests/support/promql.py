"""The names and labels that an expression of PromQL has in it. Not a parser: promtool checks the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = {
    "and",
    "or",
    "unless",
    "on",
    "ignoring",
    "by",
    "without",
    "group_left",
    "group_right",
    "offset",
    "bool",
}


@dataclass(frozen=True, slots=True)
class Selector:
    """A series that is asked for."""

    name: str
    labels: frozenset[str]
    """Those that it is chosen by."""


def selectors(expr: str) -> Iterator[Selector]:
    """Each series that an expression asks for."""
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", expr)
    bare = re.sub(r"\[[^]]*\]|\boffset\s+\w+", " ", bare)
    for found in re.finditer(r"(?<![\w:\"$.])([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?", _without_values(bare)):
        name, behind, matchers = found.groups()
        if behind != "(" and name not in WORDS:
            yield Selector(name, frozenset(re.findall(r"(\w+)\s*[=!]", matchers or "")))


def grouped_by(expr: str) -> set[str]:
    """The labels that it groups or joins by."""
    lists = re.findall(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", expr)
    return {label for found in lists for label in re.findall(r"\w+", found)}


def _without_values(expr: str) -> str:
    return re.sub(r'"[^"]*"', "", expr)
