"""Learned templates: where a parent has more children than a person reads, the rare ones are one row.

`/blog/a-post`, `/blog/another`, ... become `/blog/:name`. A learned template names one segment: any child of
`/blog` that has no row of its own is `:name`, and what follows it stays (`/blog/:name/comments`). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.learned_names import NAME, is_nameable

CHILDREN_MAX = 50
"""So many children with few requests each are more than a person reads. In a small table, CHILDREN_SHARE of
its rows are, but no fewer than CHILDREN_LEAST."""

CHILDREN_SHARE = 0.2
CHILDREN_LEAST = 10

TOP_CHILDREN_MAX = 200
"""The same at the top, whose names people know best."""

TOP_CHILDREN_SHARE = 0.5
TOP_CHILDREN_LEAST = 25

FEW_REQUESTS = 20
FEW_SHARE = 0.005
"""Few: at most FEW_REQUESTS, or this share of what the parent's children have together."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a table of routes teaches: templates, and the routes that are to be merged into others."""

    templates: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    """Route -> the route that its row is merged into."""


def learn(
    requests: Mapping[str, int],
    *,
    routes_max: int = 500,
    known: Collection[str] = (),
    forgotten: Collection[str] = (),
    kept: Collection[str] = (),
) -> Learned:
    """What the routes of an app and their requests teach.

    `routes_max`: rows that the table takes; `known`: templates that were learned before, whose parents take
    in every further child with few requests; `forgotten`: templates never to be learned; `kept`: routes that
    keep their rows.
    """
    walk = _Walk(
        requests,
        min(CHILDREN_MAX, max(CHILDREN_LEAST, int(routes_max * CHILDREN_SHARE))),
        min(TOP_CHILDREN_MAX, max(TOP_CHILDREN_LEAST, int(routes_max * TOP_CHILDREN_SHARE))),
        frozenset(known),
        frozenset(forgotten),
        frozenset(kept),
    )
    walk.name_children("", [(route.split("/")[1:], route) for route in requests if route.startswith("/")])
    return walk.learned


_Paths = list[tuple[list[str], str]]
"""(segments that are still to be named, the whole route)."""


@dataclass(slots=True)
class _Walk:
    """Goes through the routes as a tree, from the top."""

    requests: Mapping[str, int]
    children_max: int
    top_children_max: int
    known: frozenset[str]
    forgotten: frozenset[str]
    kept: frozenset[str]
    learned: Learned = field(default_factory=Learned)

    def name_children(self, parent: str, paths: _Paths) -> None:
        """Names the children of `parent`, a route whose own segments are named."""
        children: dict[str, _Paths] = {}
        for segments, route in paths:
            children.setdefault(segments[0], []).append((segments[1:], route))
        template = f"{parent}/{NAME}"
        rare = [] if template in self.forgotten else self._rare(children)
        enough = 1 if template in self.known else self.children_max if parent else self.top_children_max
        if len(rare) >= enough:
            self.learned.templates.add(template)
            children.setdefault(NAME, []).extend([path for name in rare for path in children.pop(name)])
        for name, some in children.items():
            named = f"{parent}/{name}"
            self.learned.merged.update(
                (route, named) for segments, route in some if not segments and route != named
            )
            if deeper := [(segments, route) for segments, route in some if segments]:
                self.name_children(named, deeper)

    def _rare(self, children: Mapping[str, _Paths]) -> list[str]:
        """The children with few requests, but for ids and those that are kept."""
        counts = {name: sum(self.requests[route] for _, route in some) for name, some in children.items()}
        few = max(FEW_REQUESTS, FEW_SHARE * sum(counts.values()))
        return [
            name
            for name, some in children.items()
            if counts[name] <= few and is_nameable(name) and not any(route in self.kept for _, route in some)
        ]
