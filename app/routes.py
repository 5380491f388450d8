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
from app.templates import automatic

if TYPE_CHECKING:
    from app.settings import Settings


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
    return automatic(path)
