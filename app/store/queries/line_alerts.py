"""Alerts about router lines that could not be used as they are. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.formatting import plural
from app.store.queries.alert import Alert, Severity
from app.store.queries.health import GroupHealth, Health

MANY_SHARE = 0.01
"""If more of all lines are like this, something is wrong with what is sent."""


def line_alerts(health: Health) -> Iterator[Alert]:
    """Of each group that has read such lines."""
    for group in health.groups:
        yield from _without_path(group)
        yield from _unreadable_times(group)
        yield from _forged_marks(group)


def _without_path(group: GroupHealth) -> Iterator[Alert]:
    if count := group.totals.get("without_path", 0):
        yield Alert(
            code=f"without_path:{group.group}",
            severity=_severity(group, count),
            title=f"{plural(count, 'router line')} had no path",
            text=f"{group.group} read {'it' if count == 1 else 'them'}, but counted no request, "
            "because a line without a path names no route.",
            action="`python -m app dead-letters list` shows one an hour as an example. If the lines are "
            "Heroku's, please report it; else have the sender write the `path` of each request.",
            count=count,
        )


def _unreadable_times(group: GroupHealth) -> Iterator[Alert]:
    if count := group.totals.get("unreadable_times", 0):
        yield Alert(
            code=f"unreadable_times:{group.group}",
            severity=_severity(group, count),
            title=f"{plural(count, 'time')} in router lines could not be read",
            text="Their requests count, but not in any latency. A time is a number, with `ms` or without.",
            action="If the lines are Heroku's, please report it; else have the sender write "
            "`connect` and `service` in milliseconds.",
            count=count,
        )


def _forged_marks(group: GroupHealth) -> Iterator[Alert]:
    if count := group.totals.get("forged_marks", 0):
        yield Alert(
            code=f"forged_marks:{group.group}",
            severity="note",
            title=f"{plural(count, 'request')} had a replay's mark without this installation's signature",
            text=f"{'It counts' if count == 1 else 'They count'} as traffic. Either clients send such an "
            "`X-Request-ID`, or another installation replays to this app with another key.",
            action="If it is your replay, give both installations the same `REPLAY_KEY`. "
            "Otherwise nothing is to be done.",
            count=count,
        )


def _severity(group: GroupHealth, count: int) -> Severity:
    return "warning" if count > MANY_SHARE * group.totals.get("messages", 0) else "note"
