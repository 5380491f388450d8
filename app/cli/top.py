"""`python -m app top`: the routes, live, in the terminal; printed once where there is no terminal."""

from __future__ import annotations

import argparse
import shutil
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.cli import terminal
from app.cli.figures import ALL_TIME, Report, read_report, span, warn_of_unknown
from app.cli.tables import cells, fact_width, facts, heads, title
from app.errors import LogUnavailable
from app.escaping import for_terminal
from app.formatting import number, shortened, table
from app.redis_client import connect
from app.settings import Settings
from app.settings.readers import app_argument
from app.store.queries import RouteRow

REDIS_TIMEOUT_S = 5.0
WINDOWS = ("5m", "1h", "24h", "7d", ALL_TIME)
SORTS: dict[str, Callable[[RouteRow], float]] = {
    "requests": lambda row: row.figures.count,
    "errors": lambda row: row.figures.error_rate,
    "p95": lambda row: row.figures.service.p95 or 0.0,
    "p99": lambda row: row.figures.service.p99 or 0.0,
}
NARROWEST_ROUTE = 20
NARROWEST_INDENTED = 40

BOLD, DIM, RED, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"

EXAMPLES = """\
keys: q quits, s changes the sort order, w changes the window

examples:
  python -m app top
  python -m app top --app shop --window 1h --sort p95
  python -m app top | head -30        prints once
"""


@dataclass(slots=True)
class View:
    """What is shown; keys change it."""

    app: str
    window: str
    sort: str

    def next_window(self) -> None:
        at = WINDOWS.index(self.window) if self.window in WINDOWS else -1
        self.window = WINDOWS[(at + 1) % len(WINDOWS)]

    def next_sort(self) -> None:
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = "The routes of the last minutes, refreshed every few seconds."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--app", type=app_argument, default="", help="one app (default: all apps together)")
    parser.add_argument(
        "--window", type=span, default="5m", metavar="SPAN", help="such as 5m, 24h, or `all` (default 5m)"
    )
    parser.add_argument("--sort", choices=tuple(SORTS), default="requests")
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
    """0 when told to quit. Raises LogUnavailable where Redis is unreachable at the start."""
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    view = View(args.app, args.window, args.sort)

    def fetch() -> Report:
        return read_report(store, settings, view.window, view.app, time.time())

    report = fetch()
    warn_of_unknown(store, settings, view.app)
    if not terminal.is_interactive(settings.terminal):
        print("\n".join(screen(report, view)))
        return 0
    with terminal.keys() as key:
        _live(report, fetch, view, key, args.every)
    return 0


def _live(
    report: Report, fetch: Callable[[], Report], view: View, key: Callable[[float], str], every_s: float
) -> None:
    trouble = ""
    while True:
        size = shutil.get_terminal_size()
        lines = screen(report, view, width=size.columns, height=size.lines, trouble=trouble, coloured=True)
        terminal.show(lines)
        pressed = key(every_s)
        if pressed in ("q", "Q", "\x1b"):
            return
        if pressed == "s":
            view.next_sort()
        if pressed == "w":
            view.next_window()
        try:
            report, trouble = fetch(), ""
        except LogUnavailable as fault:
            trouble = str(fault)


def screen(
    report: Report, view: View, *, width: int = 0, height: int = 0, trouble: str = "", coloured: bool = False
) -> list[str]:
    """The lines of one screen. `width` 0: lines are not cut, as for a pipe; `height` 0: all lines."""

    def styled(style: str, *texts: str) -> list[str]:
        return [f"{style}{text}{PLAIN}" for text in texts] if coloured else list(texts)

    lines = styled(BOLD, *_wrapped(for_terminal(title(report)), width, 0))
    lines += styled("", *_facts(report, width))
    for alert in report.alerts:
        lines += styled(RED, *_wrapped(for_terminal(f"! {alert.title}. {alert.action}".rstrip()), width, 2))
    if trouble:
        lines += styled(
            RED, *_wrapped(f"! Showing the last known figures. {for_terminal(trouble)}", width, 2)
        )
    lines.append("")
    rows = sorted(report.table.routes, key=SORTS[view.sort], reverse=True)
    if height:
        rows = rows[: max(0, height - len(lines) - 3)]
    shown = heads(report.table.routes)
    head, *others = _fitted(shown, [list(map(for_terminal, cells(row, shown))) for row in rows], width)
    lines += [*styled(DIM, head), *styled("", *others)]
    if not rows:
        lines.append("no requests yet in this window")
    if coloured:
        lines += ["", *styled(DIM, _cut(f"sorted by {view.sort}   q quit   s sort   w window", width))]
    return lines[:height] if height else lines


def _facts(report: Report, width: int) -> Iterator[str]:
    """The totals; if the line is too narrow, H-codes are shown without their meanings."""
    total = report.table.total
    found = facts(total)
    indent = fact_width(found) + 1
    for name, value in found:
        line = f"{name:<{indent}}{value}"
        if name == "H-codes" and 0 < width < len(line):
            codes = "  ".join(f"{code} {number(count)}" for code, count in total.codes.items())
            line = f"{name:<{indent}}{codes}"
        yield from _wrapped(for_terminal(line), width, indent)


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    """The text wrapped to `width`, with all lines but the first indented."""
    if not 0 < width < len(text):
        return [text]
    further = " " * (indent if width >= NARROWEST_INDENTED else 0)
    return textwrap.wrap(text, width, subsequent_indent=further, break_on_hyphens=False)


def _fitted(shown: list[str], rows: list[list[str]], width: int) -> list[str]:
    """The table fitted to `width` (0: no limit): routes are shortened first, then the last columns cut."""
    left = (0, len(shown) - 1)
    if not width:
        return table(shown, rows, left)
    used = max(len(line) for line in table(shown, [["", *row[1:]] for row in rows], left))
    widest = max((len(row[0]) for row in rows), default=0)
    room = max(NARROWEST_ROUTE, width - (used - len(shown[0])))
    lines = table(shown, [[shortened(row[0], min(widest, room)), *row[1:]] for row in rows], left)
    return [_cut(line, width) for line in lines]


def _cut(line: str, width: int) -> str:
    """The line, cut if it is longer than `width`; 0: not cut."""
    return line[: width - 1] + "\N{HORIZONTAL ELLIPSIS}" if 0 < width < len(line) else line
