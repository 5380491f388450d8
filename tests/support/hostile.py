"""Names that attack what shows them, and how to see whether they did."""

from __future__ import annotations

import re

HOSTILE = [
    "/esc\x1b[2J\x1b]0;title\x07",
    "/c0\x00\x01\x08\x0b\x7f",
    "/tab\tx",
    "/c1\x9b31m\x85\x90",
    "/bidi\u202e\u2066\u200f\u061c\u2069txt",
    "/lines\u2028\u2029\ufeff",
    "/pipe|a\\|b\\\\|c",
    "/code`a``b`",
    "/<script>alert(1)</script>",
    "/![x](http://example.com/a.png)[y](javascript:1)",
    "=cmd|' /C calc'!A0",
    "/csv;=1+1;x",
    "/csv,=1+1,x",
    "@SUM(1+1)",
    "+1",
    "-1",
    " =1",
    "\t=1",
    "\r=1",
    '"=1',
    "'\"><img src=x onerror=alert(1)>",
    "${jndi:ldap://x}{{7*7}}%0a%s",
]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cells_at_any_separator(line: str) -> list[str]:
    """The cells of a line of CSV to a program that heeds no quotes and takes any separator for one."""
    return [cell.lstrip(' "') for cell in re.split(r"[,;|\t]", line)]


def pipes(line: str) -> tuple[int, int]:
    """Ends of cells in a row of Markdown, to a renderer that reads two backslashes as one, and to one that
    looks only at the character before a pipe."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)), len(re.findall(r"(?<!\\)\|", line))


def drives(text: str) -> set[str]:
    """The characters in it that a terminal might obey, line feeds aside."""
    return {char for char in text if not char.isprintable() and char != "\n"}
