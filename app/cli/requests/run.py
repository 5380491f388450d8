"""Runs one search: prints what was found as it is found, and says at the end what was read."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import redis

from app.cli.figures import warn_of_unknown
from app.cli.requests.arguments import GROUPS_SHOWN, LIMIT
from app.cli.requests.lines import Layout, group_json, group_lines, head, json_line, layout, text_line
from app.cli.requests.progress import ScanProgress
from app.cli.requests.routes import choose_route
from app.cli.requests.summary import Ending, summary_lines
from app.cli.terminal import printable
from app.connections import open_connection_matcher
from app.errors import LogUnavailable, TailraceError
from app.escaping import for_terminal
from app.log import History, MessageLog, Reach, open_log
from app.redis_client import connect, unavailable_error
from app.search.filters import RequestFilter
from app.search.found import FoundRequest
from app.search.groups import Groups
from app.search.rows import RouteRowNames, plain_row_names, read_row_names
from app.search.search import AHEAD_MS, Follow, Parts, RequestSearch
from app.settings import Settings
from app.store import queries
from app.timespec import BadTime, iso, parse_time_ms

REDIS_TIMEOUT_S = 5.0

NICENESS = 10
"""Beside the drain on one host, a scan takes what the drain leaves of the processor (bench/README.md)."""

EXIT_NOTHING = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class BadUsage(TailraceError):
    """Flags that cannot be used as given."""


@dataclass(frozen=True, slots=True)
class Span:
    """When, Unix ms; None: where the flag was not given."""

    from_ms: int | None
    until_ms: int | None


def run(args: argparse.Namespace, settings: Settings) -> int:
    """See the exit codes in arguments.EPILOG. Raises TailraceError for bad usage and an unreachable log."""
    span = span_of(args, datetime.now(UTC))
    os.nice(NICENESS)
    log = open_log(settings)
    with ExitStack() as opened:
        history = opened.enter_context(closing(log.history()))
        reach = history.reach()
        rows, apps = _tables(args, settings)
        wanted = _filter_of(args, rows)
        is_connection = open_connection_matcher(settings)
        search = RequestSearch(wanted, rows, is_connection, span.from_ms or 0, span.until_ms)
        printer = _Printer(args, _layout(args, settings, len(apps) > 1))
        if args.follow:
            opened.close()  # The tail opens its own, again after each outage.
            _print_all(_followed(log, search, span), search, printer, None)
        else:
            expected = _expected(history, search)
            _print_all(search.run(history, newest_first=not args.oldest_first), search, printer, expected)
            printer.ending.was_overtaken = history.was_overtaken
    printer.finish()
    if printer.lacks_ids:
        _say("the terminal is too narrow for request ids: widen it, or use --json")
    return _end(args, log, search, span, reach, printer.ending)


def span_of(args: argparse.Namespace, now: datetime) -> Span:
    """Raises BadUsage, with the flag's name."""
    from_ms = _time("--from", args.start, now)
    if args.follow and args.until is not None:
        raise BadUsage("--until: --follow has no end; leave out one of them")
    if from_ms is not None and from_ms > now.timestamp() * 1000:
        raise BadUsage(f"--from: {iso(from_ms)} is in the future; times are UTC, and it is {now:%H:%M:%S}Z")
    day = now if from_ms is None else datetime.fromtimestamp(from_ms / 1000, UTC)
    until_ms = _time("--until", args.until, now, day)
    if until_ms is not None and until_ms <= (from_ms or 0):
        raise BadUsage(f"--until: {iso(until_ms)} must be after --from, {iso(from_ms or 0)}")
    return Span(from_ms, until_ms)


def _time(flag: str, text: str | None, now: datetime, day: datetime | None = None) -> int | None:
    try:
        return None if text is None else parse_time_ms(text, now, day)
    except BadTime as fault:
        raise BadUsage(f"{flag}: {fault}") from None


def _tables(args: argparse.Namespace, settings: Settings) -> tuple[RouteRowNames, list[str]]:
    """The rows of the page, and the names of all apps. Without Redis, routes have their own names."""
    with closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            warn_of_unknown(store, settings, args.app)
            apps = [app.name for app in queries.apps(store).apps]
            return read_row_names(store, args.app, settings), apps
        except redis.RedisError as fault:
            why: Exception = unavailable_error(settings, fault)
        except LogUnavailable as fault:
            why = fault
    _say(f"{why}. So routes are named without the page's table")
    return plain_row_names(settings), []


def _filter_of(args: argparse.Namespace, rows: RouteRowNames) -> RequestFilter:
    """Raises BadUsage and UnknownRoute."""
    wanted = RequestFilter(
        app=args.app,
        path=args.path or "",
        method=args.method or "",
        statuses=tuple(args.status),
        code=args.code or "",
        dyno=args.dyno or "",
        host=args.host or "",
        ip=args.ip or "",
        request_id=args.request_id or "",
        slower_than_ms=args.slower_than,
        only_failed=args.failed,
    )
    if not args.route:
        return wanted
    choice = choose_route(args.route, rows)
    if choice.path and args.path:
        raise BadUsage(f"--route: {choice.note}, and --path says which already: leave out one of them")
    if choice.note:
        _say(choice.note)
    return replace(wanted, route=choice.route, path=choice.path or wanted.path)


def _layout(args: argparse.Namespace, settings: Settings, has_apps: bool) -> Layout:
    is_tty = sys.stdout.isatty()
    return layout(
        shutil.get_terminal_size().columns if is_tty else None,
        has_app=has_apps and not args.app,
        has_colours=is_tty and settings.terminal not in ("", "dumb"),
        shows_query=args.show_query,
    )


class _Printer:
    """Prints requests as they are found, or counts them in groups to print at the end."""

    def __init__(self, args: argparse.Namespace, shape: Layout) -> None:
        self._args = args
        self._shape = shape
        self._groups = Groups(args.group_by) if args.group_by else None
        default = GROUPS_SHOWN if args.group_by else 0 if args.follow else LIMIT
        self.limit = default if args.limit is None else args.limit
        self.ending = Ending()

    def add(self, found: FoundRequest) -> bool:
        """Whether there is room for more."""
        ending = self.ending
        ending.found += 1
        ending.last = found
        if self._groups is not None:
            self._groups.add(found)
            return True
        if self._args.json:
            print(json_line(found, shows_query=self._args.show_query))
        else:
            if ending.found == 1:
                _print([head(self._shape)])
            _print([text_line(found, self._shape)])
        ending.was_cut = bool(self.limit) and ending.found >= self.limit
        return not ending.was_cut

    @property
    def counts(self) -> bool:
        """It prints nothing before the end."""
        return self._groups is not None

    @property
    def lacks_ids(self) -> bool:
        """It has printed lines without room for request ids."""
        is_text = self._groups is None and not self._args.json
        return is_text and self.ending.found > 0 and not self._shape.has_id

    def finish(self) -> None:
        """Prints the groups, if it counts any."""
        if self._groups is None or not self.ending.found:
            return
        by, groups = self._args.group_by, self._groups.result(self.limit or None)
        if self._args.json:
            for group in groups:
                print(group_json(by, group))
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            _print(group_lines(by, groups, width))
        sys.stdout.flush()


def _print(lines: list[str]) -> None:
    print("\n".join(printable(lines, sys.stdout.encoding)))


def _say(text: str) -> None:
    print("\n".join(printable([for_terminal(text)], sys.stderr.encoding)), file=sys.stderr)


def _followed(log: MessageLog, search: RequestSearch, span: Span) -> Parts:
    def say_outage(fault: LogUnavailable | None) -> None:
        _say("the log is back" if fault is None else f"{fault}. Waiting; nothing that comes in is missed")

    start_ms = int(time.time() * 1000) if span.from_ms is None else max(0, span.from_ms - AHEAD_MS)
    yield from Follow(search, say_outage).run(log.history, start_ms)


def _expected(history: History, search: RequestSearch) -> int | None:
    """About how many lines are to be read; None where nobody looks."""
    if not sys.stderr.isatty():
        return None
    return history.estimate(search.from_ms, search.until_ms or int(time.time() * 1000))


def _print_all(parts: Parts, search: RequestSearch, printer: _Printer, expected: int | None) -> None:
    """Until the end, the limit, Ctrl-C, or the log's failure: what was found until then is printed."""
    progress = ScanProgress(sys.stderr, expected)
    try:
        for part in parts:
            if part and not printer.counts:
                progress.clear()
            if not all(printer.add(found) for found in part):
                break
            if part:
                sys.stdout.flush()
            progress.show(search.lines_read, printer.ending.found)
    except KeyboardInterrupt:
        printer.ending.was_interrupted = True
    except LogUnavailable as fault:
        printer.ending.failure = str(fault)
    finally:
        progress.clear()
        parts.close()


def _end(
    args: argparse.Namespace,
    log: MessageLog,
    search: RequestSearch,
    span: Span,
    reach: Reach | None,
    ending: Ending,
) -> int:
    """Says what was read, and gives the exit code."""
    sys.stdout.flush()
    for line in summary_lines(args, search, span.from_ms, reach, ending, log.advice):
        _say(line)
    if ending.was_interrupted:
        return EXIT_INTERRUPTED
    if ending.failure:
        return EXIT_USAGE
    return 0 if ending.found else EXIT_NOTHING
