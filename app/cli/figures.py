"""The figures that `report` and `top` show: all read from Redis before anything is printed."""

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

ALL_TIME = "all"
OLD_NAMES = {"ever": ALL_TIME}
"""Old names of spans that are still accepted -> new names."""

APPS_NAMED = 10
"""Known apps that are listed when an unknown one is asked for."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is reported."""

    since: str
    table: queries.RoutesTable
    health: queries.Health
    alerts: list[queries.Alert]


def span(text: str) -> str:
    """The span, once it is known to be valid: a type for argparse."""
    text = OLD_NAMES.get(text, text)
    if text != ALL_TIME:
        try:
            queries.read_span(text)
        except ValueError as fault:
            raise argparse.ArgumentTypeError(f"{fault}, or `all`") from None
    return text


def read_report(store: redis.Redis, settings: Settings, since: str, app: str, now_s: float) -> Report:
    """The figures of a span (`1h`, `all`). Raises LogUnavailable where Redis is unreachable."""
    log = open_log(settings)
    try:
        span = None if since == ALL_TIME else queries.Span(queries.read_span(since))
        found = queries.routes_table(store, app, span, now_s)
        health = queries.health(store, now_s, log, routes_max=settings.routes_max)
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    return Report(since, found, health, queries.alerts(health, log.advice))


def warn_of_unknown(store: redis.Redis, settings: Settings, app: str) -> None:
    """Says on stderr that an app is unknown, and lists the known ones: bare zeros would look like silence.

    Raises LogUnavailable where Redis is unreachable.
    """
    if not app:
        return
    try:
        names = [seen.name for seen in queries.apps(store).apps]
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    if app not in names:
        more = [f"and {len(names) - APPS_NAMED} more"] if len(names) > APPS_NAMED else []
        known = ", ".join([*names[:APPS_NAMED], *more])
        message = f"unknown app {app!r}. " + (
            f"Known apps: {known}" if known else "No named apps yet; set DRAIN_TOKENS to name them"
        )
        print(for_terminal(message), file=sys.stderr)
