"""`python -m app routes`: the rows of routes, the templates that were learned, and how to change both."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from app.errors import BadSettings
from app.escaping import for_terminal, json_text
from app.formatting import NONE, number, plural, table
from app.redis_client import connect, unavailable_error
from app.routes import compile_rules
from app.settings import Settings
from app.store import queries
from app.store.bounds import NOT_FOUND, OTHER
from app.store.route_table import (
    PATHS_SHOWN,
    LearnedTemplate,
    Move,
    Mover,
    RowUse,
    forget,
    frequent_paths,
    learned_templates,
    retire,
    rows,
)

REDIS_TIMEOUT_S = 10.0
PATHS_IN_TABLE = 5
PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class RowShown:
    """One row; `last_s`: its last request, Unix s, 0 if not known. `paths`: of a row that stands for many,
    the most frequent ones, each count a lower bound."""

    route: str
    requests: int
    last_s: int
    paths: dict[str, int]


@dataclass(frozen=True, slots=True)
class TableShown:
    """An app's table; "": all apps together."""

    app: str
    routes_max: int
    rows: list[RowShown]
    templates: dict[str, LearnedTemplate]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The rows in which requests are counted, and the templates that workers have learned.\n\n"
        "list            rows with their requests, busiest first; templates; frequent paths of (not found)\n"
        "merge PATTERN   merges all rows that match into one, and counts new paths that match there, too\n"
        "drop ROUTE ...  adds rows to (other); a route that is requested again gets a row if there is room\n"
        "forget-learned  takes templates back: new paths get rows of their own again, and workers do not\n"
        "                learn these again (merge brings one back); what was merged stays merged\n\n"
        "Merging keeps every sum: counts are added, latency distributions too. A pattern under `routes:` in\n"
        "the file of TAILRACE_CONFIG always wins over what was learned."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app routes list --app shop\n"
        "  python -m app routes merge '/:locale/products/:name'\n"
        "  python -m app routes drop /old-page /older-page --app shop\n"
        "  python -m app routes forget-learned '/blog/:name'\n"
        "  python -m app routes forget-learned --all\n"
        "exit code: 0 done, 1 something was not found or Redis is unreachable, 2 bad usage"
    )
    parser.add_argument("action", choices=("list", "merge", "drop", "forget-learned"))
    parser.add_argument("route", nargs="*", help="a pattern, routes, or templates, as `list` shows them")
    parser.add_argument(
        "--app", help="only this app's table (default: those of all apps; list: all together)"
    )
    parser.add_argument("--all", action="store_true", help="forget-learned: every template")
    parser.add_argument("--json", action="store_true", help="list: one JSON object")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if usage := _bad_usage(args):
        print(f"routes {args.action}: {usage}", file=sys.stderr)
        return 2
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    try:
        if args.action == "list":
            return _list(store, args.app or "", settings, as_json=args.json)
        apps = _apps(store) if args.app is None else [args.app]
        if args.action == "forget-learned":
            return _forget(store, apps, args.route)
        if args.action == "drop":
            done = _drop(store, apps, args.route)
        else:
            done = _merge(store, apps, args.route[0], settings)
        _finish(Mover(store, settings.routes_max))
        return done
    except redis.RedisError as fault:
        print(unavailable_error(settings, fault), file=sys.stderr)
        return 1
    finally:
        store.close()


def _bad_usage(args: argparse.Namespace) -> str:
    """What is wrong with the arguments; empty if nothing is."""
    given = len(args.route)
    if args.action == "list":
        return "takes no routes; it shows all rows" if given else ""
    if args.action == "merge":
        if given != 1:
            return "give one pattern, such as '/blog/:name' (in quotes)"
        try:
            compile_rules(args.route, "the pattern")
        except BadSettings as fault:
            return "; ".join(fault.faults)
        return (
            "" if ":" in args.route[0] or "*" in args.route[0] else "a pattern has a :name or a *rest in it"
        )
    if args.action == "drop":
        return "" if given else "give the routes to drop, as `list` shows them"
    return "" if bool(given) != args.all else "give templates, as `list` shows them, or --all"


def _apps(store: redis.Redis) -> list[str]:
    """All tables: all apps together, and each app."""
    return ["", *(app.name for app in queries.apps(store).apps)]


# --- list -----------------------------------------------------------------------------------


def read_table(store: redis.Redis, app: str, routes_max: int) -> TableShown:
    """The table of an app, busiest rows first. Raises redis.RedisError."""
    templates = learned_templates(store, app)
    for_many = {OTHER, NOT_FOUND, *templates}

    def shown(row: RowUse) -> RowShown:
        paths = frequent_paths(store, app, row.digest, PATHS_SHOWN) if row.route in for_many else {}
        return RowShown(row.route, row.requests, row.last_s, paths)

    found = sorted(rows(store, app), key=lambda row: (-row.requests, row.route))
    return TableShown(app, routes_max, list(map(shown, found)), templates)


def _list(store: redis.Redis, app: str, settings: Settings, *, as_json: bool) -> int:
    if app and app not in _apps(store):
        print(f"no requests of an app {for_terminal(app)!r} were counted", file=sys.stderr)
        return 1
    found = read_table(store, app, settings.routes_max)
    print(json_text(found) if as_json else "\n".join(lines(found)))
    return 0


def lines(found: TableShown) -> list[str]:
    """The table as text."""
    head = (
        f"{found.app or 'all apps together'}: {plural(len(found.rows), 'row')} of at most {found.routes_max}"
    )
    shown = [(for_terminal(row.route), number(row.requests), _moment(row.last_s)) for row in found.rows]
    output = [head, "", *table(("ROUTE", "REQUESTS", "LAST REQUEST"), shown)]
    for row in found.rows:
        if row.paths:
            frequent = list(row.paths.items())[:PATHS_IN_TABLE]
            paths = ", ".join(f"{for_terminal(path)} {number(count)}" for path, count in frequent)
            output += ["", f"most frequent in {for_terminal(row.route)}: {paths}"]
    if found.templates:
        facts = [
            (for_terminal(name), _origin(template), _moment(template.at_s))
            for name, template in sorted(found.templates.items())
        ]
        output += ["", *table(("TEMPLATE", "BY", "SINCE"), facts)]
    return output


def _origin(template: LearnedTemplate) -> str:
    if template.is_forgotten:
        return "forgotten"
    return "learned" if template.by == "worker" else "merged by hand"


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%SZ}" if at_s else NONE


# --- merge, drop, forget --------------------------------------------------------------------


def _merge(store: redis.Redis, apps: list[str], pattern: str, settings: Settings) -> int:
    ((regex, _),) = compile_rules([pattern])
    template = LearnedTemplate("operator", int(time.time()), is_pattern=True)

    def into_pattern(found: Iterable[RowUse]) -> list[Move]:
        return [
            Move(row.route, row.digest, pattern)
            for row in found
            if row.route != pattern and row.route.startswith("/") and regex.fullmatch(row.route)
        ]

    merged = _retire(store, apps, into_pattern, {pattern: template})
    if not merged:
        print(f"no row matches {for_terminal(pattern)}", file=sys.stderr)
        return 1
    print(f"{plural(merged, 'row')} merged into {for_terminal(pattern)}")
    if settings.route_templates == "raw":
        print("ROUTE_TEMPLATES is raw: new paths that match get rows of their own", file=sys.stderr)
    return 0


def _drop(store: redis.Redis, apps: list[str], routes: list[str]) -> int:
    wanted = set(routes) - {OTHER}
    there: set[str] = set()

    def into_other(found: Iterable[RowUse]) -> list[Move]:
        moves = [Move(row.route, row.digest, OTHER) for row in found if row.route in wanted]
        there.update(move.route for move in moves)
        return moves

    dropped = _retire(store, apps, into_other, {})
    print(f"{plural(dropped, 'row')} added to {OTHER}")
    for route in sorted(set(routes) - there):
        print(f"{for_terminal(route)}: no such row", file=sys.stderr)
    return 0 if there == set(routes) else 1


def _retire(
    store: redis.Redis,
    apps: list[str],
    moves_of: Callable[[Iterable[RowUse]], list[Move]],
    templates: dict[str, LearnedTemplate],
) -> int:
    """Retires rows of these tables; how many. Templates are remembered where there are any."""
    retired = 0
    for app in apps:
        if moves := moves_of(rows(store, app)):
            retired += retire(store, app, moves, templates)
    return retired


def _forget(store: redis.Redis, apps: list[str], templates: list[str]) -> int:
    forgotten: set[str] = set()
    for app in apps:
        known = [
            name for name, template in learned_templates(store, app).items() if not template.is_forgotten
        ]
        chosen = [name for name in known if name in templates or not templates]
        forget(store, app, chosen, int(time.time()))
        forgotten.update(chosen)
    print(f"{plural(len(forgotten), 'template')} forgotten")
    for name in sorted(set(templates) - forgotten):
        print(f"{for_terminal(name)}: no such template", file=sys.stderr)
    return 0 if forgotten >= set(templates) else 1


def _finish(mover: Mover) -> None:
    """Adds the figures of retired rows to those of the others. Workers do it, too: Ctrl-C loses nothing."""
    is_terminal = sys.stderr.isatty()
    total = mover.waiting()
    next_s = time.monotonic() + PROGRESS_EVERY_S
    while left := mover.step(time.time()):
        total = max(total, left)
        if is_terminal and time.monotonic() >= next_s:
            next_s = time.monotonic() + PROGRESS_EVERY_S
            print(
                f"\radding figures: {total - left:,} of {total:,} rows\033[K",
                end="",
                file=sys.stderr,
                flush=True,
            )
    if is_terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
