"""report.junit.xml: for the tests tab of a CI server."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml

import pytest

from consumers.replay.reports.junit import render
from consumers.replay.reports.report import Report
from tests.consumers.replay.reports.samples import (
    CROSSED,
    RESULT,
    empty,
    interrupted,
    report,
    with_many_routes,
)
from tests.support.hostile import HOSTILE, drives

REPORTS = {
    "failed": report(),
    "interrupted": interrupted(),
    "empty": empty(),
    "hostile": with_many_routes([*HOSTILE, "/half\udcff", "/\ufffe\uffff"]),
}

# The common schema (github.com/windyroad/JUnit-Schema): element -> (required attributes, optional ones,
# children in their order).
SCHEMA: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), set(), ["testsuite"]),
    "testsuite": (
        {"id", "package", "name", "hostname", "timestamp", "time", "tests", "failures", "errors"},
        {"skipped"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"name", "classname", "time"}, set(), ["skipped", "error", "failure"]),
    "failure": ({"type"}, {"message"}, []),
    "error": ({"type"}, {"message"}, []),
    "skipped": (set(), {"message"}, []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}


@pytest.mark.parametrize("found", REPORTS.values(), ids=list(REPORTS))
def test_it_is_valid_by_the_common_schema(found: Report) -> None:
    root = xml.fromstring(render(found))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children = SCHEMA[element.tag]
        assert required <= set(element.attrib) <= required | optional, element.tag
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order), element.tag
    (suite,) = root
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) > 0
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == sum(case.find(tag) is not None for case in cases)


def case(found: Report, threshold: str, where: str) -> xml.Element:
    path = f".//testcase[@classname='{threshold}'][@name='{where}']"
    element = xml.fromstring(render(found)).find(path)
    assert element is not None
    return element


def test_each_threshold_and_route_is_a_case() -> None:
    failure = case(report(), "p95>+20%", "/search").find("failure")
    assert failure is not None
    assert failure.attrib["message"] == (
        "crossed: 334 → 478 ms, +43 % (95 % CI +27 … +66 %), limit +20 %, 599 samples"
    )
    skipped = case(report(), "p95>+20%", "/cart").find("skipped")
    assert skipped is not None
    assert "about 1,200 more samples would decide" in skipped.attrib["message"]
    assert case(report(), "p95>+20%", "/rare").find("skipped") is not None
    assert list(case(report(), "p95>+20%", "all requests")) == []
    assert list(case(report(thresholds=["late>1s"], findings=[]), "late>1s", "all requests")) == []


def test_with_strict_what_is_inconclusive_is_a_failure() -> None:
    strict = report(is_strict=True)
    assert case(strict, "p95>+20%", "/cart").find("failure") is not None
    assert case(strict, "p95>+20%", "/rare").find("failure") is not None
    assert list(case(strict, "p95>+20%", "all requests")) == []


@pytest.mark.parametrize(
    ("found", "tag"),
    [
        (report(), "failure"),
        (report(verdict="inconclusive", findings=[], reasons=["41 % of the speed asked"]), "error"),
        (interrupted(), "error"),
        (report(verdict="passed", is_interrupted=True), "error"),
    ],
)
def test_a_run_that_tells_nothing_does_not_look_green(found: Report, tag: str) -> None:
    assert case(found, "replay", "verdict").find(tag) is not None


def test_a_run_that_passed_is_green() -> None:
    passed = report(verdict="passed", findings=[], reasons=[], exit_code=0)
    assert list(case(passed, "replay", "verdict")) == []


def test_hostile_routes_are_text_without_control_characters() -> None:
    names = [*HOSTILE, "/half\udcff"]
    text = render(
        report(
            findings=[CROSSED]
            + [RESULT.findings[1]]
            + [
                type(CROSSED)("p95>+20%", name, "crossed", "share", 1, 2, 1.0, 0.5, 1.5, 0.2, 9, None)
                for name in names
            ]
        )
    )
    assert drives(text) == set()
    assert "<script" not in text
    found = {case.attrib["name"] for case in xml.fromstring(text).iter("testcase")}
    assert "/<script>alert(1)</script>" in found
    assert "/c0\ufffd\ufffd\ufffd\ufffd\ufffd" in found


def test_500_routes_are_500_cases_and_more() -> None:
    root = xml.fromstring(render(with_many_routes([f"/{number}" for number in range(500)])))
    assert len(root.findall(".//testcase")) == 1 + 3 + 500 + 1
