"""Which lines are of connections and not of requests that a client waits for: their time is a lifetime.

A request that switches protocols (status 101, a websocket) is logged once it ends. For server-sent events
and long polls no line says so; the YAML list `streams:` names their paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.router_line import RouterLine, path_only
from app.routes import compile_rules

if TYPE_CHECKING:
    from app.settings import Settings

SWITCHED = "101"
"""Status of a request that became a connection of another protocol."""

CACHED_PATHS = 20_000


def connection_matcher(settings: Settings) -> Callable[[RouterLine], bool]:
    """Whether a line's times are those of a connection: its status is 101, or its path fits a pattern of
    `streams:`."""
    rules = [regex for regex, _ in compile_rules(settings.stream_rules)]
    if not rules:
        return lambda line: line.status == SWITCHED
    known: dict[str, bool] = {}

    def is_connection(line: RouterLine) -> bool:
        if line.status == SWITCHED:
            return True
        path = path_only(line.path)
        found = known.get(path)
        if found is None:
            if len(known) >= CACHED_PATHS:
                known.clear()
            found = known[path] = any(regex.fullmatch(path) for regex in rules)
        return found

    return is_connection
