"""One request that a search has found."""

from __future__ import annotations

from dataclasses import dataclass

from app.router_line import RouterLine


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """A request as the router logged it."""

    at_ms: int
    """When the router logged it, Unix ms; where its line says no time, when the drain received it."""
    received_ms: int
    message_id: str
    """Of its message in the log, which no other message has."""
    app: str
    route: str
    line: RouterLine
    is_connection: bool = False
    """Its service time is the lifetime of a connection: see app/connections.py."""
