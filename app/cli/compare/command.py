"""Compares, after it has waited for what is still missing, and prints the result."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from app.cli.compare.arguments import LATEST
from app.cli.compare.conditions import parse_condition
from app.cli.compare.text import comparison_lines
from app.cli.compare.verdict import Judged, judge
from app.cli.compare.waiting import wait_until_complete
from app.cli.terminal import printable
from app.comparison.result import Comparison
from app.errors import TailraceError
from app.escaping import for_terminal, json_text
from app.redis_client import connect, unavailable_error
from app.settings import Settings
from app.store import queries
from app.store.queries.release_comparison import WINDOW_S
from app.timespec import iso, parse_time_ms

REDIS_TIMEOUT_S = 20.0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_REDIS = 3
EXIT_INCONCLUSIVE = 4


class BadUsage(TailraceError):
    """Flags that cannot be used together, or as given."""


@dataclass(frozen=True, slots=True)
class _Output:
    """What --json prints."""

    verdict: str
    exit_code: int
    reasons: list[str]
    findings: list[object]
    comparison: Comparison


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The exit code, as arguments.EPILOG says. Raises TailraceError for bad usage."""
    conditions = [parse_condition(text) for text in args.fail_if]
    spans = spans_of(args, time.time())
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            found = wait_until_complete(
                _finder(store, args, spans), args.wait, sys.stderr, may_come=spans is None
            )
        except redis.RedisError as fault:
            print(unavailable_error(settings, fault), file=sys.stderr)
            return EXIT_REDIS
    if found.refused:
        if args.json:
            print(json_text(_Output("", EXIT_USAGE, [found.refused], [], found), indent=2))
        print(for_terminal(found.refused), file=sys.stderr)
        return EXIT_USAGE
    judged = judge(found, conditions, is_strict=args.strict)
    code = {"passed": 0, "failed": EXIT_FAILED, "inconclusive": EXIT_INCONCLUSIVE}[judged.verdict]
    print(_json(found, judged, code) if args.json else _text(found, judged, code))
    return code


def _json(found: Comparison, judged: Judged, code: int) -> str:
    output = _Output(judged.verdict, code, judged.reasons, [*judged.findings], found)
    return json_text(output, indent=2)


def _text(found: Comparison, judged: Judged, code: int) -> str:
    return "\n".join(printable(comparison_lines(found, judged, code), sys.stdout.encoding))


Spans = tuple[queries.Span, queries.Span]


def _finder(
    store: redis.Redis, args: argparse.Namespace, spans: Spans | None
) -> Callable[[float], Comparison]:
    if spans is not None:
        return lambda now_s: queries.compare_spans(store, args.app, *spans, now_s)
    version = LATEST if args.release is None else args.release
    return lambda now_s: queries.compare_release(
        store, args.app, version, now_s, args.window if args.window is not None else WINDOW_S
    )


def spans_of(args: argparse.Namespace, now_s: float) -> Spans | None:
    """The two spans, or None where a release is asked for. Raises BadUsage, BadTime."""
    if args.start is None and args.other is None and not args.until:
        return None
    for flag, value in (("--release", args.release), ("--window", args.window)):
        if value is not None:
            raise BadUsage(f"{flag}: not together with --from, --until and --with, which give two spans")
    if args.start is None or args.other is None:
        raise BadUsage(
            "two spans take --from A --until B --with C --until D: one of --from and --with is missing"
        )
    if not 1 <= len(args.until) <= 2:
        raise BadUsage(
            "two spans take --until twice: the first for --from, the second for --with (default: now)"
        )
    now = datetime.fromtimestamp(now_s, UTC)
    ends = [*args.until, "now"]
    found = []
    for flag, start, end in (("--from", args.start, ends[0]), ("--with", args.other, ends[1])):
        from_ms = parse_time_ms(start, now)
        until_ms = parse_time_ms(end, now, datetime.fromtimestamp(from_ms / 1000, UTC))
        if until_ms <= from_ms:
            raise BadUsage(f"{flag}: its --until ({iso(until_ms)}) must be after it ({iso(from_ms)})")
        found.append(queries.Span((until_ms - from_ms) // 1000, until_ms // 1000))
    return found[0], found[1]
