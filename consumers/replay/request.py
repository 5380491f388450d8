"""What replay sends and what comes back: the small types that everything else here is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.message import RouterMessage, exact_line
from app.router_line import RouterLine, milliseconds, parse, timestamp_ms
from consumers.replay.choice.percent_encoding import encode_again

LATE_MAX_MS = 3_600_000
AHEAD_MAX_MS = 60_000
"""A line that is older than this when it is received, or further ahead, comes from a broken clock. A
single such line must not make a replay wait for a day."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the router logged it. `path` includes the query, as it is sent: percent-encoded again
    where the router logs it decoded; other bytes that are not UTF-8 are surrogates (PEP 383). `status` is 0
    and `service_ms` None where the line does not say."""

    method: str
    path: str
    host: str
    app: str
    route: str
    dyno: str
    request_id: str
    """As logged; empty where the line has none."""
    message_id: str
    """Of the line in the log: the same each time the log is read."""
    fwd: str
    protocol: str
    """What the client used, `http` or `https`; empty where the line does not say."""
    status: int
    service_ms: float | None
    at_ms: int
    """When the router logged it, Unix ms: the line's own timestamp, or `received_ms` where that
    comes from a broken clock."""
    received_ms: int
    """When the drain received its line, Unix ms."""
    is_connection: bool
    """Its line is of a connection that was open for a while, such as a websocket (app/connections.py)."""
    is_reencoded: bool
    """`path` differs from the line's."""
    code: str
    """The router's error code, such as H12; empty for a request that the app answered."""
    at: str = "info"
    """`info`, or `error` or `warning` where the router says that it or the client failed. Empty where the
    line does not say."""

    @property
    def identity(self) -> str:
        """What tells it from other requests: the request id, or the message's where the line has none."""
        return self.request_id or self.message_id


@dataclass(frozen=True, slots=True)
class Job:
    """One request, ready to be written to the wire: its request target and its headers."""

    request: Request
    target: bytes
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's head and the first of its body, for a comparison of answers. Never kept or shown, not even
    by `repr`."""

    head: bytes = field(repr=False)
    """Status line and headers."""
    body: bytes = field(repr=False)
    """Up to a limit, without the framing of its transfer."""
    is_cut: bool
    """The body is longer than the limit."""

    @property
    def size_bytes(self) -> int:
        return len(self.head) + len(self.body)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one replayed request.

    `kind` is `answered`, `stream` (an answer without an end, such as server-sent events, which was left
    once it was clear), or what went wrong: `refused`, `reset`, `timeout`, `tls`, `dns`, `bad-response`,
    `too-large`, `no-socket` (this machine had no file or port left). `status` is 0 unless answered or a
    stream. `latency_ms` is the service time: from the first byte sent until the answer's headers, and as much
    of its body as is read, have arrived. `elapsed_ms` also has what comes before: connecting, and a first try
    that failed. Both are at least the time limit after a timeout, because an answer would have taken longer.
    """

    kind: str
    status: int
    latency_ms: float
    elapsed_ms: float = 0.0
    answer: Answer | None = None
    """Only where answers are compared."""

    @property
    def has_status(self) -> bool:
        """The target has answered, even if the answer has no end."""
        return self.status > 0


def request_of(
    message: RouterMessage,
    route_of: Callable[[RouterLine], str],
    is_connection: Callable[[RouterLine], bool],
) -> Request | None:
    """The request of a message; None for a line without method or path."""
    line = parse(exact_line(message))
    if line is None or not line.path or not line.method:
        return None
    at_ms, received_ms = timestamp_ms(message["timestamp"]), message["received_at"]
    if at_ms is None or not received_ms - LATE_MAX_MS <= at_ms <= received_ms + AHEAD_MAX_MS:
        at_ms = received_ms
    sent_path = encode_again(line.path) if line.is_router_2 else line.path
    return Request(
        method=line.method,
        path=sent_path,
        host=line.host,
        app=message["app"],
        route=route_of(line),
        dyno=line.dyno,
        request_id=line.request_id,
        message_id=message["id"],
        fwd=line.fwd,
        protocol=_client_protocol(line),
        status=int(line.status) if line.status.isdecimal() and len(line.status) == 3 else 0,
        service_ms=milliseconds(line.service),
        at_ms=at_ms,
        received_ms=received_ms,
        is_connection=is_connection(line),
        is_reencoded=sent_path != line.path,
        code=line.code,
        at=line.at,
    )


def _client_protocol(line: RouterLine) -> str:
    """`http` or `https`: by `tls` of Router 2.0, whose `protocol` is the version of HTTP, else by `protocol`
    of the legacy router. Empty where neither says."""
    if line.tls in _PROTOCOL_OF_TLS:
        return _PROTOCOL_OF_TLS[line.tls]
    return line.protocol if line.protocol in _PROTOCOL_OF_TLS.values() else ""


_PROTOCOL_OF_TLS = {"true": "https", "false": "http"}
