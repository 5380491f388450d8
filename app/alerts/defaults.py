"""The rules that are on without a file, and the rules in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.alerts.rule import Rule

if TYPE_CHECKING:
    from app.settings import Settings

DEFAULT_RULES: tuple[Rule, ...] = ()


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Those of the file, and the default ones whose names it does not use."""
    own = {rule.name for rule in settings.alert_rules}
    return (*settings.alert_rules, *(rule for rule in DEFAULT_RULES if rule.name not in own))
