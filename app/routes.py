"""Routes: the template of a path, so that `/users/42` and `/users/77` are one row.

The user's own rules come first (YAML list `routes:`, rails-style `/users/:name/posts/*rest`,
first match wins), then the automatic ones, segment by segment. In `raw` mode a path is its own
route, as in the talk's demo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.errors import BadSettings
from app.masking import safe_repr
from app.paths import by_path, literal, utf8
from app.router_line import RouterLine, path_only

if TYPE_CHECKING:
    from app.settings import Settings

MAX_ROUTE_CHARS = 200
"""Longer routes are cut: a field of a Redis hash, not a place to keep 8 KB of a scanner's path."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?(?:[T_].*)?")
_NUMBER = re.compile(r"\d+")
_NUMBER_AND_NAME = re.compile(r"\d+-.+")
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{8,}|[0-9a-f]{16,}", re.IGNORECASE)
_TOKEN = re.compile(r"(?=[^0-9]*\d)[A-Za-z0-9_\-.~=+%:]{20,}")
_EXTENSION = re.compile(r"(.+)(\.[A-Za-z][A-Za-z0-9]{0,4})")
_PLAIN = re.compile(r"[A-Za-z_\-]{1,19}(?:\.[A-Za-z][A-Za-z0-9]{0,4})?")


def route_namer(settings: Settings) -> Callable[[RouterLine], str]:
    """The function from a line to its route, which is empty without a path. Raises BadSettings."""
    if settings.route_templates == "raw":
        return lambda line: utf8(path_only(line.path))
    rules = compile_rules(settings.route_rules)
    return by_path(lambda path: template(path, rules))


RoutePattern = tuple[re.Pattern[str], str]


def compile_rules(patterns: Sequence[str], key: str = "routes") -> list[RoutePattern]:
    """(regex, route) of each pattern of the YAML list `key`; `:name` is a segment or part of one, `*name` at
    the end is the rest. A regex is for `fullmatch` with a path, which takes linear time whatever the path.
    A pattern with percent-escapes fits paths that have them, and decoded ones (app/paths.py).

    Raises BadSettings with every invalid pattern.
    """
    rules: list[RoutePattern] = []
    faults: list[str] = []
    for pattern in patterns:
        segments = pattern.split("/")
        if segments[0] != "" or len(segments) < 2:
            faults.append(f"{key}: {safe_repr(pattern)} must start with /")
        elif any(part.startswith("*") for part in segments[:-1]):
            faults.append(f"{key}: {safe_repr(pattern)} may have a *rest only at its end")
        else:
            plain = "/".join(_segment_regex(segment, str) for segment in segments)
            regex = "/".join(_segment_regex(segment, literal) for segment in segments)
            rules.append((re.compile(regex if regex == plain else f"(?:{plain}|{regex})"), pattern))
    if faults:
        raise BadSettings(faults)
    return rules


def _segment_regex(segment: str, spelling: Callable[[str], str]) -> str:
    """`spelling` gives the form in which the pattern's own text stands in a path. A name is one character or
    more, none of them `/`. Which of several splits is taken does not matter, because only match or no match
    counts: so each name ends for good where the text that follows it is first found (an atomic group), and
    the time is proportional to the path's length."""
    if segment.startswith("*"):
        return "(?s:.*)"
    parts = re.split(r"(:[A-Za-z_]\w*)", segment)  # text, name, text, ..., name, text
    parts[::2] = map(spelling, parts[::2])
    regex = re.escape(parts[0])
    last = len(parts) - 1
    for at in range(2, len(parts), 2):
        text = re.escape(parts[at])
        if at < last:
            regex += f"(?>[^/]+?{text})"
        elif text:
            # The last text has to stand at the segment's end, not where it is first found.
            regex += rf"(?>[^/]+?(?={text}(?:/|\Z))){text}"
        else:
            regex += "[^/]++"
    return regex


def template(path: str, rules: Sequence[RoutePattern] = ()) -> str:
    """The route of a decoded path: by the first rule that matches all of it, else segment by segment."""
    for regex, route in rules:
        if regex.fullmatch(path):
            return route
    named = "/".join(_segment(segment) for segment in path.split("/"))
    return named if len(named) <= MAX_ROUTE_CHARS else named[:MAX_ROUTE_CHARS] + "..."


def _segment(segment: str) -> str:
    if not segment or _PLAIN.fullmatch(segment):
        return segment
    # An id with an extension (`/users/42.json`) keeps the extension: it is another action.
    if (dotted := _EXTENSION.fullmatch(segment)) and (kind := _kind(dotted[1])):
        return kind + dotted[2]
    return _kind(segment) or segment


def _kind(segment: str) -> str:
    """`:id` and the like for what changes from request to request; empty for a name."""
    if _UUID.fullmatch(segment):
        return ":uuid"
    if _NUMBER.fullmatch(segment):
        return ":id"
    if _DATE.fullmatch(segment):
        return ":date"
    if _NUMBER_AND_NAME.fullmatch(segment):
        return ":id"
    if _HEX.fullmatch(segment):
        return ":hex"
    if _TOKEN.fullmatch(segment):
        return ":token"
    return ""
