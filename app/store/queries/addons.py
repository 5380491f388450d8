"""Add-ons in a span: the samples that heroku-postgres, heroku-redis and others like them log."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store.queries.spans import MINUTE_S, Span


@dataclass(frozen=True, slots=True)
class AddonValue:
    """One measure of an add-on, in its own unit."""

    name: str
    unit: str
    """`MB`, `kB`, `bytes`, or empty."""
    latest: float
    latest_ms: int
    average: float | None
    """In the span, as all that follows; None: no sample came in it."""
    lowest: float | None
    highest: float | None
    spark: list[float | None] = field(default_factory=list)
    """The average of each step."""


@dataclass(frozen=True, slots=True)
class AddonRow:
    """One add-on of an app."""

    app: str
    kind: str
    """`heroku-postgres`."""
    source: str
    """`DATABASE`."""
    addon: str
    """`postgresql-curly-12345`."""
    values: list[AddonValue]
    values_left_out: int = 0
    """Measures that are not kept because there were many names."""


@dataclass(frozen=True, slots=True)
class Addons:
    """The add-ons of an app in a span; times in Unix seconds."""

    app: str
    from_s: int
    to_s: int
    step_s: int
    rows: list[AddonRow]
    left_out: int = 0


def addons(store: redis.Redis, app: str, span: Span | None, now_s: float) -> Addons:
    """Those of one app ("" for all); `span` None: as far back as windows are kept."""
    span = span or Span(86_400)
    to_s = int(now_s) if span.until_s is None else span.until_s
    return Addons(app, to_s - span.seconds, to_s, MINUTE_S, [])
