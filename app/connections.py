"""Which lines are of connections and not of requests that a client waits for: their time is a lifetime.

A request that switches protocols (status 101, a websocket) is logged once it ends. For server-sent events
and long polls no line says so; the YAML list `streams:` names their paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.outcomes import ABORTED_CODES, ABORTED_STATUS
from app.paths import by_path
from app.router_line import RouterLine
from app.routes import compile_rules

if TYPE_CHECKING:
    from app.settings import Settings

SWITCHED = "101"
"""Status of a request that became a connection of another protocol."""

OPEN_CODES = ABORTED_CODES | {"H15"}
"""Of connections that were open: their client went away, or nothing was sent for 55 s (H15, status 503)."""


def connection_matcher(settings: Settings) -> Callable[[RouterLine], bool]:
    """Whether a line's times are those of a connection: its status is 101, or its decoded path fits a
    pattern of `streams:`."""
    rules = [regex for regex, _ in compile_rules(settings.stream_rules)]
    if not rules:
        return lambda line: line.status == SWITCHED
    is_stream = by_path(lambda path: any(regex.fullmatch(path) for regex in rules))
    return lambda line: line.status == SWITCHED or is_stream(line)


def open_connection_matcher(settings: Settings) -> Callable[[RouterLine], bool]:
    """Whether a line is of a connection that was open, so that its time is a lifetime.

    A request that was answered otherwise (3xx to 5xx: a redirect to the login, 401, a crashed app's 503, H12
    after 30 s) never became one, whatever `streams:` says of its path: its time is what the client waited for
    that answer. Connections whose client went away (499) and idle ones (H15) were open.
    """
    if not settings.stream_rules:
        return is_switched
    is_connection = connection_matcher(settings)
    return lambda line: is_connection(line) and not _is_refused(line)


def is_switched(line: RouterLine) -> bool:
    """What `open_connection_matcher` returns where there are no `streams:`."""
    return line.status == SWITCHED


def _is_refused(line: RouterLine) -> bool:
    return line.status[:1] in REFUSED and line.status != ABORTED_STATUS and line.code not in OPEN_CODES


REFUSED = frozenset("345")
"""First digits of the statuses of a request that became no connection."""
