"""The flags, and that help and documents use none but these."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.replay.arguments import EPILOG, add_arguments
from consumers.replay.gate.thresholds import parse_threshold
from consumers.replay.reports.files import check_paths
from servers.processes import ROOT

DOCUMENTS = [path for path in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")]) if path.exists()]


def commands(text: str) -> Iterator[list[str]]:
    """The words of each replay command in it."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for found in re.finditer(r"python -m app replay( --[^\n`|]*)", joined):
        yield shlex.split(found[1], comments=True)


def check(words: list[str]) -> argparse.Namespace:
    """Raises SystemExit for a flag that does not exist."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_arguments(parser)
    args = parser.parse_args(words)
    for threshold in args.fail_if:
        assert parse_threshold(threshold.strip("'"))
    check_paths([Path(path.name) for path in args.report])
    return args


def test_the_examples_of_the_help_are_good_command_lines() -> None:
    found = list(commands(EPILOG))
    assert len(found) == EPILOG.count("python -m app replay") >= 6
    assert all(check(words).to for words in found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_commands_of_a_document_are_good_command_lines(document: Path) -> None:
    for words in commands(document.read_text("utf-8")):
        check(words)


def test_a_flag_that_does_not_exist_is_found() -> None:
    (words,) = commands("python -m app replay --from 1h --sped 2\n")
    with pytest.raises(SystemExit):
        check(words)
