"""A message: a notice with its context, as receivers get it. docs/alerts.md describes it as the
webhook's JSON; each target makes its own form of it (targets/)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.alerts.condition import Severity

MessageKind = Literal["firing", "update", "repeat", "resolved", "test"]

VERSION = 1
"""Of the JSON."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One alert of the incident."""

    rule: str
    app: str
    route: str
    """Empty: all routes of the app together."""
    text: str
    """`20.3 % of 1,240 requests failed, the limit is 2 %`."""
    usual: str
    """`0.1 % at this time yesterday`; empty: not known."""
    value: float | None
    limit: float | None
    since_s: int
    is_firing: bool
    """False: it is resolved, while others of the incident go on."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to begin with."""

    request_id: str
    at_ms: int
    method: str
    path: str
    """That of the route (`/users/:id`); empty: not kept, of an alert about all routes together. The log has
    the path itself, under the id."""
    status: str
    code: str
    dyno: str
    service_ms: float | None


@dataclass(frozen=True, slots=True)
class Message:
    """What is told of an incident. Times in Unix seconds, but for those in ms."""

    id: str
    """The same however often it is sent: a receiver that sees one twice may drop the second."""
    incident: str
    """The same in all messages of one incident."""
    kind: MessageKind
    severity: Severity
    app: str
    """Empty: Tailrace itself, or requests without an app's name."""
    title: str
    """`shop: 20.3 % of requests to /checkout fail`."""
    since_s: int
    at_s: int
    """When it was judged."""
    findings: tuple[Finding, ...]
    more_findings: int = 0
    """Those that are left out."""
    dyno: str = ""
    """`web.3 has 96 % of the failures and 10 % of the requests`; empty: none stands out."""
    requests: tuple[Request, ...] = ()
    """Three at most."""
    release: str = ""
    """`7 min after v42, 9154a1d2: deploy`; empty: none is known."""
    link: str = ""
    """To the page at that moment; empty: TAILRACE_URL is unset."""
    action: str = ""
    """What to do."""
    resolved_s: int | None = None
    to: tuple[str, ...] = ()
    """Names of targets."""
