"""Single requests of a route in a span: the slowest, and the latest that failed."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from app.store.queries.spans import Span


@dataclass(frozen=True, slots=True)
class Sample:
    """One request, as the router logged it. Without its path: the log has it under its id."""

    at_ms: int
    """When it was logged, Unix ms."""
    request_id: str
    app: str
    dyno: str
    method: str
    status: str
    code: str
    service_ms: float | None
    connect_ms: float | None


@dataclass(frozen=True, slots=True)
class Samples:
    """Requests of a route (or of all, for the digest `all`) in a span; times in Unix seconds."""

    app: str
    digest: str
    from_s: int
    to_s: int
    slowest: list[Sample]
    """Slowest first."""
    failed: list[Sample]
    """Latest first."""


def samples(store: redis.Redis, app: str, digest: str, span: Span | None, now_s: float) -> Samples:
    """The samples of one app ("" for all apps); `span` None: as far back as they are kept."""
    seconds = 86_400 if span is None else span.seconds
    until_s = int(now_s) if span is None or span.until_s is None else span.until_s
    return Samples(app, digest, until_s - seconds, until_s, [], [])
