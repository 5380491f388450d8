"""Which lines are of connections and not of requests that a client waits for: their time is a lifetime.

A request that switches protocols (status 101, a websocket) is logged once it ends. For server-sent events
and long polls no line says so; the YAML list `streams:` names their paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.paths import by_path
from app.router_line import RouterLine
from app.routes import compile_rules

if TYPE_CHECKING:
    from app.settings import Settings

SWITCHED = "101"
"""Status of a request that became a connection of another protocol."""


def connection_matcher(settings: Settings) -> Callable[[RouterLine], bool]:
    """Whether a line's times are those of a connection: its status is 101, or its decoded path fits a
    pattern of `streams:`."""
    rules = [regex for regex, _ in compile_rules(settings.stream_rules)]
    if not rules:
        return lambda line: line.status == SWITCHED
    is_stream = by_path(lambda path: any(regex.fullmatch(path) for regex in rules))
    return lambda line: line.status == SWITCHED or is_stream(line)
