"""The headers of a replayed request: few, and none that the original's client sent, for logs hold
none."""

from __future__ import annotations

from dataclasses import dataclass

from app.loop_guard import replay_id
from consumers.replay.request import Request
from consumers.replay.target import Target


@dataclass(frozen=True, slots=True)
class HeaderOptions:
    """`host` empty: the target's own. `forwarded`: the original client's address and protocol, as
    the router noted them, in X-Forwarded-For and X-Forwarded-Proto."""

    host: str = ""
    user_agent: str = "tailrace-replay"
    forwarded: bool = False


def replay_headers(request: Request, target: Target, options: HeaderOptions) -> list[tuple[str, str]]:
    """Names and values, printable ASCII alone: what a log line holds cannot end a header."""
    headers = [
        ("Host", options.host or target.host_header),
        ("User-Agent", options.user_agent),
        ("Accept", "*/*"),
        ("X-Request-Id", replay_id(request.request_id)),
    ]
    if options.forwarded:
        if request.fwd and request.fwd.isascii() and request.fwd.isprintable():
            headers.append(("X-Forwarded-For", request.fwd))
        headers.append(("X-Forwarded-Proto", request.protocol))
    return headers
