"""The flags of `top`, and whether it is live or printed once."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import time

from app.cli import terminal
from app.cli.columns import SORT_NAMES, VIEWS
from app.cli.figures import unknown_app, warn_of_unknown
from app.cli.period import length
from app.cli.rows import Order, order
from app.cli.top import once
from app.cli.top.snapshot import Snapshot, Wanted, read_snapshot
from app.cli.top.view import View
from app.redis_client import connect
from app.settings import Settings
from app.settings.readers import app_argument

REDIS_TIMEOUT_S = 5.0
WIDTH_PRINTED = 120
"""Of what is printed once, where COLUMNS is unset."""
NARROWEST_PRINTED = 40
EXIT_FAILED = 1

EXAMPLES = f"""\
keys: ? shows all of them; q quits, / filters, < > sort, r reverses, w changes the window, Enter opens a
route, Tab goes on from apps to routes, dynos and hosts, ! shows the warnings

examples:
  python -m app top
  python -m app top --app shop --window 1h --sort p95
  python -m app top --by dyno --sort memory
  python -m app top --filter checkout
  python -m app top | head -30        prints once, {WIDTH_PRINTED} columns wide or COLUMNS

Without a terminal, or with TERM unset or `dumb`, it prints once. Times are UTC.
exit code: 0 told to quit, 130 Ctrl-C, 2 Redis was unreachable at the start
names for --sort:
{SORT_NAMES}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = "What happened in the last minutes, refreshed every few seconds: a table as in htop."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--app", type=app_argument, default="", help="one app (default: all apps together)")
    parser.add_argument("--by", choices=VIEWS, default="route", help="what a row is (default route)")
    parser.add_argument(
        "--window", type=length, default="5m", metavar="SPAN", help="such as 5m, 24h, or `all` (default 5m)"
    )
    parser.add_argument(
        "--sort",
        type=order,
        default=Order("requests"),
        metavar="COLUMN",
        help="such as errors, p95 or time (default requests); --sort=-p95 is the other way round",
    )
    parser.add_argument("--filter", default="", metavar="TEXT", help="only rows whose name contains this")
    parser.add_argument(
        "--every", type=_interval_s, default=2.0, metavar="S", help="seconds between refreshes (default 2)"
    )


def _interval_s(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 3_600:
        raise argparse.ArgumentTypeError("must be from 0.5 to 3600 seconds")
    return value


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when told to quit, 130 after Ctrl-C. Raises LogUnavailable where Redis is unreachable at first."""
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    view = View(args.by, args.app, args.window, args.sort, args.filter)

    def read(wanted: Wanted) -> Snapshot:
        return read_snapshot(store, settings, wanted, time.time())

    first = read(view.wanted)
    if not terminal.is_interactive(settings.terminal):
        warn_of_unknown(store, settings, view.app)
        width = shutil.get_terminal_size((WIDTH_PRINTED, 0)).columns
        print("\n".join(once.lines(first, view, max(width, NARROWEST_PRINTED))))
        return 0
    # Only here: no other command waits for it to be imported.
    from app.cli.top.screen import TopApp

    screen = TopApp(first, view, read, args.every, unknown_app(store, settings, view.app))
    code = screen.run(mouse=False)  # So that the terminal's own way to select and copy text works.
    if screen.defect is not None:
        raise screen.defect
    if screen.signal in (signal.SIGTERM, signal.SIGHUP):
        # The terminal is put back; now it ends as it would have.
        signal.signal(screen.signal, signal.SIG_DFL)
        os.kill(os.getpid(), screen.signal)
    return EXIT_FAILED if code is None else code
