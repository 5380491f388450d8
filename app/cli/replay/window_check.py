"""Looks whether there is anything to replay, before anything is sent or recorded."""

from __future__ import annotations

import argparse
import re
import sys
import time

from app.errors import TailraceError
from app.escaping import for_terminal
from app.log import History
from app.log_status import LogAdvice
from app.timespec import iso
from consumers.replay.choice import reach as log_reach
from consumers.replay.choice.first_look import unseen_route_lines, why_nothing_is_sent
from consumers.replay.window import WindowReplay

_WITHOUT_ZONE = re.compile(r"\d{1,2}:\d{2}(:\d{2})?|.*[T ]\d{2}(:?\d{2}){0,2}(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)


class NothingToReplay(TailraceError):
    """The window has no request that would be sent; the text says why, and what would do."""


def check_window(window: WindowReplay, history: History, advice: LogAdvice, args: argparse.Namespace) -> None:
    """Says which window is read, warns where the log has only a part of it, and notes how much is missing.
    Raises NothingToReplay, SameHost and LogUnavailable."""
    plan = window.plan
    now_ms = int(time.time() * 1000)
    zone = ""
    if any(_WITHOUT_ZONE.fullmatch(text) or _DATE.fullmatch(text) for text in (args.start, args.until)):
        zone = "; times without an offset are UTC"
    _say(f"window: {iso(plan.from_ms)} to {iso(plan.until_ms)}{zone}")
    found = history.reach()
    if why := log_reach.why_outside(
        found, plan.from_ms, plan.until_ms, now_ms, advice.keep_longer, args.start
    ):
        raise NothingToReplay(why)
    if found is None:
        return
    window.missing_ms = log_reach.missing_ms(found, plan.from_ms, plan.until_ms, now_ms)
    for line in log_reach.partly_outside(found, plan.from_ms, plan.until_ms, now_ms, advice.keep_longer):
        _say(f"warning: {line}")
    look = window.first_look(history)
    if args.resume:
        return  # The rest of a run may well be empty.
    if not look.lines:
        raise NothingToReplay(
            f"nothing was received from {log_reach.said(plan.from_ms, now_ms)} to "
            f"{log_reach.said(plan.until_ms, now_ms)}; the log has requests from "
            f"{log_reach.said(found.first_ms, now_ms)} to {log_reach.said(found.last_ms, now_ms)}"
        )
    if not look.can_send:
        raise NothingToReplay(why_nothing_is_sent(look, plan.app, plan.policy))
    for line in unseen_route_lines(look):
        _say(f"warning: {line}")


def _say(text: str) -> None:
    print(for_terminal(text), file=sys.stderr)
