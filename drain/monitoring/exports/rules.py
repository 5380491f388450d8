"""deploy/prometheus/rules.yml: recording rules, alerts about the apps, alerts about Tailrace itself."""

from __future__ import annotations

from typing import Any

import yaml

from drain.monitoring.exports.alert import Alert
from drain.monitoring.exports.app_alerts import app_alerts
from drain.monitoring.exports.own_alerts import own_alerts
from drain.monitoring.exports.recording import recordings

HEAD = """\
# Rules for Prometheus: docs/prometheus.md says how to load them.
# Generated from drain/monitoring by `make generated`: change them there, or keep a copy of your own.
"""

RUNBOOK = "docs/runbook.md"


def rules_text() -> str:
    """The whole file."""
    recorded = [{"record": rule.name, "expr": rule.expr} for rule in recordings()]
    groups: dict[str, list[dict[str, Any]]] = {
        # One group, because the rules of a group run one after the other, and at the same moment.
        "tailrace-apps": [*recorded, *map(_alert, app_alerts())],
        "tailrace-itself": [*map(_alert, own_alerts())],
    }
    content = {"groups": [{"name": name, "rules": rules} for name, rules in groups.items()]}
    return HEAD + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1_000, allow_unicode=True)


def anchor(heading: str) -> str:
    """The end of a link to a heading of a Markdown document, as GitHub makes it."""
    kept = (char for char in heading.lower() if char.isalnum() or char in "_- ")
    return "".join(kept).replace(" ", "-")


def _alert(alert: Alert) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expr}
    if alert.for_:
        rule["for"] = alert.for_
    rule["labels"] = {"severity": alert.severity, **alert.labels}
    rule["annotations"] = {
        "summary": alert.summary,
        "description": alert.action,
        "runbook": f"{RUNBOOK}#{anchor(alert.runbook)}",
    }
    return rule


class _Dumper(yaml.SafeDumper):
    """Writes what has several lines as such, so that expressions can be read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
