"""Alerts about alerts by rules: nothing judges, or a target takes no messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.formatting import duration, plural
from app.store.queries.alert import Alert
from app.store.queries.health import Health

STOPPED_AFTER_S = 120
"""Rules are judged every 10 s; while a process that judged is replaced, nobody does for a moment."""

FAILED_SHOWN_S = 26 * 3_600
"""A target that takes nothing is shown for so long after the last message that it did not take: a little
more than a day, after which the rule `tailrace` tries it again. One that the settings no longer name gets
none, and so is not shown for ever."""


def alerting_alerts(health: Health) -> Iterator[Alert]:
    """What stops people from being told."""
    judged_s = health.alerting.judged_s
    if judged_s is not None and health.at_s - judged_s > STOPPED_AFTER_S:
        yield Alert(
            code="alerts_stopped",
            severity="warning",
            title="No process judges the figures by rules",
            text=f"They were judged last {duration(health.at_s - judged_s)} ago: whatever goes wrong with "
            "the apps, nobody is told.",
            action="Start one: `heroku ps:scale alerts=1`, or `python -m consumers.alerts`. A `metrics` "
            "worker does it as well. If one runs, its log says why it does not judge.",
            count=1,
        )
    for target in health.alerting.failing_targets:
        if health.at_s - target.given_up_s > FAILED_SHOWN_S:
            continue
        yield Alert(
            code=f"alert_target:{target.name}",
            severity="warning",
            title=f"{target.name} takes no alerts",
            text=f"{plural(target.given_up, 'message')} to it {'was' if target.given_up == 1 else 'were'} "
            f"given up, the last {duration(health.at_s - target.given_up_s)} ago: "
            f"{target.reason or 'it did not take them'}.",
            action=f"Try it with `python -m app alerts test {target.name}`.",
            count=target.given_up,
        )
