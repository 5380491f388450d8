"""What the demo says once it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo import __main__ as demo_main
from servers.processes import ROOT, Process, Processes, wait_until


def top(line: str) -> str:
    """What the line prints in a shell that knows nothing of this environment."""
    found = subprocess.run(line, shell=True, cwd=ROOT, env={}, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


@pytest.mark.slow
def test_it_gives_a_line_to_paste_that_shows_the_routes_in_another_terminal(demo: Process) -> None:
    said = re.search(r"^  In another terminal, in this folder: (.+)$", demo.output, re.MULTILINE)
    assert said is not None, demo.output
    wait_until(lambda: "/products/:id" in top(said[1]), "routes")
    said_in_one_line = " ".join(demo.output.split())
    assert "The demo simulates 20 requests/s and the traffic of the hour before." in said_in_one_line
    assert "errors are simulated too: H-codes" in said_in_one_line


@pytest.mark.parametrize(
    ("python", "shown"),
    [(ROOT / ".venv" / "bin" / "python", ".venv/bin/python"), (Path("/opt/my python"), "'/opt/my python'")],
)
def test_python_is_named_from_this_folder_where_it_is_in_it(
    monkeypatch: pytest.MonkeyPatch, python: Path, shown: str
) -> None:
    monkeypatch.setattr(sys, "executable", str(python))
    url = "redis://127.0.0.1:7/0"
    assert demo_main._top({"PATH": "/", "REDIS_URL": url}) == f"REDIS_URL={url} {shown} -m app top"


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_said_in_one_line(processes: Processes, port: str) -> None:
    demo = processes.start_command("demo", [sys.executable, "-m", "demo", "--port", port], ROOT)
    assert demo.popen.wait(20) == 2
    assert demo.output.endswith("argument --port: must be a whole number from 1 to 65535\n")
