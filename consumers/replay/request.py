"""What replay sends and what comes back: the small types that everything else here is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.message import RouterMessage, exact_line
from app.router_line import RouterLine, milliseconds, parse, timestamp_ms

LATE_MAX_MS = 3_600_000
AHEAD_MAX_MS = 60_000
"""A line that is older than this when it is received, or further ahead, comes from a broken clock. A
single such line must not make a replay wait for a day."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the router logged it. `path` includes the query; bytes that are not UTF-8 are
    surrogates (PEP 383). `status` is 0 and `service_ms` None where the line does not say."""

    method: str
    path: str
    host: str
    app: str
    route: str
    dyno: str
    request_id: str
    fwd: str
    protocol: str
    status: int
    service_ms: float | None
    at_ms: int
    """When the router logged it, Unix ms: the line's own timestamp, or `received_ms` where that
    comes from a broken clock."""
    received_ms: int
    """When the drain received its line, Unix ms."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request, ready to be written to the wire: its request target and its headers."""

    request: Request
    target: bytes
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one replayed request.

    `kind` is `answered`, or what went wrong: `refused`, `reset`, `timeout`, `tls`, `dns`,
    `bad-response`, `too-large`. `status` is 0 unless answered. `latency_ms` is the time from the first
    byte sent until the answer's headers, and as much of its body as is read, have arrived.
    """

    kind: str
    status: int
    latency_ms: float


def request_of(message: RouterMessage, route_of: Callable[[RouterLine], str]) -> Request | None:
    """The request of a message; None for a line without method or path."""
    line = parse(exact_line(message))
    if line is None or not line.path or not line.method:
        return None
    at_ms, received_ms = timestamp_ms(message["timestamp"]), message["received_at"]
    if at_ms is None or not received_ms - LATE_MAX_MS <= at_ms <= received_ms + AHEAD_MAX_MS:
        at_ms = received_ms
    return Request(
        method=line.method,
        path=line.path,
        host=line.host,
        app=message["app"],
        route=route_of(line),
        dyno=line.dyno,
        request_id=line.request_id,
        fwd=line.fwd,
        protocol="https" if "protocol=https" in message["msg"] else "http",
        status=int(line.status) if line.status.isdecimal() and len(line.status) == 3 else 0,
        service_ms=milliseconds(line.service),
        at_ms=at_ms,
        received_ms=received_ms,
    )
