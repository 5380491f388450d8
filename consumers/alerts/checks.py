"""What alerts need, for the release phase: which rules and targets are on, and whether anybody is told."""

from __future__ import annotations

from app.alerts.defaults import rules_of
from app.alerts.describe import is_on
from app.alerts.targets.registry import targets_of
from app.checks import Check, CheckResult
from app.errors import BadSettings
from app.formatting import plural
from app.settings import Settings


def _alerts(settings: Settings) -> CheckResult:
    """Raises BadSettings where a target lacks a variable: it would fail when it is needed."""
    rules = [rule for rule in rules_of(settings) if is_on(rule)]
    targets = targets_of(settings)
    if unset := [text for target in targets.values() for text in target.unset]:
        raise BadSettings(unset)
    own = [rule.name for rule in rules if not rule.is_default]
    default = [rule.name for rule in rules if rule.is_default]
    parts = [
        *([f"{plural(len(own), 'rule')} of your own ({', '.join(own)})"] if own else []),
        *([f"{len(default)} on by default ({', '.join(default)})"] if default else []),
    ]
    there = ", ".join(f"{target.name} ({target.host})" for target in targets.values())
    return CheckResult(
        f"{' and '.join(parts) or 'no rule is on'}; {'to ' + there if there else 'no target'}",
        tuple(_warnings(settings, bool(rules), bool(targets))),
    )


def _warnings(settings: Settings, has_rules: bool, has_targets: bool) -> list[str]:
    if has_rules and not has_targets:
        return [
            "nobody is told: alerts are on the page alone. Set ALERT_SLACK_URL, ALERT_WEBHOOK_URL, or "
            "another target of docs/alerts.md"
        ]
    if has_rules and not settings.tailrace_url:
        return ["messages will have no link to the page: set TAILRACE_URL to where people open it"]
    return []


CHECKS: tuple[tuple[str, Check], ...] = (("alerts", _alerts),)
