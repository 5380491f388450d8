"""From the platform's messages of a batch to what they add to each app. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from app.message import RouterMessage
from app.platform.facts import Fact
from app.platform.lines import parse
from app.store.bounds import OTHER
from app.store.platform_rows import PlatformRow
from app.store.schema import Counts
from consumers.current_message import Cursor
from consumers.metrics.batch_rows import FUTURE_MS
from consumers.metrics.platform.events import event_parts
from consumers.metrics.platform.gauges import gauge_parts


def platform_rows(
    messages: Sequence[RouterMessage],
    known_apps: Callable[[Iterable[str]], set[str]],
    cursor: Cursor,
    first_number: int,
    now_s: int,
) -> tuple[list[PlatformRow], Counts]:
    """The rows, and what is counted of all messages. `known_apps`: which apps have figures of their own; it
    may raise RedisError. `first_number`: of the first message, for the cursor."""
    if not messages:
        return [], {}
    by_app: dict[str, list[Fact]] = {}
    unread = 0
    for cursor[0], message in enumerate(messages, first_number):
        fact = parse(message)
        if fact is None:
            unread += 1
        else:
            by_app.setdefault(message["app"], []).append(_timed(fact, message["received_at"]))
    cursor[0] = 0
    known = known_apps(by_app)
    merged: dict[str, list[Fact]] = {}
    for app, facts in by_app.items():
        merged.setdefault(app if app in known else OTHER, []).extend(facts)
    rows = [
        PlatformRow(app, event_parts(facts, now_s), gauge_parts(facts, now_s))
        for app, facts in merged.items()
    ]
    counts = {"platform_messages": len(messages), "platform_unread": unread}
    return rows, {name: count for name, count in counts.items() if count}


def _timed(fact: Fact, received_ms: int) -> Fact:
    """The fact at its own time; at its arrival where a clock is broken, as router lines are."""
    if 0 < fact.at_ms <= received_ms + FUTURE_MS:
        return fact
    return replace(fact, at_ms=received_ms)
