"""`python -m app alerts backtest`: the rules in force, over the figures that are kept."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import redis

from app.alerts.defaults import rules_of
from app.alerts.facts import Facts, Subject
from app.alerts.redis.facts import PAST_S, FactsReader
from app.alerts.rule import Rule
from app.alerts.silencing import UnknownRule, check_rule
from app.cli.alerts.past import (
    Backtest,
    PastIncident,
    earliest_s,
    moments,
    run_moments,
    split_rules,
)
from app.cli.alerts.progress import Progress
from app.cli.alerts.silence import BadUsage, unknown_rule
from app.cli.terminal import printable
from app.errors import LogUnavailable
from app.escaping import for_terminal, json_text
from app.formatting import NONE, duration, plural, table
from app.log import open_log
from app.redis_client import connect, unavailable_error
from app.settings import Settings
from app.store.queries.spans import FINE_S
from app.timespec import BadTime, iso_seconds, parse_time_ms

NAME = "backtest"
HELP = "what would have fired, by the rules in force, over what is kept"

REDIS_TIMEOUT_S = 20.0
NICENESS = 10
"""It reads much: whatever serves goes first."""

ROUTES_SHOWN = 3
INTERRUPTED = "interrupted"
EXIT_INTERRUPTED = 130


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The subcommand's own arguments."""
    parser.description = (
        "Judges the past by the rules in force, and lists what would have fired: when, what, for how long.\n"
        "It sends nothing. Within the last hour it judges every 10 s as the workers do, before that every\n"
        "minute; of what is over a day ago only whole hours are kept, so that is not judged."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app alerts backtest                                  the last day\n"
        "  python -m app alerts backtest --from 1h --rule errors\n"
        "  python -m app alerts backtest --from 08:00Z --until 10:00Z\n"
        "  TAILRACE_CONFIG=new.yml python -m app alerts backtest --json   rules that are not in force yet\n\n"
        "left out: rules on dynos, on releases that are worse, and on Tailrace itself, whose past is not\n"
        "kept. Silences are not heeded. Whether figures were complete at the time is not kept either: a\n"
        "backtest has the lines that came late.\n\n"
        "exit code: 0 whatever would have fired, 2 bad usage or settings, or Redis is unreachable,\n"
        "130 interrupted. Where Redis fails on the way, or Ctrl-C ends it, what was found until then is\n"
        "printed, with the time that was judged. Times are UTC without an offset of their own."
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        help="2026-11-23T10:00Z, 10:00Z (today) or 6h (ago) (default: the last day)",
    )
    parser.add_argument("--until", metavar="TIME", default="now", help="the same (default: now)")
    parser.add_argument("--rule", metavar="NAME", default="", help="this rule alone (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of text")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The exit code. Raises BadUsage, and LogUnavailable where Redis or the log is unreachable."""
    now_s = time.time()
    from_s, until_s = span_of(args.start, args.until, now_s)
    moments_s = moments(from_s, until_s, now_s)
    if not moments_s:
        raise BadUsage(_why_none(from_s, now_s))
    rules, left_out = split_rules(_chosen(settings, args.rule))
    found = Backtest(moments_s[0], moments_s[0], rules=[rule.name for rule in rules], left_out=left_out)
    if from_s < moments_s[0] - 60:
        found.not_judged_before_s = moments_s[0]
    fault: LogUnavailable | None = None
    if rules:
        os.nice(NICENESS)
        fault = _judge(found, rules, moments_s, settings)
    if fault is not None and not found.moments:
        raise fault
    if args.json:
        print(json_text(found, indent=2), flush=True)
    else:
        print("\n".join(printable([*map(for_terminal, lines(found))], sys.stdout.encoding)), flush=True)
    if fault is not None:
        raise fault
    return 0 if found.is_whole else EXIT_INTERRUPTED


def _why_none(from_s: int, now_s: float) -> str:
    last_s = last_moment_s(now_s)
    if from_s > last_s:
        last = iso_seconds(last_s)
        return f"--from: nothing after {last} can be judged yet: lines may still be on their way"
    first = iso_seconds(earliest_s(now_s))
    return f"nothing can be judged before {first}: of what was before only whole hours are kept"


def _judge(
    found: Backtest, rules: Sequence[Rule], moments_s: Sequence[int], settings: Settings
) -> LogUnavailable | None:
    """What was wrong with Redis or the log, if that ended it early."""
    progress = Progress(sys.stderr, len(moments_s))
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        reader = FactsReader(store, open_log(settings), settings)

        def read(rules: Sequence[Rule], at_s: int, watched: Sequence[Subject]) -> Facts:
            return reader.read(rules, at_s, time.time(), watched)

        try:
            run_moments(found, rules, moments_s, read, progress.show)
        except KeyboardInterrupt:
            found.ended_by = INTERRUPTED
        except (redis.RedisError, LogUnavailable) as fault:
            ended_by = fault if isinstance(fault, LogUnavailable) else unavailable_error(settings, fault)
            found.ended_by = str(ended_by)
            return ended_by
        finally:
            progress.clear()
    return None


def span_of(start: str | None, end: str, now_s: float) -> tuple[int, int]:
    """From when to when, Unix s. Raises BadUsage."""
    now = datetime.fromtimestamp(now_s, UTC)
    from_s = earliest_s(now_s) if start is None else _parsed("--from", start, now, None)
    until_s = _parsed("--until", end, now, datetime.fromtimestamp(from_s, UTC))
    if from_s >= now_s:
        raise BadUsage(
            f"--from: {iso_seconds(from_s)} is not in the past; times are UTC, and it is {now:%H:%M:%S}Z"
        )
    if until_s <= from_s:
        raise BadUsage(f"--until: {iso_seconds(until_s)} must be after --from, {iso_seconds(from_s)}")
    return from_s, min(until_s, last_moment_s(now_s))


def last_moment_s(now_s: float) -> int:
    """What is later is still judged as now, Unix s."""
    return int(now_s) - PAST_S - FINE_S


def _parsed(flag: str, text: str, now: datetime, day: datetime | None) -> int:
    try:
        return parse_time_ms(text, now, day) // 1000
    except BadTime as fault:
        raise BadUsage(f"{flag}: {fault}") from None


def _chosen(settings: Settings, name: str) -> list[Rule]:
    rules = rules_of(settings)
    try:
        check_rule(rules, name)
    except UnknownRule as fault:
        raise unknown_rule(fault) from None
    return [rule for rule in rules if name in ("", rule.name)]


def lines(found: Backtest) -> list[str]:
    """The result as text, not escaped."""
    rows = [_row(incident) for incident in found.incidents]
    heads = ("FIRED", "FOR", "SEVERITY", "RULES", "APP", "ROUTES", "REASON")
    output = [*table(heads, rows, left=range(len(heads))), ""] if rows else []
    if found.more_incidents:
        output += [f"and {plural(found.more_incidents, 'more incident')}", ""]
    return [*output, *_summary(found)]


def _row(incident: PastIncident) -> tuple[str, ...]:
    goes_on = incident.resolved_s is None
    shown = incident.routes[:ROUTES_SHOWN]
    more = len(incident.routes) - len(shown)
    return (
        iso_seconds(incident.fired_s),
        "goes on" if goes_on else duration(max(0, (incident.resolved_s or 0) - incident.fired_s)),
        incident.severity,
        ", ".join(incident.rules),
        incident.app or NONE,
        ", ".join([*shown, *([f"{more} more"] if more else [])]) or NONE,
        incident.text,
    )


def _summary(found: Backtest) -> Iterator[str]:
    count = len(found.incidents) + found.more_incidents
    if found.rules and (found.moments or found.is_whole):
        yield (
            f"{plural(count, 'incident')}, at most {plural(found.messages, 'message')} to a target. Judged: "
            f"{plural(found.moments, 'moment')} from {iso_seconds(found.from_s)} to "
            f"{iso_seconds(found.until_s)}, by {', '.join(found.rules)}."
        )
    if not found.is_whole:
        what = f"What was after {iso_seconds(found.until_s)} was not" if found.moments else "Nothing was"
        yield f"{what} judged: {found.ended_by}."
    if found.not_judged_before_s is not None:
        yield (
            f"Not judged: what was before {iso_seconds(found.not_judged_before_s)}, because only whole hours "
            "are kept of it."
        )
    for rule, at_s in found.judged_from_s.items():
        yield (
            f"{rule}: judged from {iso_seconds(at_s)} on, because it looks further back than is kept before "
            "that."
        )
    by_reason: dict[str, list[str]] = {}
    for left in found.left_out:
        by_reason.setdefault(left.reason, []).append(left.rule)
    for reason, names in by_reason.items():
        yield f"Left out: {', '.join(names)}: {reason}."
