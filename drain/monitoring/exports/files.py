"""What is generated, and where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from drain.monitoring.exports.dashboard import dashboard_text
from drain.monitoring.exports.rules import rules_text

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"

DASHBOARD = ROOT / "deploy" / "grafana" / "tailrace.json"

FILES: Mapping[Path, Callable[[], str]] = {RULES: rules_text, DASHBOARD: dashboard_text}
