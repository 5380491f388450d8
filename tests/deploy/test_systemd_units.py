"""The systemd units run the Procfile, and the documents for operators name only what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.main import main
from app.groups import group_names
from app.settings.settings import FIELDS, Settings
from servers.processes import ROOT, procfile

FOLDER = ROOT / "deploy" / "systemd"
VENV = "/opt/tailrace/.venv/bin/"
LONG_RUNNING = ("web", *group_names())
SETTINGS = {field.name for field in FIELDS}
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))

PLATFORM_NAMES = {"GUNICORN_CMD_ARGS", "PROMETHEUS_MULTIPROC_DIR", "SSL_CERT_FILE"}
"""Upper-case names in the documents that are other programs' own."""


def unit(name: str) -> dict[str, list[str]]:
    """Directive -> its values, in order."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        directive, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(directive, []).append(value)
    return found


def example_environment() -> dict[str, str]:
    lines = (FOLDER / "tailrace.env.example").read_text("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def commands(text: str) -> Iterator[str]:
    """Each shell line of a document, continued ones joined, without its comment."""
    for line in text.replace("\\\n", " ").splitlines():
        yield re.split(r"\s#", line)[0]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_each_process_runs_the_procfiles_command_from_the_venv(name: str) -> None:
    (command,) = unit(f"tailrace-{name}.service")["ExecStart"]
    assert command == VENV + procfile()[name]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_each_process_has_time_to_end_and_starts_with_the_others(name: str) -> None:
    found = unit(f"tailrace-{name}.service")
    assert found["KillSignal"] == ["SIGTERM"]
    assert found["TimeoutStopSec"] == ["30"]
    assert found["PartOf"] == found["WantedBy"] == ["tailrace.target"]


def test_there_is_a_unit_for_each_process_and_for_nothing_else() -> None:
    assert {path.name for path in FOLDER.glob("*.service")} == {
        f"tailrace-{name}.service" for name in LONG_RUNNING
    }


def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    # The venv of these tests stands in for the one in /opt: systemd asks whether programs are there.
    here = f"{Path(sys.executable).parent}/"
    copies = []
    for path in sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.target")]):
        copy = tmp_path / path.name
        copy.write_text(path.read_text("utf-8").replace(VENV, here), "utf-8")
        copies.append(str(copy))
    done = subprocess.run(
        [analyze, "verify", "--man=no", *copies], capture_output=True, text=True, check=False, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if "tailrace" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_example_environment_holds_settings_that_exist_and_needs_only_a_password() -> None:
    environ = example_environment()
    assert set(environ) <= SETTINGS
    assert environ["DRAIN_PASSWORD"] == ""
    assert Settings.load(environ | {"DRAIN_PASSWORD": "x"}).drain_credential_pairs == (("logplex", "x"),)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_documents_commands_exist_with_all_their_options(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in commands(document.read_text("utf-8")):
        for name, rest in re.findall(r"python -m app ([a-z][a-z-]*)([^`|]*)", line):
            with pytest.raises(SystemExit) as ended:
                main([name, "--help"], {})
            assert ended.value.code == 0, line
            unknown = set(re.findall(r"(?<=\s)--[a-z-]+", rest)) - set(
                re.findall(r"--[a-z-]+", capsys.readouterr().out)
            )
            assert not unknown, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_documents_environment_variables_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`", text))
    for line in commands(text):
        if "config:" in line:
            named |= set(re.findall(r"(?<=[\s`\"'])([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b", line))
    assert named - SETTINGS - PLATFORM_NAMES == set()
