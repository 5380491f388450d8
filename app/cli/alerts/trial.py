"""`python -m app alerts test`: sends one message to a target, so that nobody learns in the night that it does
not get there."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from app.alerts.compose import test_message
from app.alerts.defaults import rules_of
from app.alerts.message import Message
from app.alerts.targets.registry import KINDS, targets_of
from app.alerts.targets.target import DeliveryFailed, Target
from app.cli.terminal import printable
from app.errors import TailraceError
from app.escaping import for_terminal
from app.formatting import milliseconds
from app.settings import Settings

NAME = "test"
HELP = "send one test message to a target, or to all targets of a rule"

TIMEOUT_S = 15.0
EXIT_FAILED = 1


class UnknownTarget(TailraceError):
    """Neither a target nor a rule has this name, or a rule has no targets."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The subcommand's own arguments."""
    parser.description = (
        "Sends one message that says it is a test, straight from here: neither Redis nor a worker is\n"
        "needed, and no silence holds it back."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app alerts test ops            the target `ops` of the file\n"
        "  python -m app alerts test slack          the one of ALERT_SLACK_URL\n"
        "  python -m app alerts test errors         every target of the rule `errors`\n\n"
        "exit code: 0 each of them took it, 1 one did not, 2 bad usage or settings, 130 interrupted"
    )
    parser.add_argument("name", metavar="NAME", help="a target, or else a rule")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The exit code. Raises UnknownTarget."""
    chosen = targets_named(settings, args.name)
    now_s = int(time.time())
    results = [_send(target, test_message(target.name, settings.tailrace_url, now_s)) for target in chosen]
    return 0 if all(results) else EXIT_FAILED


def targets_named(settings: Settings, name: str) -> list[Target]:
    """The target of this name, or those of the rule. Raises UnknownTarget."""
    targets = targets_of(settings)
    if name in targets:
        return [targets[name]]
    rules = {rule.name: rule for rule in rules_of(settings)}
    rule = rules.get(name)
    if rule is None:
        raise UnknownTarget(
            f"no target and no rule is named {name!r}. Targets: {', '.join(targets) or 'none'}; "
            f"rules: {', '.join(rules) or 'none'}"
        )
    found = [targets[to] for to in rule.to or tuple(targets) if to in targets]
    if not found:
        raise UnknownTarget(
            f"the rule {name!r} has no target: set ALERT_SLACK_URL or the like, or `targets:` in the file "
            "of TAILRACE_CONFIG (docs/alerts.md)"
        )
    return found


def _send(target: Target, message: Message, clock: Callable[[], float] = time.monotonic) -> bool:
    """Whether the target took it; says so."""
    _say(f"{target.name} ({target.kind}, {target.host}): sending a test message", sys.stderr.isatty())
    started_s = clock()
    try:
        reason = "; ".join(target.unset) or _failure(target, message)
    finally:  # Ctrl-C, too.
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    took = milliseconds((clock() - started_s) * 1000)
    mark, what = ("\N{BALLOT X}", reason) if reason else ("\N{CHECK MARK}", f"took it, in {took}")
    line = for_terminal(f"{mark} {target.name} ({target.kind}, {target.host}): {what}")
    print("\n".join(printable([line], sys.stdout.encoding)), flush=True)
    return not reason


def _failure(target: Target, message: Message) -> str:
    """Why it did not take the message; empty: it did."""
    try:
        KINDS[target.kind].send(target, message, TIMEOUT_S)
    except DeliveryFailed as fault:
        return fault.reason
    except Exception as fault:  # A defect, whose text may hold the URL.
        return f"{type(fault).__name__} while sending"
    return ""


def _say(text: str, is_wanted: bool) -> None:
    if is_wanted:
        print(for_terminal(text), end="", file=sys.stderr, flush=True)
