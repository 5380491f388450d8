"""report.json: as its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from consumers.replay import reports
from consumers.replay.reports.as_json import SCHEMA_VERSION, render
from consumers.replay.reports.report import Report
from tests.consumers.replay.reports.samples import CROSSED, empty, interrupted, report, with_many_routes
from tests.support.hostile import HOSTILE, drives

SCHEMA: dict[str, Any] = json.loads((Path(reports.__path__[0]) / "report.schema.json").read_text("utf-8"))
REPORTS = {
    "failed": report(),
    "interrupted": interrupted(),
    "empty": empty(),
    "hostile": with_many_routes([*HOSTILE, "/half\udcff"]),
    "baseline": report(info={"baseline": "https://old.example.com", "app": "shop", "parts": "2"}),
}


@pytest.mark.parametrize("found", REPORTS.values(), ids=list(REPORTS))
def test_a_report_is_valid_by_the_schema(found: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(SCHEMA, format_checker=checker).validate(json.loads(render(found)))


def undescribed(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Fields of the value that the schema does not have."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    schema = next((one for one in schema.get("oneOf", []) if "$ref" in one), schema)
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        for name, part in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if known is None:
                yield f"{path}/{name}"
            else:
                yield from undescribed(part, known, f"{path}/{name}")
    elif isinstance(value, list):
        for part in value:
            yield from undescribed(part, schema["items"], path)


def test_every_field_is_described() -> None:
    found = json.loads(render(with_many_routes(["/a", "/b"])))
    assert found["steps"]
    assert found["timeline"]
    assert found["total"]["bodies"]
    assert sorted(set(undescribed(found, SCHEMA))) == []


def test_numbers_are_numbers_and_times_are_iso_8601() -> None:
    found = json.loads(render(report()))
    assert found["schema_version"] == SCHEMA_VERSION == SCHEMA["properties"]["schema_version"]["const"]
    assert (found["progress"], found["parts"], found["exit_code"]) == (1.0, 1, 1)
    assert (found["pace"]["speed_asked"], found["pace"]["speed_reached"]) == (10, 4.1)
    assert (found["started_at"], found["from"]) == ("2026-11-25T10:00:00Z", "2026-11-23T10:00:00.000Z")
    assert found["total"]["status_changes"] == [{"original": 200, "replayed": 404, "count": 30}]
    assert found["findings"][0] == {
        "threshold": "p95>+20%",
        "route": "/search",
        "state": "crossed",
        "unit": "share",
        "before": 334,
        "after": 478,
        "estimate": 0.43,
        "low": 0.27,
        "high": 0.66,
        "limit": 0.2,
        "samples": 599,
        "samples_missing": None,
    }


def test_infinity_and_what_is_no_number_are_null() -> None:
    found = replace(CROSSED, estimate=float("inf"), high=float("nan"))
    (shown,) = json.loads(render(report(findings=[found])))["findings"]
    assert (shown["estimate"], shown["high"]) == (None, None)


def test_an_interrupted_run_says_so_and_how_far_it_came() -> None:
    found = json.loads(render(interrupted()))
    assert (found["state"], found["is_interrupted"], found["verdict"]) == (
        "interrupted",
        True,
        "inconclusive",
    )
    assert (found["progress"], found["reached"]) == (0.38, "2026-11-23T10:23:11.000Z")


def test_all_of_500_routes_are_in_it_unchanged_and_drive_no_terminal() -> None:
    names = [*HOSTILE, "/half\udcff", *(f"/{number}" for number in range(500))]
    text = render(with_many_routes(names))
    assert drives(text) == set()
    assert {route["route"] for route in json.loads(text)["routes"]} == set(names)
