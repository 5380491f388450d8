"""`alerts:` of the YAML file, parsed into checked rules. Pure."""

from __future__ import annotations

from typing import Any

from app.alerts.rule import Rule


def parse_alerts(entries: Any) -> tuple[Rule, ...]:
    """Raises BadSettings with every fault of every rule, ValueError if it is no list of rules."""
    return ()
