"""`make drill`: an incident for a person, with its answers at the end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from demo.drill import answers
from servers.incident import Incident, write_truth
from servers.ports import free_port
from servers.processes import ROOT, Processes
from tests.demo.leftovers import of_folder

STARTED_S = 1_795_428_000.0


@pytest.mark.slow
def test_a_drill_asks_at_the_start_and_answers_at_the_end(processes: Processes) -> None:
    command = [sys.executable, "-m", "demo", "--drill", "--port", str(free_port()), "--seconds", "3"]
    drill = processes.start_command("drill", command, ROOT)
    assert drill.popen.wait(90) == 0
    asked, stopped, answered = drill.output.partition("stopping ...")
    assert "You are on call for three apps" in asked
    assert "-m app top" in asked
    assert stopped
    assert "1. shop: slow route (it had not begun yet)" in answered
    assert of_folder(processes.temporary) == []


def test_the_answers_name_the_dyno_the_first_ten_seconds_and_three_requests(tmp_path: Path) -> None:
    incident = Incident(1, STARTED_S)
    for second in range(70):
        for app in ("shop", "blog", "api"):
            list(incident.lines(app, 20, STARTED_S + second))
    truth = tmp_path / "truth.json"
    write_truth(incident, truth)
    text = "\n".join(answers(truth))
    bad_dyno = incident.truths["bad dyno"]
    assert "blog: bad dyno, all routes, dyno web.3" in text
    assert "shop: timeouts, route /products, no dyno stands out" in text
    assert f"first bad ten seconds: 10:00:40 UTC; {len(bad_dyno.requests)} requests" in text
    assert all(request_id in text for request_id in bad_dyno.requests[:3])
    assert bad_dyno.requests[3] not in text


def test_without_a_word_of_the_incident_there_are_no_answers(tmp_path: Path) -> None:
    assert answers(tmp_path / "missing.json") == []
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([])[:1])
    assert answers(broken) == []
