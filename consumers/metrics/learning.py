"""Learned templates: where a parent has more children than a person reads, the rare ones are one row.

`/blog/a-post`, `/blog/another`, ... become `/blog/:name`. A learned template names one segment: any child of
`/blog` that has no row of its own is `:name`, and what follows it stays (`/blog/:name/comments`). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

CHILDREN_MAX = 50
"""So many children with few requests each are more than a person reads."""

TOP_CHILDREN_MAX = 200
"""The same at the top, whose names people know best."""

FEW_REQUESTS = 20
FEW_SHARE = 0.005
"""Few: at most FEW_REQUESTS, or this share of what the parent's children have together."""

NAME = ":name"


@dataclass(frozen=True, slots=True)
class Learned:
    """What a table of routes teaches: templates, and the routes that are to be merged into others."""

    templates: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    """Route -> the route that its row is merged into."""


def learn(
    requests: Mapping[str, int],
    *,
    known: Collection[str] = (),
    forgotten: Collection[str] = (),
    kept: Collection[str] = (),
) -> Learned:
    """What the routes of an app and their requests teach.

    `known`: templates that were learned before, whose parents take in every further child with few requests;
    `forgotten`: templates never to be learned; `kept`: routes that keep their rows.
    """
    learned = Learned()
    paths = [(route.split("/")[1:], route) for route in requests if route.startswith("/")]
    _walk("", paths, requests, frozenset(known), frozenset(forgotten), frozenset(kept), learned)
    return learned


_Paths = list[tuple[list[str], str]]
"""(segments that are still to be named, the whole route)."""


def _walk(
    parent: str,
    paths: _Paths,
    requests: Mapping[str, int],
    known: frozenset[str],
    forgotten: frozenset[str],
    kept: frozenset[str],
    learned: Learned,
) -> None:
    """Names the children of `parent`, a route whose own segments are named."""
    children: dict[str, _Paths] = {}
    for segments, route in paths:
        children.setdefault(segments[0], []).append((segments[1:], route))
    template = f"{parent}/{NAME}"
    if template not in forgotten:
        counts = {name: sum(requests[route] for _, route in some) for name, some in children.items()}
        few = max(FEW_REQUESTS, FEW_SHARE * sum(counts.values()))
        small = [
            name
            for name, some in children.items()
            if is_nameable(name) and counts[name] <= few and not any(route in kept for _, route in some)
        ]
        enough = 1 if template in known else CHILDREN_MAX if parent else TOP_CHILDREN_MAX
        if len(small) >= enough:
            learned.templates.add(template)
            children.setdefault(NAME, []).extend([path for name in small for path in children.pop(name)])
    for name, some in children.items():
        named = f"{parent}/{name}"
        deeper = [(segments, route) for segments, route in some if segments]
        learned.merged.update((route, named) for segments, route in some if not segments and route != named)
        if deeper:
            _walk(named, deeper, requests, known, forgotten, kept, learned)


def is_nameable(segment: str) -> bool:
    """Whether a learned template may take a segment's place: it is neither empty nor an id already."""
    return bool(segment) and not segment.startswith(":")


def learned_name(route: str, templates: Collection[str], beginnings: Collection[str]) -> str:
    """The route under its learned templates; itself where none applies.

    `beginnings`: what the routes that have rows begin with, at each of their segments: those are kept.
    """
    named = own = ""
    for segment in route.split("/")[1:]:
        own = f"{own}/{segment}"
        template = f"{named}/{NAME}"
        if template in templates and is_nameable(segment) and f"{named}/{segment}" not in beginnings:
            named = template
        else:
            named = f"{named}/{segment}"
    return named


def beginnings(routes: Collection[str]) -> set[str]:
    """What routes begin with, at each segment: `/a`, `/a/b` for `/a/b`."""
    found: set[str] = set()
    for route in routes:
        at = len(route)
        while at > 0 and (start := route[:at]) not in found:
            found.add(start)
            at = route.rfind("/", 0, at)
    return found
