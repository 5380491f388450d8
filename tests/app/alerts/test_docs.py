"""docs/alerts.md: what it shows can be written so, and the rules that it lists are those that are on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from app.alerts.conditions.registry import KINDS
from app.alerts.defaults import DEFAULT_RULES
from app.alerts.rule import EACH, MIN_REQUESTS, REPEAT_S
from app.alerts.when import parse_when
from app.alerts.wording import span_of
from app.settings import Settings
from servers.processes import ROOT

DOCS = (Path(ROOT) / "docs/alerts.md").read_text("utf-8")


def section(title: str) -> str:
    return DOCS.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_example_of_a_file_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(alerts:.*?)```", DOCS, re.DOTALL)
    path = tmp_path / "tailrace.yml"
    path.write_text(text, "utf-8")
    settings = Settings.load({"TAILRACE_CONFIG": str(path), "OPS_SLACK_URL": "https://hooks.slack.com/x"})
    assert len(settings.alert_rules) == len(yaml.safe_load(text)["alerts"])


def test_each_condition_is_in_its_usual_form_and_every_kind_is_there() -> None:
    shown = re.findall(r"^\| `([^`]+)` \|", section("Conditions"), re.MULTILINE)
    assert len(shown) > 15
    for text in shown:
        assert " and ".join(condition.text for condition in parse_when(text)) == text
    firsts = {text.split()[0] for text in shown}
    for kind in KINDS:
        assert any(kind.is_of(first.lower()) for first in firsts), kind.examples


@pytest.mark.parametrize("rule", DEFAULT_RULES, ids=lambda rule: rule.name)
def test_each_default_rule_is_listed(rule: object) -> None:
    found = next(one for one in DEFAULT_RULES if one is rule)
    each = ", each route" if found.route == EACH else ""
    held = f"{span_of(found.for_s)} " if found.for_s else ""
    assert f"| `{found.name}` | `{found.text}`{each} | {held}|" in section("The rules that are on")


def test_no_other_rule_is_listed_as_one_that_is_on() -> None:
    names = re.findall(r"^\| `([^`]+)` \|", section("The rules that are on"), re.MULTILINE)
    assert names == [rule.name for rule in DEFAULT_RULES]


def test_what_holds_without_a_key_is_what_the_code_does() -> None:
    keys = section("Rules of your own")
    assert re.search(rf"^\| `min_requests` \|.*\| {MIN_REQUESTS} \|$", keys, re.MULTILINE)
    assert re.search(rf"^\| `repeat` \|.*\| {span_of(REPEAT_S)} \|$", keys, re.MULTILINE)
