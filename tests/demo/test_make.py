"""`make demo` with another port, as `make help` and the README say it."""

from __future__ import annotations

import os
import subprocess

import pytest

from servers.processes import ROOT


def dry_run(*arguments: str, **environ: str) -> str:
    """What make would run last."""
    command = ["make", "--no-print-directory", "--dry-run", *arguments]
    environ["PATH"] = os.environ["PATH"]
    found = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()[-1]


def test_the_port_may_stand_in_makes_command_or_in_the_environment() -> None:
    assert "--port '5600'" in dry_run("demo", "PORT=5600")
    assert "--port '5600'" in dry_run("demo", PORT="5600")
    assert "--port" not in dry_run("demo")


def test_other_flags_come_after_it_and_win() -> None:
    assert dry_run("demo", "PORT=5600", "DEMO_FLAGS=--port 5700").endswith("--port '5600' --port 5700")


def test_fast_tests_leave_out_what_needs_a_broker_a_browser_or_processes() -> None:
    command = dry_run("test-fast")
    for marker in ("kafka", "browser", "go", "slow", "processes"):
        assert f"not {marker}" in command
    assert "`make test-fast`" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("document", ["README.md", "Makefile"])
def test_it_is_said_where_the_demo_is(document: str) -> None:
    assert "make demo PORT=5600" in (ROOT / document).read_text("utf-8")
