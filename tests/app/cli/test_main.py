"""The command line says in one line why it cannot go on, whatever the command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli.main import COMMANDS
from servers.processes import ROOT


def run(
    *arguments: str, python: tuple[str, ...] = (), stdout: Path | None = None, **environ: str
) -> tuple[int, str, str]:
    """Exit code, standard output (where it goes to no file) and standard error."""
    environ["PATH"] = os.environ["PATH"]
    command = [sys.executable, *python, "-m", "app", *arguments]
    with open(stdout or os.devnull, "w") as file:
        found = subprocess.run(
            command,
            cwd=ROOT,
            env=environ,
            stdout=file if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    return found.returncode, found.stdout, found.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_python_without_the_requirements_says_what_to_do(command: str) -> None:
    code, _, said = run(command, python=("-S",))
    assert code == 2
    assert said.startswith("the Python module ")
    assert said.count("\n") == 1
    assert ".venv/bin/python" in said
    assert "requirements.txt" in said


@pytest.mark.parametrize("module", ["yaml", "redis"])
def test_ctrl_c_during_the_start_is_no_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt")
    assert run("report", PYTHONPATH=str(tmp_path)) == (130, "", "")


def test_a_fault_in_our_own_imports_is_not_taken_for_a_missing_requirement(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("import app.gone")
    code, _, said = run("config", PYTHONPATH=str(tmp_path))
    assert code == 1
    assert "No module named 'app.gone'" in said
    assert "requirements.txt" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize(
    "arguments",
    [["report"], ["report", "--format", "json"], ["config"], ["config", "--markdown"], ["--help"]],
)
def test_a_full_disk_is_one_line_and_exit_code_1(redis_url: str, arguments: list[str]) -> None:
    code, _, said = run(*arguments, stdout=Path("/dev/full"), REDIS_URL=redis_url)
    assert (code, said) == (1, "cannot write the output: No space left on device\n")


@pytest.mark.parametrize(
    "words",
    [("report", "--rout", "5"), ("top", "--win", "1h"), ("replay", "--fro", "1h"), ("config", "--mark")],
)
def test_the_start_of_a_flag_is_not_taken_for_the_flag(words: tuple[str, ...]) -> None:
    code, _, said = run(*words)
    assert code == 2
    assert "unrecognized arguments" in said or "are required: --from" in said


def test_bad_usage_keeps_its_exit_code() -> None:
    code, _, said = run("tpo")
    assert code == 2
    assert "invalid choice: 'tpo'" in said


def test_the_version_is_said(redis_url: str) -> None:
    assert run("--version") == (0, f"Tailrace {__version__}\n", "")
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_commands_help_has_examples_of_itself(command: str) -> None:
    code, said, _ = run(command, "--help")
    assert code == 0
    examples = said.partition("examples:\n")[2]
    assert examples.startswith(f"  python -m app {command}")


def test_the_help_names_every_command() -> None:
    code, said, _ = run("--help")
    assert code == 0
    words = " ".join(said.split())
    for name, (help_line, _) in COMMANDS.items():
        assert f" {name} {help_line}" in words


def test_every_module_of_a_command_is_registered_once() -> None:
    """What defines a command, and nothing else, is in the table."""
    folder = ROOT / "app" / "cli"
    defined = {
        f"app.cli.{path.relative_to(folder).parts[0].removesuffix('.py')}"  # A module or a package.
        for path in folder.rglob("*.py")
        if path.stem != "main" and "\ndef add_arguments(" in path.read_text("utf-8")
    }
    modules = [module for _, module in COMMANDS.values()]
    assert sorted(modules) == sorted(defined)
