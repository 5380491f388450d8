"""Rules and targets in a line each, for people: `python -m app config` and the release phase. Pure."""

from __future__ import annotations

from app.alerts.condition import Scope
from app.alerts.rule import EACH, Rule
from app.alerts.targets.target import Target
from app.alerts.wording import span_of

NEVER = "never"


def is_on(rule: Rule) -> bool:
    """Whether it can fire at all."""
    return rule.text != NEVER


def rule_line(rule: Rule) -> str:
    """`alert errors: errors > 2% for 1m, each app, to all targets (on by default)`."""
    if not is_on(rule):
        return f"alert {rule.name}: off"
    held = f" for {span_of(rule.for_s)}" if rule.for_s else ""
    to = ", ".join(rule.to) if rule.to else "all targets"
    by_default = " (on by default)" if rule.is_default else ""
    return f"alert {rule.name}: {rule.text}{held}, {subject_words(rule)}, to {to}{by_default}"


def subject_words(rule: Rule) -> str:
    """`shop, each route`, `each app`, `Tailrace itself`."""
    scopes: set[Scope] = {condition.scope for condition in rule.when}
    if "tailrace" in scopes and not rule.app:
        return "Tailrace itself"
    route = "each route" if rule.route == EACH else rule.route
    return ", ".join(filter(None, (rule.app or "each app", route)))


def target_line(target: Target) -> str:
    """`target ops: slack, hooks.slack.com`; nothing that may be secret."""
    missing = "; not usable, because a variable is unset" if target.unset else ""
    return f"target {target.name}: {target.kind}, {target.host or 'no host'}{missing}"
