"""The figures that `report` and `top` show: read from Redis, whole, before anything is printed."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import redis

from app.escaping import for_terminal
from app.log import open_log
from app.redis_client import unavailable_error
from app.settings import Settings
from app.store import queries

EVER = "ever"
APPS_NAMED = 10
"""Of the known apps, where one is asked for that is not among them."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is reported."""

    since: str
    table: queries.RoutesTable
    health: queries.Health
    alerts: list[queries.Alert]


def span(text: str) -> str:
    """The span as given, once it is one: a type for argparse."""
    if text != EVER:
        try:
            queries.read_span(text)
        except ValueError as fault:
            raise argparse.ArgumentTypeError(f"{fault}, or `ever`") from None
    return text


def read(store: redis.Redis, settings: Settings, since: str, app: str, now_s: float) -> Report:
    """The figures of a span (`1h`, `ever`). Raises LogUnavailable where Redis is away."""
    log = open_log(settings)
    try:
        found = queries.routes_table(store, app, None if since == EVER else queries.read_span(since), now_s)
        health = queries.health(store, now_s, log, routes_max=settings.routes_max)
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    return Report(since, found, health, queries.alerts(health, log.advice))


def warn_of_unknown(store: redis.Redis, settings: Settings, app: str) -> None:
    """Says on stderr that an app was never seen, and which were: a report of zeros looks like silence.

    Raises LogUnavailable where Redis is away.
    """
    if not app:
        return
    try:
        names = [known.name for known in queries.apps(store).apps]
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    if app not in names:
        more = [f"and {len(names) - APPS_NAMED} more"] if len(names) > APPS_NAMED else []
        there = ", ".join([*names[:APPS_NAMED], *more]) or "none yet (DRAIN_TOKENS names them)"
        said = f"no request of the app {app!r} was ever counted; there are: {there}"
        print(for_terminal(said), file=sys.stderr)
