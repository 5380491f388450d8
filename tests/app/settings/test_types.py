"""A setting's field, default and reader are of one type, or mypy says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

DECLARATIONS = """
from dataclasses import dataclass
from app.settings import readers
from app.settings.fields import setting

@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    port: int = setting("PORT", 5000, "right", readers.whole_number(0, 65535))
    user: str = setting("USER", "", "right, without a reader")
    tokens: dict[str, str] = setting("TOKENS", {}, "right", readers.drain_tokens)
    methods: tuple[str, ...] = setting("METHODS", ("GET",), "right", readers.methods)
    wrong_default: int = setting("A", "5000", "a default of another type", readers.whole_number(0, 1))
    wrong_reader: int = setting("B", 5000, "a reader of another type", readers.text)
    wrong_both: str = setting("C", 1, "default and reader fit each other only", readers.whole_number(0, 1))
    no_reader: int = setting("D", 1, "a number that nothing reads")
"""


@pytest.mark.slow
def test_mypy_refuses_a_default_or_a_reader_of_another_type(tmp_path: Path) -> None:
    file = tmp_path / "declarations.py"
    file.write_text(DECLARATIONS)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    wrong = {
        number
        for number, line in enumerate(DECLARATIONS.splitlines(), 1)
        if line.lstrip().startswith(("wrong", "no_reader"))
    }
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert done.returncode == 1, done.stdout + done.stderr
    assert lines == wrong, done.stdout
