"""The runbook has a place for each warning that the page shows and each that a process logs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import redis

from drain.dashboard import RouteCollector
from drain.instruments import Instruments
from tests.support.processes import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")


def calls(path: str) -> Iterator[ast.Call]:
    for file in sorted(ROOT.glob(path)):
        yield from (
            node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
        )


def beginning(text: ast.expr) -> str:
    """The constant beginning of a string or an f-string."""
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    return str(first.value) if isinstance(first, ast.Constant) else ""


def test_each_warning_of_the_page_is_explained() -> None:
    codes = {
        beginning(keyword.value).rstrip(":")
        for call in calls("app/store/queries/alerts.py")
        for keyword in call.keywords
        if keyword.arg == "code"
    }
    assert len(codes) > 7
    for code in codes:
        assert re.search(rf"^\| `{code}[:`]", RUNBOOK, re.MULTILINE), code


def test_each_warning_that_a_process_logs_is_explained() -> None:
    texts = [
        beginning(call.args[0])
        for folder in ("app", "drain", "consumers")
        for call in calls(f"{folder}/**/*.py")
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("warning", "error") and call.args
    ]
    listed = re.findall(r"^\| `([^`]+)` \| (?:web|workers|metrics|replay)", RUNBOOK, re.MULTILINE)
    assert len(texts) > 10
    for text in texts:
        assert any(text.startswith(line) for line in listed), text


def test_alarms_rest_on_metrics_that_are_there(redis_client: redis.Redis) -> None:
    redis_client.hset("tailrace:losses", "shop", 1)
    shown = Instruments().text([RouteCollector(redis_client, 50)]).decode()
    named = set(re.findall(r"# TYPE (\w+)", shown))
    rules = RUNBOOK.partition("## Alarms for Prometheus")[2].partition("## Backup")[0]
    used = set(re.findall(r"\b(tailrace_\w+)", rules))
    assert len(used) > 5
    assert used <= named, used - named
