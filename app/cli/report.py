"""`python -m app report`: the figures of a time span as text, JSON or Markdown."""

from __future__ import annotations

import argparse
import sys
import time

from app.cli.figures import Report, read_report, span, warn_of_unknown
from app.cli.tables import cells, fact_width, facts, heads, omitted_routes, title
from app.escaping import for_terminal, json_text, markdown_code, markdown_text
from app.formatting import table
from app.redis_client import connect
from app.settings import Settings
from app.settings.readers import app_argument

ROUTES_SHOWN = 20
REDIS_TIMEOUT_S = 8.0

EXAMPLES = """\
examples:
  python -m app report --since 1h
  python -m app report --since 24h --app shop --format markdown > report.md
  python -m app report --since all --format json | jq '.table.total.service.p95'
"""


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


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints the report; 0. Raises LogUnavailable where Redis is unreachable."""
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    report = read_report(store, settings, args.since, args.app, time.time())
    warn_of_unknown(store, settings, args.app)
    writers = {"text": as_text, "markdown": as_markdown, "json": as_json}
    sys.stdout.write(writers[args.format](report, args.routes or len(report.table.routes)))
    return 0


def as_json(report: Report, routes: int) -> str:
    """The report's own fields."""
    del report.table.routes[routes:]
    return json_text(report, indent=2) + "\n"


def as_text(report: Report, routes: int) -> str:
    """For a terminal."""
    found = facts(report.table.total)
    lines = [title(report), ""]
    lines += [f"  {name:<{fact_width(found)}} {value}" for name, value in found]
    for alert in report.alerts:
        lines += ["", f"! {alert.title}. {alert.text}", f"  {alert.action}"]
    if report.table.routes:
        rows = report.table.routes[:routes]
        shown = heads(rows)
        lines += ["", *table(shown, [cells(row, shown) for row in rows], left=(0, len(shown) - 1))]
    lines += omitted_routes(report.table, routes)
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
        rows = report.table.routes[:routes]
        shown = heads(rows)
        lines += ["| " + " | ".join(head.capitalize() for head in shown) + " |"]
        lines += ["| --- |" + " ---: |" * (len(shown) - 2) + " --- |"]
        for row in rows:
            route, *figures, codes = cells(row, shown)
            texts = [markdown_code(route), *map(markdown_text, figures)]
            texts.append(markdown_code(codes) if codes else "")
            lines.append("| " + " | ".join(texts) + " |")
    lines += omitted_routes(report.table, routes)
    return "\n".join(lines) + "\n"
