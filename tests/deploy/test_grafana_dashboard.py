"""deploy/grafana/tailrace.json: what Grafana needs to load it, and expressions about metrics that exist."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import redis
import yaml
from prometheus_client.parser import text_string_to_metric_families

from drain.monitoring.exports.files import DASHBOARD
from tests.deploy.test_prometheus_rules import check_names
from tests.support.promql import selectors
from tests.support.promtool import promtool
from tests.support.scraped import fill_all, scrape

COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@cache
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard()["panels"]
    return found


def plain(expr: str) -> str:
    """As Grafana asks Prometheus."""
    return re.sub(r"\$(app|route)", ".*", expr.replace("$__rate_interval", "5m"))


def expressions() -> list[str]:
    """Of panels and marks."""
    of_panels = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    return list(map(plain, [*of_panels, *(found["expr"] for found in dashboard()["annotations"]["list"])]))


def test_each_panel_has_an_id_and_a_place_of_its_own() -> None:
    ids = Counter(panel["id"] for panel in panels())
    assert ids.most_common(1)[0][1] == 1
    taken = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert taken.most_common(1)[0][1] == 1
    assert max(x for x, _ in taken) < COLUMNS


def test_everything_asks_the_data_source_that_is_chosen() -> None:
    variables = {found["name"]: found for found in dashboard()["templating"]["list"]}
    assert list(variables) == ["datasource", "app", "route"]
    assert variables["datasource"]["type"] == "datasource"
    asking = [*panels(), *dashboard()["annotations"]["list"], variables["app"], variables["route"]]
    assert all(found["datasource"] == SOURCE for found in asking if found.get("type") != "row")
    targets = [target for panel in panels() for target in panel.get("targets", [])]
    assert all(target["datasource"] == SOURCE for target in targets)
    assert {panel["type"] for panel in panels()} == {"row", "stat", "table", "timeseries"}


def test_every_panel_has_a_title_a_unit_and_says_what_it_shows() -> None:
    shown = [panel for panel in panels() if panel["type"] != "row"]
    assert len(shown) > 50
    assert len({panel["title"] for panel in shown}) == len(shown)
    for panel in shown:
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_a_number_is_that_of_now_and_nothing_where_nothing_is_known() -> None:
    for panel in panels():
        if panel["type"] == "stat":
            (target,) = panel["targets"]
            assert (target["instant"], target["range"], panel["options"]["graphMode"]) == (
                True,
                False,
                "none",
            )
            may_be_nan = "/" in target["expr"] or "quantile" in target["expr"]
            assert target["expr"].endswith(" >= 0") == may_be_nan


def test_prometheus_can_parse_every_expression(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{at}", "expr": expr} for at, expr in enumerate(expressions())]
    assert len(rules) > 50
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    promtool("check", "rules", str(file))


def test_every_expression_asks_for_series_and_labels_that_exist() -> None:
    for expr in expressions():
        check_names(expr)


def test_every_series_that_it_asks_for_is_scraped(redis_client: redis.Redis) -> None:
    fill_all(redis_client)
    families = text_string_to_metric_families(scrape(redis_client))
    scraped = {sample.name for family in families for sample in family.samples}
    variables = [found["definition"] for found in dashboard()["templating"]["list"][1:]]
    asked = {selector.name for expr in expressions() for selector in selectors(expr)}
    asked |= {name for query in variables for name in re.findall(r"tailrace_\w+", query)}
    assert {name for name in asked if name != "ALERTS"} - scraped == set()


def test_legends_name_labels_that_the_expression_keeps() -> None:
    for panel in panels():
        for target in panel.get("targets", []):
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), target["expr"]


def test_releases_are_marked_at_the_time_that_their_series_say() -> None:
    (releases,) = dashboard()["annotations"]["list"]
    assert releases["useValueForTime"] == "on"
    assert releases["expr"].endswith("* 1000")
    assert "tailrace_release_timestamp_seconds" in releases["expr"]
