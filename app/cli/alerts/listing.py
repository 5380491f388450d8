"""`python -m app alerts list`: what fires, what every rule says, and whether messages get to people."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

import redis

from app.alerts.redis.view import alerts_view
from app.cli.alerts.text import view_lines
from app.cli.figures import warn_of_unknown
from app.cli.terminal import printable
from app.escaping import json_text
from app.redis_client import connect, unavailable_error
from app.settings import Settings
from app.settings.readers import app_argument
from app.store.queries import Span

NAME = "list"
HELP = "rules and their states, incidents, silences and targets"

HISTORY_S = 86_400
REDIS_TIMEOUT_S = 5.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The subcommand's own arguments."""
    parser.description = (
        "Open incidents with their reason, those that ended within the last day, the state of each rule,\n"
        "silences, targets and their trouble, budgets of objectives, and which process judges."
    )
    parser.epilog = (
        "states: ok; pending: the condition holds, but not for long enough yet; firing; unknown: nothing is\n"
        "judged, or figures are not complete\n\n"
        "examples:\n"
        "  python -m app alerts list\n"
        "  python -m app alerts list --app shop\n"
        "  python -m app alerts list --json | jq '.open[].message.title'\n\n"
        "exit code: 0 whatever fires, 2 bad usage or settings, or Redis is unreachable\n"
        "--json prints one object, as /api/alerts. Times are UTC."
    )
    parser.add_argument(
        "--app", type=app_argument, default="", help="of this app, and of Tailrace itself (default: all apps)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object in place of text")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0. Raises LogUnavailable where Redis is unreachable."""
    now_s = time.time()
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            warn_of_unknown(store, settings, args.app)
            found = alerts_view(store, settings, args.app, Span(HISTORY_S), now_s)
        except redis.RedisError as fault:
            raise unavailable_error(settings, fault) from None
    if args.json:
        print(json_text(found, indent=2))
    else:
        print("\n".join(printable(view_lines(found, now_s), sys.stdout.encoding)))
    return 0
