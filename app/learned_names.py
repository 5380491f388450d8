"""Under which learned template a route stands: `/blog/a-post` is `/blog/:name` once that was learned. Pure.

What is learned, and when, is the metrics worker's (consumers/metrics/learning.py); whoever reads the log asks
here under which name it counted a line.
"""

from __future__ import annotations

from collections.abc import Collection

NAME = ":name"


def is_nameable(segment: str) -> bool:
    """Whether a learned template may take a segment's place: it is neither empty nor an id already."""
    return bool(segment) and not segment.startswith(":")


def learned_name(route: str, templates: Collection[str], beginnings: Collection[str]) -> str:
    """The route under its learned templates; itself where none applies.

    `beginnings`: what the routes that have rows begin with, at each of their segments: those are kept.
    """
    if not route.startswith("/"):
        return route
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
