"""The rules that are on without a file, and the rules in force.

Few, and for every app alike, so they ask for more than a rule that knows its app has to. bench/alerts.py runs
them over simulated traffic: what they miss, and how often they call without a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.alerts.rule import EACH, Rule
from app.alerts.when import parse_when

if TYPE_CHECKING:
    from app.settings import Settings

DAY_S = 86_400


def _rule(name: str, when: str, *, route: str = "", for_s: int = 0, repeat_s: int = 4 * 3_600) -> Rule:
    return Rule(name, parse_when(when), route=route, for_s=for_s, repeat_s=repeat_s, is_default=True)


DEFAULT_RULES: tuple[Rule, ...] = (
    _rule("errors", "errors > 2%", for_s=40),
    _rule("route-errors", "errors > 5%", route=EACH, for_s=40),
    _rule("codes", "codes > 1% and codes > 10/min", for_s=40),
    _rule("slow", "p99 > 5s and p99 > 3x yesterday", for_s=40),
    _rule("silence", "silence 5m unless usual"),
    _rule("crashes", "crashed > 2"),
    # Every 20 s or so, as long as a dyno is over its quota (seen).
    _rule("memory", "R14 > 5", repeat_s=DAY_S),
    _rule("refused", "refused"),
    _rule("losses", "losses"),
    # Whoever deploys Tailrace has none of its workers for a moment. Much of it lasts until somebody acts.
    _rule("tailrace", "tailrace", for_s=60, repeat_s=DAY_S),
)


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Those of the file, and the default ones whose names it does not use."""
    own = {rule.name for rule in settings.alert_rules}
    return (*settings.alert_rules, *(rule for rule in DEFAULT_RULES if rule.name not in own))
