"""The report's flags, and which of the formats is written."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from app.cli.columns import SORT_NAMES
from app.cli.figures import Report, Wanted, read_report, warn_of_unknown
from app.cli.period import DEFAULT, Period, length, period
from app.cli.report.selection import Selection
from app.cli.rows import Order, order
from app.redis_client import connect
from app.settings import Settings
from app.settings.readers import app_argument
from app.store.queries.changes import OFFSETS_S

ROUTES_SHOWN = 20
REDIS_TIMEOUT_S = 8.0
WHOLE = ("csv",)
"""Formats that are not cut to ROUTES_SHOWN unless they are told to be."""

EXAMPLES = f"""\
examples:
  python -m app report --since 1h
  python -m app report --since 24h --app shop --format markdown > report.md
  python -m app report --from 03:10Z --until 03:25Z --app shop --sort errors
  python -m app report --since 1h --until 2026-11-25T14:00Z --compare day --sort p95-change
  python -m app report --route /checkout --since 15m
  python -m app report --since 7d --routes 0 --format html > report.html
  python -m app report --since 24h --format csv > routes.csv
  python -m app report --since all --format json | jq '.table.total.service.p95'

times are UTC without an offset of their own. Names for --sort:
{SORT_NAMES}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = (
        "Requests, errors and times over a span, in total and by route, dyno and host; its releases, and "
        "what else the platform said."
    )
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--since",
        type=length,
        metavar="SPAN",
        help=f"a length such as 15m, 1h, 7d, 1w, or `all`; it ends at --until (default {DEFAULT})",
    )
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="2026-11-23T10:00Z, 10:00Z (today) or 2h (ago)"
    )
    parser.add_argument(
        "--until", metavar="TIME", help="as --from; 11:00Z is on the day of --from (default: now)"
    )
    parser.add_argument("--app", type=app_argument, default="", help="one app (default: all apps together)")
    parser.add_argument(
        "--route",
        default="",
        metavar="NAME",
        help="one route by itself, or all whose name contains this or fits it (`*` stands for anything)",
    )
    parser.add_argument(
        "--sort",
        type=order,
        default=Order("requests"),
        metavar="COLUMN",
        help="such as errors, p95 or time (default requests); --sort=-p95 is --sort p95 --reverse",
    )
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument(
        "--compare",
        choices=tuple(OFFSETS_S),
        help="changes against the hour before, or the same time a day or a week ago",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "markdown", "csv", "html"), default="text", help="(default text)"
    )
    parser.add_argument(
        "--routes",
        type=_count,
        metavar="N",
        help=f"rows of each table shown (0: all; default {ROUTES_SHOWN}, with --format csv all)",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError("must be a whole number, 0 for all")
    return int(text[:9])


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints the report; 0. Raises LogUnavailable where Redis is unreachable, and for what cannot be
    reported: BadPeriod, BadTime, UnknownRoute."""
    now_s = time.time()
    asked = period(args.since, args.start, args.until, now_s)
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    wanted = Wanted(args.app, args.route, args.compare, with_series=args.format == "html")
    report = read_report(store, settings, asked, now_s, wanted)
    warn_of_unknown(store, settings, args.app)
    by = replace(args.sort, is_reversed=args.sort.is_reversed != args.reverse)
    most = args.routes
    if most is None and args.format not in WHOLE:
        most = ROUTES_SHOWN
    sys.stdout.write(written(args.format, report, asked, Selection(by, most or 0, args.route, args.compare)))
    return 0


def written(form: str, report: Report, asked: Period, shown: Selection) -> str:
    """The report in one of the formats. What a format needs is imported where it is chosen."""
    if form == "json":
        from app.cli.report.data import as_json

        return as_json(report, shown)
    if form == "csv":
        from app.cli.report.data import as_csv

        return as_csv(report, shown)
    if form == "markdown":
        from app.cli.report.markdown import as_markdown

        return as_markdown(report, asked, shown)
    if form == "html":
        from app.cli.report.html import as_html

        return as_html(report, asked, shown)
    from app.cli.report.text import as_text

    return as_text(report, asked, shown)
