"""A rule or target in a line, as `config` prints it."""

from __future__ import annotations

import pytest

from app.alerts.describe import rule_line, target_line
from app.alerts.rule import Rule
from app.alerts.targets.target import Target
from app.alerts.when import parse_when


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (Rule("errors", parse_when("errors > 2%")), "alert errors: errors > 2%, each app, to all targets"),
        (
            Rule("a", parse_when("errors > 2%"), app="shop", route="/a/:id", for_s=90, to=("ops", "slack")),
            "alert a: errors > 2% for 90s, shop, /a/:id, to ops, slack",
        ),
        (
            Rule("b", parse_when("p95 > 1s"), route="each", for_s=60, is_default=True),
            "alert b: p95 > 1s for 1m, each app, each route, to all targets (on by default)",
        ),
        (Rule("c", parse_when("refused")), "alert c: refused, Tailrace itself, to all targets"),
        (Rule("d", parse_when("losses"), app="shop"), "alert d: losses, shop, to all targets"),
        (Rule("e", parse_when("never")), "alert e: off"),
    ],
)
def test_a_rule_says_what_it_asks_of_what_and_who_is_told(rule: Rule, line: str) -> None:
    assert rule_line(rule) == line


def test_a_target_shows_no_secret() -> None:
    target = Target(
        "ops", "slack", "hooks.slack.com", url="https://hooks.slack.com/hunter2", secret="hunter2"
    )
    assert target_line(target) == "target ops: slack, hooks.slack.com"


def test_a_target_that_lacks_a_variable_says_so() -> None:
    target = Target("ops", "slack", "", unset=("targets: ops: OPS_URL is not in the environment",))
    assert target_line(target) == "target ops: slack, no host; not usable, because a variable is unset"
