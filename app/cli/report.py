"""`python -m app report`: the figures of a time span as text, JSON or Markdown."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from app.escaping import for_terminal, json_text, markdown_code, markdown_text
from app.formatting import NONE, milliseconds, number, percent, rate, table
from app.redis_client import connect, unavailable_error
from app.router_line import H_CODES
from app.settings import Settings
from app.settings.readers import app_argument
from app.store import queries

ALL_TIME = "all"
OLD_NAMES = {"ever": ALL_TIME}
"""Spans that are accepted still, and what they are called now."""

APPS_NAMED = 10
"""Known apps that are listed when an unknown one is asked for."""
ROUTES_SHOWN = 20
REDIS_TIMEOUT_S = 8.0
HEADS = ("ROUTE", "REQUESTS", "PER S", "ERRORS", "MEDIAN", "P95", "P99", "LONGEST", "H-CODES")

EXAMPLES = """\
examples:
  python -m app report --since 1h
  python -m app report --since 24h --app shop --format markdown > report.md
  python -m app report --since all --format json | jq '.table.total.service.p95'
"""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is reported."""

    since: str
    table: queries.RoutesTable
    health: queries.Health
    alerts: list[queries.Alert]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = "Requests, errors and times over a span that ends now, in total and per route."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--since", type=span, default="1h", metavar="SPAN", help="such as 15m, 1h, 7d, or `all` (default 1h)"
    )
    parser.add_argument("--app", type=app_argument, default="", help="one app (default: all apps together)")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument(
        "--routes",
        type=_count,
        default=ROUTES_SHOWN,
        metavar="N",
        help=f"routes shown (default {ROUTES_SHOWN}; 0: all)",
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number, 0 for all")
    return int(text)


def span(text: str) -> str:
    """The span, once it is known to be valid: a type for argparse."""
    text = OLD_NAMES.get(text, text)
    if text != ALL_TIME:
        try:
            queries.read_span(text)
        except ValueError as fault:
            raise argparse.ArgumentTypeError(f"{fault}, or `all`") from None
    return text


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints the report; 0. Raises LogUnavailable where Redis is unreachable."""
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    report = read(store, settings, args.since, args.app, time.time())
    warn_of_unknown(store, settings, args.app)
    writers = {"text": as_text, "markdown": as_markdown, "json": as_json}
    sys.stdout.write(writers[args.format](report, args.routes or len(report.table.routes)))
    return 0


def read(store: redis.Redis, settings: Settings, since: str, app: str, now_s: float) -> Report:
    """The figures of a span (`1h`, `all`). Raises LogUnavailable where Redis is unreachable."""
    log_limit_bytes = None if settings.kafka_url else settings.redis_log_max_mb * 1_000_000
    try:
        span_s = None if since == ALL_TIME else queries.read_span(since)
        found = queries.routes_table(store, app, span_s, now_s)
        health = queries.health(store, now_s, log_limit_bytes=log_limit_bytes, routes_max=settings.routes_max)
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    return Report(since, found, health, queries.alerts(health))


def warn_of_unknown(store: redis.Redis, settings: Settings, app: str) -> None:
    """Says on stderr that an app was never seen, and which were: otherwise zeros look like silence.

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
        said = f"unknown app {app!r}. " + (
            f"Known apps: {known}" if known else "No named apps yet; set DRAIN_TOKENS to name them"
        )
        print(for_terminal(said), file=sys.stderr)


def as_json(report: Report, routes: int) -> str:
    """The report's own fields."""
    del report.table.routes[routes:]
    return json_text(report, indent=2) + "\n"


def as_text(report: Report, routes: int) -> str:
    """For a terminal."""
    lines = [title(report), ""]
    lines += [f"  {name:<9} {value}" for name, value in facts(report.table.total)]
    for alert in report.alerts:
        lines += ["", f"! {alert.title}. {alert.text}", f"  {alert.action}"]
    if report.table.routes:
        rows = [cells(row) for row in report.table.routes[:routes]]
        lines += ["", *table(HEADS, rows, left=(0, len(HEADS) - 1))]
    lines += _rest(report.table, routes)
    return "\n".join(map(for_terminal, lines)) + "\n"


def as_markdown(report: Report, routes: int) -> str:
    """For a ticket or a wiki."""
    lines = [f"# {markdown_text(title(report))}", ""]
    lines += [f"- **{name}**: {markdown_text(value)}" for name, value in facts(report.table.total)]
    lines += [
        "",
        *(
            # An action is ours, with its commands as code.
            f"> **{markdown_text(alert.title)}.** {markdown_text(alert.text)} {for_terminal(alert.action)}\n"
            for alert in report.alerts
        ),
    ]
    if report.table.routes:
        lines += ["| " + " | ".join(head.capitalize() for head in HEADS) + " |"]
        lines += ["| --- |" + " ---: |" * (len(HEADS) - 2) + " --- |"]
        for row in report.table.routes[:routes]:
            route, *figures, codes = cells(row)
            shown = [markdown_code(route), *map(markdown_text, figures)]
            shown.append(markdown_code(codes) if codes else "")
            lines.append("| " + " | ".join(shown) + " |")
    lines += _rest(report.table, routes)
    return "\n".join(lines) + "\n"


def title(report: Report) -> str:
    """`Tailrace: all apps, last 1h (2026-11-23 14:20:00 to 15:20:00 UTC)`."""
    app = report.table.app or "all apps"
    to_s = datetime.fromtimestamp(report.table.to_s, UTC)
    if report.table.from_s is None:
        return f"Tailrace: {app}, all time (until {to_s:%Y-%m-%d %H:%M:%S} UTC)"
    from_s = datetime.fromtimestamp(report.table.from_s, UTC)
    until = f"{to_s:%H:%M:%S}" if from_s.date() == to_s.date() else f"{to_s:%Y-%m-%d %H:%M:%S}"
    return f"Tailrace: {app}, last {report.since} ({from_s:%Y-%m-%d %H:%M:%S} to {until} UTC)"


def facts(total: queries.Figures) -> list[tuple[str, str]]:
    """What is true of all routes together; the values as they came, for each format to escape."""
    found = [
        ("requests", number(total.count) + ("" if total.rate is None else f", {rate(total.rate)}/s")),
        ("errors", f"{number(total.errors)}, {percent(total.error_rate)}"),
        ("service", _times(total.service)),
        ("connect", _times(total.connect)),
        ("status", "  ".join(f"{name} {number(count)}" for name, count in total.classes.items()) or NONE),
    ]
    if total.codes:
        said = (
            f"{code} {number(count)} ({H_CODES.get(code, 'unknown')})" for code, count in total.codes.items()
        )
        found.append(("H-codes", ", ".join(said)))
    return found


def cells(row: queries.RouteRow) -> list[str]:
    """A line of the table, as HEADS: route and H-codes as they came, for each format to escape."""
    figures = row.figures
    return [
        row.route,
        number(figures.count),
        rate(figures.rate),
        percent(figures.error_rate),
        *(milliseconds(value) for value in (figures.service.p50, figures.service.p95, figures.service.p99)),
        milliseconds(figures.service.max),
        " ".join(f"{code}:{count}" for code, count in figures.codes.items()),
    ]


def _times(latency: queries.Latency) -> str:
    names = (("median", latency.p50), ("p90", latency.p90), ("p95", latency.p95), ("p99", latency.p99))
    said = "  ".join(f"{name} {milliseconds(value)}" for name, value in names)
    return f"{said}  longest {milliseconds(latency.max)}" if latency.count else NONE


def _rest(found: queries.RoutesTable, routes: int) -> Sequence[str]:
    more = max(0, len(found.routes) - routes) + found.left_out
    return ["", f"and {number(more)} more routes"] if more else []
