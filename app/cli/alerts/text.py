"""The view of alerts as text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.alerts.board import Silence
from app.alerts.message import Finding
from app.alerts.redis.budgets import Budget
from app.alerts.redis.outbox import TargetStatus
from app.alerts.redis.view import Alarm, AlertsView, RuleView
from app.alerts.text import finding_line, release_line, request_line
from app.escaping import for_terminal
from app.formatting import NONE, duration, number, percent, plural, table
from app.timespec import iso_seconds

FINDINGS_SHOWN = 5
ALL = "all"
EACH_APP = "each"


def view_lines(view: AlertsView, now_s: float) -> list[str]:
    """What is urgent first."""
    parts = [
        _judged(view, now_s),
        [line for alarm in view.open for line in _open(alarm, now_s)] or [_quiet(view)],
        _rules(view.rules),
        _silences(view.silences, now_s),
        _targets(view.targets, now_s),
        _budgets(view.budgets),
        _ended(view.history),
    ]
    lines: list[str] = []
    for part in parts:
        if part:
            lines += ["", *part] if lines else part
    return [for_terminal(line) for line in lines]


def _quiet(view: AlertsView) -> str:
    return "Nothing is known to fire." if view.incomplete else "Nothing fires."


def _judged(view: AlertsView, now_s: float) -> list[str]:
    lines = [f"NOT KNOWN: {view.incomplete}"] if view.incomplete else []
    if view.evaluated_s is not None:
        by = f" by {view.evaluated_by}" if view.evaluated_by else ""
        lines.append(f"Judged {duration(max(0.0, now_s - view.evaluated_s))} ago{by}.")
    return lines


def _open(alarm: Alarm, now_s: float) -> Iterator[str]:
    incident, message = alarm.incident, alarm.message
    yield f"{incident.severity.upper()}  {message.title}"
    lasted = duration(max(0.0, now_s - incident.began_s))
    told = f"told at {iso_seconds(incident.told_s)}" if incident.told_s is not None else "not told yet"
    if incident.silenced_until_s is not None:
        told += f", silenced until {iso_seconds(incident.silenced_until_s)}"
    yield f"  since {iso_seconds(incident.began_s)}, for {lasted}; {told}"
    yield from _findings(message.findings, message.more_findings, message.app)
    requests = map(request_line, message.requests)
    for text in (message.dyno, release_line(message), *requests, message.action, message.link):
        if text:
            yield f"  {text}"


def _findings(findings: Sequence[Finding], more: int, app: str) -> Iterator[str]:
    for finding in findings[:FINDINGS_SHOWN]:
        yield f"  - {finding_line(finding, app)}"
    if left := more + max(0, len(findings) - FINDINGS_SHOWN):
        yield f"  - and {plural(left, 'more alert')}"


def _rules(rules: Sequence[RuleView]) -> list[str]:
    if not rules:
        return ["No rule is in force."]
    rows = [
        (
            rule.name,
            rule.state + (f" ({rule.subjects})" if rule.subjects > 1 else ""),
            rule.when or NONE,
            rule.app or EACH_APP,
            rule.route or ALL,
            duration(rule.for_s) if rule.for_s else NONE,
            ", ".join(rule.to) or ALL,
            iso_seconds(rule.silenced_until_s) if rule.silenced_until_s is not None else NONE,
        )
        for rule in rules
    ]
    heads = ("RULE", "STATE", "WHEN", "APP", "ROUTE", "FOR", "TO", "SILENCED UNTIL")
    return table(heads, rows, left=range(len(heads)))


def _silences(silences: Sequence[Silence], now_s: float) -> list[str]:
    return [
        f"Silenced: {silence.rule or 'every rule'}, {silence.app or 'every app'}, until "
        f"{iso_seconds(silence.until_s)} ({duration(max(0.0, silence.until_s - now_s + 1))} more)"
        for silence in silences
    ]


def _targets(targets: Sequence[TargetStatus], now_s: float) -> list[str]:
    if not targets:
        return [
            "No target: nobody is told. Set ALERT_SLACK_URL or the like, or `targets:` in the file of "
            "TAILRACE_CONFIG."
        ]
    rows = [
        (
            target.name,
            number(target.waiting),
            _ago(target.delivered_s, now_s),
            _ago(target.failed_s, now_s),
            number(target.given_up),
            target.reason or NONE,
        )
        for target in targets
    ]
    heads = ("TARGET", "WAITING", "DELIVERED", "FAILED", "GIVEN UP", "REASON")
    return table(heads, rows, left=(0, 2, 3, 5))


def _budgets(budgets: Sequence[Budget]) -> list[str]:
    rows = [
        (
            budget.rule,
            budget.app or NONE,
            budget.route or ALL,
            f"{budget.objective * 100:g} % of {duration(budget.over_s)}",
            _share(budget.left),
            number(budget.bad),
            number(budget.requests),
        )
        for budget in budgets
    ]
    heads = ("OBJECTIVE OF", "APP", "ROUTE", "OBJECTIVE", "BUDGET LEFT", "BAD", "REQUESTS")
    return table(heads, rows, left=(0, 1, 2, 3)) if rows else []


def _share(left: float | None) -> str:
    if left is None:
        return NONE
    return percent(left) if left >= 0 else f"overdrawn by {percent(-left)}"


def _ended(history: Sequence[Alarm]) -> list[str]:
    lines = [
        f"{iso_seconds(alarm.incident.began_s)}  {_lasted(alarm)}  {alarm.message.title}" for alarm in history
    ]
    return ["Ended within the last day:", *lines] if lines else []


def _lasted(alarm: Alarm) -> str:
    end_s = alarm.incident.resolved_s
    return duration(max(0, end_s - alarm.incident.began_s)) if end_s is not None else NONE


def _ago(at_s: int | None, now_s: float) -> str:
    return NONE if at_s is None else f"{duration(max(0.0, now_s - at_s))} ago"
