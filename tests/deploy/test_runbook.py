"""The runbook has a place for each warning of the page and each of a process, and asks for real metrics."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator

import redis
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.log import open_log
from app.settings import Settings
from app.store.frame_events import Loss, record_once
from app.store.sender_faults import Tally, record
from drain.dashboard import RouteCollector
from drain.instruments import Instruments
from servers.figures import SeenRequest, fill, fill_facts
from servers.processes import ROOT
from tests.support import told_app

NOW_S = 1_800_000_000


def section(title: str) -> str:
    """The text below a heading, up to the next of its rank."""
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def calls(pattern: str) -> Iterator[ast.Call]:
    for file in sorted(ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def constant(text: ast.expr) -> str:
    """A string, or what an f-string begins with."""
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    assert isinstance(first, ast.Constant), ast.dump(text)
    return str(first.value)


def log_lines(folder: str) -> Iterator[str]:
    """The text of each warning and error that is logged, `...` for what is put in."""
    for call in calls(f"{folder}/**/*.py"):
        if re.fullmatch(r"(self\._)?log\.(warning|error|exception|critical)", ast.unparse(call.func)):
            yield re.sub(r"%[.\d]*[a-z]", "...", constant(call.args[0]))


def test_each_warning_of_the_page_is_explained() -> None:
    codes = {
        constant(keyword.value).rstrip(":")
        for call in calls("app/store/queries/*alerts.py")
        for keyword in call.keywords
        if keyword.arg == "code"
    }
    assert "no_worker" in codes
    explained = re.split(r"^### `(\w+)", section("Warnings of the page"), flags=re.MULTILINE)[1:]
    assert set(explained[::2]) == codes
    for code, text in zip(explained[::2], explained[1::2], strict=True):
        assert "- **Figures:**" in text, code
        assert "- **Do" in text, code


def test_each_warning_that_a_process_logs_is_explained() -> None:
    logged = {line for folder in ("app", "drain", "consumers") for line in log_lines(folder)}
    assert "waiting: ..." in logged
    assert set(re.findall(r"^\| `([^`]+)` \|", section("Lines in the log"), re.MULTILINE)) == logged


def test_alarms_rest_on_metrics_that_are_there(redis_client: redis.Redis) -> None:
    rules = [
        rule
        for block in re.findall(r"```yaml\n(.*?)```", section("Prometheus"), re.DOTALL)
        for group in yaml.safe_load(block).get("groups", [])
        for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    instruments = Instruments()
    instruments.count_answer(503)
    instruments.malformed.labels("line")
    fill(redis_client, [SeenRequest(NOW_S, "/", app="shop", code="H12")], NOW_S)
    fill_facts(redis_client, "shop", told_app.facts(time.time()), time.time())
    record_once(redis_client, "frame", "shop", [Loss("L10", 1)], [], NOW_S)
    record(redis_client, {("password", "logplex"): Tally(1, NOW_S)}, {}, NOW_S)
    redis_client.hset("tailrace:log:router:meta", mapping={"added": 1, "trimmed": 1})
    shown = {
        sample.name
        for family in text_string_to_metric_families(
            instruments.text([RouteCollector(redis_client, 50, open_log(Settings()))]).decode()
        )
        for sample in family.samples
    }
    asked = set(re.findall(r"\btailrace_\w+", " ".join(rule["expr"] for rule in rules)))
    named = set(re.findall(r"`(tailrace_\w+)[`{]", section("First look") + section("Prometheus")))
    assert asked | named - {"tailrace_drain_", "tailrace_drain_append_seconds"} <= shown
