"""The report as JUnit's XML, for the tests tab of a CI server: a test case a threshold and route. Pure.

The form is the one that JUnit's Ant task writes and CI servers read (github.com/windyroad/JUnit-Schema).
"""

from __future__ import annotations

import xml.etree.ElementTree as xml

from app.escaping import for_terminal
from app.store.run_result import Finding
from consumers.replay.reports import finding_words, words
from consumers.replay.reports.report import EXIT_MEANINGS, Report

REASONS_SHOWN = 6


def render(report: Report) -> str:
    """One suite; the first case is the run itself, because a run that tells nothing must not look green."""
    result = report.result
    suite = xml.Element("testsuite")
    xml.SubElement(suite, "properties").extend(
        xml.Element("property", name=name, value=_safe(value)) for name, value in _properties(report)
    )
    cases = [_run_case(report)]
    cases += [_case(finding, is_strict=result.is_strict) for finding in result.findings]
    cases += [
        xml.Element("testcase", classname=_safe(threshold), name=finding_words.ALL_REQUESTS, time="0")
        for threshold in finding_words.without_finding(result.thresholds, result.findings)
    ]
    suite.extend(cases)
    xml.SubElement(suite, "system-out").text = _safe("; ".join(words.pace_lines(result.pace)))
    xml.SubElement(suite, "system-err").text = ""
    counts = {name: sum(case.find(name) is not None for case in cases) for name in _KINDS}
    suite.attrib |= {
        "id": "0",
        "package": "tailrace",
        "name": _safe(f"replay {report.run.id}"),
        "hostname": "localhost",
        "timestamp": report.started_at.removesuffix("Z") or "1970-01-01T00:00:00",
        "time": f"{result.pace.duration_s:.3f}",
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
    }
    suites = xml.Element("testsuites")
    suites.append(suite)
    xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


_KINDS = ("failure", "error", "skipped")


def _properties(report: Report) -> list[tuple[str, str]]:
    names = ("target", "baseline", "from", "until", "app", "state")
    known = [(name, report.run.info[name]) for name in names if report.run.info.get(name)]
    return [("run", report.run.id), *known, ("verdict", report.result.verdict), ("title", report.title)]


def _run_case(report: Report) -> xml.Element:
    result = report.result
    case = xml.Element("testcase", classname="replay", name="verdict", time=f"{result.pace.duration_s:.3f}")
    if result.verdict == "passed" and not result.is_interrupted:
        return case
    why = [text for text in (words.ended(report), *words.reasons(result, REASONS_SHOWN)) if text]
    meaning = f"exit code {report.exit_code}: {EXIT_MEANINGS.get(report.exit_code, '')}"
    kind = "failure" if result.verdict == "failed" else "error"
    found = xml.SubElement(case, kind, type=report.title, message=_safe("; ".join(why) or report.title))
    found.text = _safe(meaning)
    return case


def _case(finding: Finding, *, is_strict: bool) -> xml.Element:
    found = finding_words.finding_words(finding)
    case = xml.Element("testcase", classname=_safe(finding.threshold), name=_safe(found.where), time="0")
    message = _safe(f"{finding_words.STATES[finding.state]}: {found.text()}")
    if finding.state == "crossed" or (is_strict and finding.state != "met"):
        xml.SubElement(case, "failure", type=finding.state, message=message).text = message
    elif finding.state != "met":
        xml.SubElement(case, "skipped", message=message)
    return case


def _safe(text: str) -> str:
    """Without what XML 1.0 cannot hold, such as control characters; the writer escapes the rest."""
    return for_terminal(text)
