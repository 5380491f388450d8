"""deploy/prometheus/rules.yml: generated, sound, tested by promtool, and about metrics that are there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.store.sender_faults import KINDS
from drain.monitoring.catalogue import FAMILIES
from drain.monitoring.exports.files import FILES, RULES
from drain.monitoring.exports.own_alerts import HARMLESS_FAULTS
from drain.monitoring.exports.rules import anchor
from servers.processes import ROOT
from tests.deploy.test_documents import anchors
from tests.support.promql import Selector, grouped_by, selectors
from tests.support.promtool import promtool
from tests.support.scraped import fill_all, scrape

TARGET = {"job", "instance", "pod"}
"""Labels that a scrape adds."""

OF_ALERTS = {"alertname", "alertstate", "severity", "app", "route", "dyno", "code", "group", "kind", "target"}
OF_PROMETHEUS = {"up": TARGET, "ALERTS": TARGET | OF_ALERTS}
TESTS = RULES.with_name("rules_test.yml")

EVENING = """
rule_files: [{rules}]
evaluation_interval: 10m
tests:
  - interval: 1m
    input_series:
      - {{series: 'tailrace_group_workers{{group="metrics"}}', values: "1x1600"}}
      - {{series: 'tailrace_group_waiting{{group="metrics"}}', values: "0x1600"}}
      - {{series: 'tailrace_group_lag_seconds{{group="metrics"}}', values: "1x1600"}}
      - series: 'tailrace_app_requests_total{{app="shop"}}'
        values: "0+60x60 3600x59 3600+60x1380 86400x60"
    promql_expr_test:
      - expr: count(ALERTS{{alertstate="firing",alertname="TailraceAppSilent"}})
        eval_time: 90m
        exp_samples: [{{labels: '{{}}', value: 1}}]
      - expr: count(app:tailrace_requests:rate5m == 0)
        eval_time: 25h30m
        exp_samples: [{{labels: '{{}}', value: 1}}]
      - {{expr: count(ALERTS), eval_time: 25h30m, exp_samples: []}}
"""
"""Traffic, with an hour of silence at the same time each day."""


@cache
def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


@cache
def labels_of_series() -> dict[str, set[str]]:
    """Every series that rules and panels may ask for -> its labels."""
    known = {
        name: {*family.labels, *TARGET, *(["le"] if name.endswith("_bucket") else [])}
        for family in FAMILIES
        for name in family.series
    }
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    return known | OF_PROMETHEUS | {name: {"app", "code", "route", *TARGET} for name in recorded}


def check_names(expr: str) -> None:
    """That all that an expression asks for exists."""
    known = labels_of_series()
    asked = list(selectors(expr))
    assert asked, expr
    for selector in asked:
        assert selector.name in known, f"{selector.name} is no metric: {expr}"
        assert selector.labels <= known[selector.name], expr
    assert grouped_by(expr) <= set().union(*(known[selector.name] for selector in asked)), expr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_kept_is_what_is_generated(path: Path) -> None:
    assert path.read_text("utf-8") == FILES[path](), "make generated writes it anew"


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_alerts_fire_when_they_should_and_not_otherwise() -> None:
    promtool("test", "rules", str(TESTS))


def test_silence_that_comes_each_day_at_the_same_time_is_none(tmp_path: Path) -> None:
    file = tmp_path / "evening.yml"
    file.write_text(EVENING.format(rules=RULES), "utf-8")
    promtool("test", "rules", str(file))


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    expected = yaml.safe_dump(
        [
            [*test.get("promql_expr_test", []), *test.get("alert_rule_test", [])]
            for test in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]
        ],
        width=1_000,
    )
    missing = {rule["alert"] for rule in alerts() if f'alertname="{rule["alert"]}"' not in expected}
    assert missing == set()
    assert len(alerts()) > 25


def test_every_rule_asks_for_series_and_labels_that_exist() -> None:
    for rule in rules():
        check_names(rule["expr"])


def test_every_series_of_the_catalogue_that_rules_ask_for_is_scraped(redis_client: redis.Redis) -> None:
    fill_all(redis_client)
    families = text_string_to_metric_families(scrape(redis_client))
    scraped = {sample.name for family in families for sample in family.samples}
    asked = {selector.name for rule in rules() for selector in selectors(rule["expr"])}
    assert {name for name in asked if name.startswith("tailrace_")} - scraped == set()


def test_no_recorded_name_is_used_before_it_is_recorded() -> None:
    recorded: set[str] = set()
    for rule in rules():
        asked = {selector.name for selector in selectors(rule["expr"])}
        assert {name for name in asked if ":" in name} <= recorded
        recorded |= {rule["record"]} if "record" in rule else set()


def test_each_alert_says_what_is_wrong_what_to_do_and_where_to_read_on() -> None:
    headings = anchors((ROOT / "docs" / "runbook.md").read_text("utf-8"))
    for rule in alerts():
        name, annotations = rule["alert"], rule["annotations"]
        assert re.fullmatch(r"Tailrace\w+", name)
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(annotations) == {"summary", "description", "runbook"}, name
        document, _, place = annotations["runbook"].partition("#")
        assert document == "docs/runbook.md"
        assert place in headings, name


@pytest.mark.parametrize("document", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name)
def test_documents_name_metrics_that_exist(document: Path) -> None:
    named = set(re.findall(r"`(tailrace_\w+)", document.read_text("utf-8")))
    known = {name for family in FAMILIES for name in (family.name, *family.series)}
    starts = {name for name in named if name.endswith("_")}
    assert named - known - starts == set()
    assert all(any(name.startswith(start) for name in known) for start in starts)


def test_anchors_are_those_of_the_documents() -> None:
    for heading in (
        "`no_worker:GROUP`",
        "Memory errors: R14 and R15",
        "What an older Redis means, with Kafka",
    ):
        assert {anchor(heading)} == anchors(f"# {heading}")


def test_harmless_faults_are_kinds_of_faults() -> None:
    assert set(HARMLESS_FAULTS.split("|")) == set(KINDS[-3:])


def test_names_and_labels_are_found_in_an_expression() -> None:
    expr = (
        'sum by (app) (rate(a_total{app=~"x|b",code!="H27"}[5m] offset 1d)) / on (job) group_left () c:d > 1'
    )
    assert list(selectors(expr)) == [
        Selector("a_total", frozenset({"app", "code"})),
        Selector("c:d", frozenset()),
    ]
    assert grouped_by(expr) == {"app", "job"}
