"""The release phase: which rules and targets are on, and whether anybody is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.checks import CheckResult
from app.errors import BadSettings
from app.settings import Settings
from consumers.alerts.checks import CHECKS

OPS = "https://hooks.slack.com/services/hunter2"
FILE = """
alerts:
- {name: checkout, route: /checkout, when: errors > 1%, to: ops}
- {name: slow, when: never}
targets:
  ops: {kind: slack, url: '${OPS}'}
"""


def check(settings: Settings) -> CheckResult:
    ((name, run),) = CHECKS
    assert name == "alerts"
    found = run(settings)
    assert isinstance(found, CheckResult)
    return found


def load(tmp_path: Path, **environ: str) -> Settings:
    path = tmp_path / "tailrace.yml"
    path.write_text(FILE, "utf-8")
    return Settings.load({"TAILRACE_CONFIG": str(path), **environ})


def test_without_a_target_nobody_is_told() -> None:
    found = check(Settings())
    assert "on by default (errors, route-errors," in found.text
    assert found.text.endswith("; no target")
    (warning,) = found.warnings
    assert warning.startswith("nobody is told")
    assert "ALERT_SLACK_URL" in warning


def test_it_says_which_rules_and_targets_are_on_and_no_secret(tmp_path: Path) -> None:
    found = check(load(tmp_path, OPS=OPS, TAILRACE_URL="https://tailrace.example.com"))
    assert found.text.startswith("1 rule of your own (checkout) and ")
    assert found.text.endswith("; to ops (hooks.slack.com)")
    assert "slow" not in found.text
    assert "hunter2" not in found.text
    assert found.warnings == ()


def test_messages_without_a_link_are_a_warning(tmp_path: Path) -> None:
    (warning,) = check(load(tmp_path, OPS=OPS)).warnings
    assert "set TAILRACE_URL" in warning


def test_a_target_whose_variable_is_unset_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="OPS"):
        check(load(tmp_path))


def test_where_every_rule_is_off_no_target_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "tailrace.yml"
    names = check(Settings()).text.partition("(")[2].partition(")")[0].split(", ")
    rules = "\n".join(f"- {{name: {name}, when: never}}" for name in names)
    path.write_text(f"alerts:\n{rules}\n", "utf-8")
    found = check(Settings.load({"TAILRACE_CONFIG": str(path)}))
    assert found == CheckResult("no rule is on; no target")
