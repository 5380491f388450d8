"""Rules of alerts in the YAML file: every fault of every rule at once, each with the rule and the fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.alerts.conditions.burn import BurnRate
from app.alerts.defaults import DEFAULT_RULES, rules_of
from app.alerts.rule import MIN_REQUESTS, REPEAT_S, Rule
from app.alerts.slo import Objective
from app.alerts.when import parse_when
from app.errors import BadSettings
from app.settings import Settings
from app.settings.alert_rules import RULES_MAX, parse_alerts

OPS = "https://hooks.example.com/hunter2"


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "tailrace.yml"
    path.write_text(text, "utf-8")
    return Settings.load({"TAILRACE_CONFIG": str(path), **environ})


def faults(entries: Any, targets: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        parse_alerts(entries, targets)
    return caught.value.faults


def rule(**keys: Any) -> Mapping[str, Any]:
    return {"name": "x", "when": "errors > 2%", **{key.rstrip("_"): value for key, value in keys.items()}}


def test_a_rule_in_few_words_and_one_in_full() -> None:
    few, full = parse_alerts(
        yaml.safe_load(
            """
            - {name: users, route: /users/:id, when: p95 > 800ms}
            - name: checkout
              app: shop
              route: /checkout/*rest
              when: errors > 2% and requests > 10/min
              for: 5m
              to: [ops, ops, webhook]
              min_requests: 100
              repeat: 30m
            """
        ),
        ("ops", "webhook"),
    )
    assert few == Rule(
        "users",
        parse_when("p95 > 800ms"),
        route="/users/:id",
        min_requests=MIN_REQUESTS,
        repeat_s=REPEAT_S,
    )
    assert full == Rule(
        "checkout",
        parse_when("errors > 2% and requests > 10/min"),
        app="shop",
        route="/checkout/*rest",
        for_s=300,
        to=("ops", "webhook"),
        min_requests=100,
        repeat_s=1_800,
    )


@pytest.mark.parametrize(
    ("keys", "attribute", "value"),
    [
        ({"route": "each"}, "route", "each"),
        ({"route": "EACH"}, "route", "each"),
        ({"for_": 0}, "for_s", 0),
        ({"for_": "90s"}, "for_s", 90),
        ({"for_": "5 M"}, "for_s", 300),
        ({"for_": "5 minutes"}, "for_s", 300),
        ({"repeat": "4 hours"}, "repeat_s", 14_400),
        ({"repeat": "never"}, "repeat_s", 0),
        ({"repeat": False}, "repeat_s", 0),
        ({"repeat": 0}, "repeat_s", 0),
        ({"to": "ops, webhook"}, "to", ("ops", "webhook")),
        ({"to": None, "app": None}, "to", ()),
        ({"when": False}, "text", "never"),
        # Names of one's own, however much they are like those of default rules.
        ({"name": "api-errors", "when": "never"}, "name", "api-errors"),
        ({"name": "my-silence", "when": "never"}, "name", "my-silence"),
        ({"name": "slow2", "when": "never"}, "name", "slow2"),
        ({"min_requests": 1}, "min_requests", 1),
    ],
)
def test_each_key_has_more_than_one_form(keys: dict[str, Any], attribute: str, value: Any) -> None:
    (found,) = parse_alerts([rule(**keys)], ("ops", "webhook"))
    assert getattr(found, attribute) == value


def test_an_objective_takes_its_route_from_what_it_is_of() -> None:
    (found,) = parse_alerts(
        yaml.safe_load(
            "[{name: fast, app: shop, slo: {objective: 99.9%, of: /checkout faster than 500ms, over: 7d}}]"
        )
    )
    assert found.when == (BurnRate(Objective(0.999, 7 * 86_400, 500)),)
    assert (found.route, found.app) == ("/checkout", "shop")
    assert found.text == "slo 99.9% faster than 500ms over 7d"


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"colour": "red"}, "unknown key 'colour'; a rule has name, app, route"),
        ({"rout": "/a"}, "unknown key 'rout' (did you mean route?)"),
        ({"name": None}, "must have a `name`"),
        ({"name": True}, "`name` must be in quotes: YAML reads on"),
        ({"name": False}, "`name` must be in quotes: YAML reads on"),
        ({"name": "a b"}, "`name` must be letters"),
        (
            {"name": "code", "when": "never"},
            "`when: never` switches off nothing: did you mean the rule codes?",
        ),
        ({"name": "silences", "when": False}, "did you mean the rule silence?"),
        ({"name": "route-error", "when": "never"}, "did you mean the rule route-errors?"),
        ({"name": "x" * 65}, "`name` must be letters"),
        ({"name": "all"}, "`name` cannot be all"),
        ({"when": None}, "must have `when` or `slo`, and has neither"),
        ({"slo": {"objective": "99%"}}, "must have `when` or `slo`, and has both"),
        ({"when": "eror > 2%"}, "`when`: 'eror > 2%' is no condition: did you mean errors > 2%?"),
        ({"when": ["errors > 2%"]}, "`when` must be a text"),
        ({"when": "x" * 400}, "`when` is too long"),
        ({"when": None, "slo": "99.9%"}, "`slo` must be like {objective: 99.9%"),
        ({"when": None, "slo": {}}, "`slo`: `objective` must be a percentage"),
        ({"when": None, "slo": {"objective": "99.9%", "of": "/a b"}}, "`slo`: `of` '/a b' must be a route"),
        ({"when": None, "slo": {"objective": "99.9%", "over": "1y"}}, "`slo`: `over` must be a number with"),
        (
            {"when": None, "slo": {"objective": "99%", "ower": "7d"}},
            "`slo`: unknown key 'ower' (did you mean over?)",
        ),
        (
            {"when": None, "route": "/b", "slo": {"objective": "99%", "of": "/a"}},
            "`route` and the route in `of` differ",
        ),
        ({"app": "my app"}, "`app` must be an app's name"),
        ({"app": ["shop"]}, "`app` must be an app's name"),
        ({"app": "each"}, "`app` each would be an app of that name: leave it out"),
        ({"app": "all"}, "`app` all would be an app of that name: leave it out"),
        ({"app": "shop", "when": "refused"}, "`app` makes no sense here"),
        ({"route": "users"}, "`route`: 'users' must start with /"),
        ({"route": "/*rest/a"}, "`route`: '/*rest/a' may have a *rest only at its end"),
        ({"route": "/users/{id}"}, "`route`: '{id}' stands for itself: a pattern is written like /users/:id"),
        ({"route": "/users/<int:id>"}, "`route`: '<int:id>' stands for itself"),
        ({"route": "/search?q=:any"}, "`route`: routes are paths without what follows the `?`"),
        ({"route": ["/a"]}, "`route` must be one pattern"),
        ({"route": "/" + "a" * 500}, "`route` must be one pattern"),
        ({"route": "each", "when": "R14 > 3"}, "`route` makes no sense here: R14 > 3"),
        ({"route": "/a", "when": "errors > 2% and memory > 90%"}, "`route` makes no sense here: memory"),
        ({"route": "/a", "when": "tailrace"}, "`route` makes no sense here: tailrace"),
        ({"for_": "soon"}, "`for` must be a number with s, m, h, d or w"),
        ({"for_": 5}, "`for` must be a number with s, m, h, d or w"),
        ({"for_": "2d"}, "`for` must be from 0s to 1d"),
        ({"repeat": "soon"}, "`repeat` must be a number with s, m, h, d or w, such as 15m or 24h, or never"),
        ({"repeat": "5s"}, "`repeat` must be from 1m to 7d"),
        ({"to": []}, "`to` must be the name of a target"),
        ({"to": {"ops": 1}}, "`to` must be the name of a target"),
        ({"to": [1]}, "`to` must be the name of a target"),
        ({"to": "opps"}, "`to`: no target is named 'opps': did you mean ops?"),
        ({"to": "bananas"}, "`to`: no target is named 'bananas'; targets are named under `targets:`"),
        ({"min_requests": 0}, "`min_requests` must be a whole number"),
        ({"min_requests": "many"}, "`min_requests` must be a whole number"),
        ({"min_requests": True}, "`min_requests` must be a whole number"),
    ],
)
def test_a_fault_names_the_rule_and_the_fix(keys: dict[str, Any], fault: str) -> None:
    (said,) = faults([rule(name="well"), rule(**keys)], ("ops",))
    assert said.startswith("alerts: rule 2")
    assert fault in said


def test_every_fault_of_every_rule_is_said_at_once() -> None:
    found = faults(
        [
            rule(name="one", colour="red", for_="soon"),
            rule(name="two"),
            rule(name="three", when="errors > 200%", route="a"),
            rule(name="two", to="nobody"),
        ]
    )
    assert [fault.partition(": ")[2].partition(":")[0] for fault in found] == [
        "rule 1 (one)",
        "rule 1 (one)",
        "rule 3 (three)",
        "rule 3 (three)",
        "rule 4 (two)",
        "rule 4 (two)",
    ]
    assert any("rule 2 has the same name" in fault for fault in found)


@pytest.mark.parametrize(
    "entries",
    [{"name": "x"}, "errors > 2%", [1], [["a"]], [rule(name=f"r{at}") for at in range(RULES_MAX + 1)]],
)
def test_what_is_no_list_of_rules_is_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match=r"list of rules|100 at most"):
        parse_alerts(entries)


def test_a_fault_is_short_and_shows_no_password() -> None:
    (said,) = faults([rule(when="errors > https://user:hunter2@host")])
    assert "hunter2" not in said
    for said in faults([rule(**{"k" * 100_000: 1}), rule(name="y", to="t" * 100_000)]):
        assert len(said) < 500


# --- with the settings -----------------------------------------------------------------------


def test_faults_of_rules_and_unknown_targets_come_together(tmp_path: Path) -> None:
    text = (
        "alerts:\n- {name: a, when: eror > 2%}\n- {name: b, when: errors > 2%, to: opps}\n"
        "targets: {ops: {kind: slack, url: '${OPS}'}}\nroutes: [users]\n"
    )
    with pytest.raises(BadSettings) as caught:
        load(tmp_path, text, OPS=OPS, PORT="http")
    assert len(caught.value.faults) == 4
    assert OPS not in str(caught.value)


def test_a_target_may_be_of_the_file_or_of_a_setting(tmp_path: Path) -> None:
    text = (
        "alerts: [{name: a, when: errors > 2%, to: [ops, slack]}]\n"
        "targets: {ops: {kind: slack, url: '${OPS}'}}\n"
    )
    with pytest.raises(BadSettings, match=r"rule a: `to`: there is no target slack: describe it"):
        load(tmp_path, text, OPS=OPS)
    assert load(tmp_path, text, OPS=OPS, ALERT_SLACK_URL=OPS).alert_rules[0].to == ("ops", "slack")


def test_rules_of_the_file_come_beside_the_default_ones_and_replace_those_of_their_name(
    tmp_path: Path,
) -> None:
    names = [rule.name for rule in DEFAULT_RULES]
    assert len(names) == len(set(names)) > 5
    assert rules_of(Settings()) == DEFAULT_RULES
    found = rules_of(
        load(
            tmp_path,
            "alerts: [{name: errors, when: errors > 9%}, {name: own, when: R15}, {name: slow, when: never}]",
        )
    )
    others = [name for name in names if name not in ("errors", "slow")]
    assert [rule.name for rule in found] == ["errors", "own", "slow", *others]
    assert [rule.text for rule in found[:3]] == ["errors > 9%", "R15 > 0", "never"]


def test_default_rules_are_in_the_usual_form_and_could_stand_in_a_file() -> None:
    for one in DEFAULT_RULES:
        entry = {"name": one.name, "when": one.text, **({"route": one.route} if one.route else {})}
        (found,) = parse_alerts([entry])
        assert (found.when, found.route) == (one.when, one.route)
