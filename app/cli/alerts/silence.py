"""`python -m app alerts silence`: nothing is sent of a rule for a while."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

import redis

from app.alerts.board import Silence
from app.alerts.defaults import rules_of
from app.alerts.redis.silences import add_silence, end_silence
from app.alerts.rule import EVERY_RULE
from app.alerts.silencing import UnknownRule, silence_for
from app.cli.figures import warn_of_unknown
from app.errors import TailraceError, TooManySilences
from app.escaping import for_terminal
from app.formatting import duration
from app.redis_client import connect, unavailable_error
from app.settings import Settings
from app.settings.readers import app_argument
from app.store.bounds import SILENCES_MAX
from app.timespec import iso_seconds

NAME = "silence"
HELP = "send nothing of a rule for a while, or again from now on"

REDIS_TIMEOUT_S = 5.0
EXIT_FAILED = 1


class BadUsage(TailraceError):
    """Arguments that cannot be used together, or as given."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The subcommand's own arguments."""
    parser.description = (
        "Sends nothing of a rule for a while. It is judged and shown all the same; what still fires when\n"
        "the silence ends is sent then. A new silence of the same rule and app replaces the one before."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app alerts silence errors 1h\n"
        "  python -m app alerts silence errors 2d --app shop\n"
        "  python -m app alerts silence all 30m                every rule, for a planned outage\n"
        "  python -m app alerts silence errors --app shop --end\n\n"
        "exit code: 0 done, 1 there was none to end, or too many are in force, 2 bad usage or settings, or\n"
        "Redis is unreachable"
    )
    parser.add_argument("rule", metavar="NAME", help="a rule, as `list` shows it, or `all`")
    parser.add_argument("length", nargs="?", metavar="TIME", help="how long: 30m, 1h, 2d, at most 31d")
    parser.add_argument("--app", type=app_argument, default="", help="of this app alone (default: every app)")
    parser.add_argument("--end", action="store_true", help="end it now")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The exit code. Raises BadUsage, and LogUnavailable where Redis is unreachable."""
    if (args.length is None) != args.end:
        raise BadUsage(
            "--end: takes no TIME; it ends the silence now"
            if args.end
            else "for how long? Write a TIME such as 1h after the rule, or --end"
        )
    rule = "" if args.rule == EVERY_RULE else args.rule
    now_s = time.time()
    silence = None if args.end else _silence(settings, rule, args.app, args.length, now_s)
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            if silence is None:
                return _end(store, rule, args.app)
            warn_of_unknown(store, settings, args.app)
            return _add(store, silence, now_s)
        except redis.RedisError as fault:
            raise unavailable_error(settings, fault) from None


def _silence(settings: Settings, rule: str, app: str, length: str, now_s: float) -> Silence:
    try:
        return silence_for(rules_of(settings), rule, app, length, now_s)
    except UnknownRule as fault:
        raise unknown_rule(fault) from None
    except ValueError as fault:
        raise BadUsage(f"TIME {fault}") from None


def unknown_rule(fault: UnknownRule) -> BadUsage:
    """The error of a command, with the rules that there are."""
    return BadUsage(f"no rule is named {fault.name!r}. There are: {', '.join(fault.names) or 'none'}")


def _add(store: redis.Redis, silence: Silence, now_s: float) -> int:
    try:
        add_silence(store, silence, now_s)
    except TooManySilences:
        print(f"{SILENCES_MAX} silences are in force already: end one that is not needed", file=sys.stderr)
        return EXIT_FAILED
    length = duration(silence.until_s - now_s + 1)
    print(f"{_what(silence.rule, silence.app)}: nothing is sent for {length}, until {_until(silence)}")
    return 0


def _end(store: redis.Redis, rule: str, app: str) -> int:
    if end_silence(store, rule, app):
        print(f"{_what(rule, app)}: the silence is over")
        return 0
    print(f"{_what(rule, app)}: not silenced. `python -m app alerts list` shows what is", file=sys.stderr)
    return EXIT_FAILED


def _what(rule: str, app: str) -> str:
    return for_terminal(f"{rule or 'every rule'}, {app or 'every app'}")


def _until(silence: Silence) -> str:
    return iso_seconds(silence.until_s)
