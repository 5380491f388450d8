"""CONTRIBUTING's lists name files that exist, so that whoever follows them finds each place."""

from __future__ import annotations

import re

import pytest

from servers.processes import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
KINDS = (
    "A message log",
    "A figure",
    "A metric of Prometheus",
    "A receiver",
    "A consumer group",
    "A command",
    "A setting",
)


def rows(text: str) -> dict[str, str]:
    """The tables' first cells that are paths -> what is said of them."""
    return dict(re.findall(r"^\| `([\w./-]+)` \| (.+) \|$", text, re.MULTILINE))


def list_of(kind: str) -> dict[str, str]:
    """The list below "### A figure" and the like: path, with NAME for what is new -> what to add."""
    return rows(TEXT.partition(f"\n### {kind}\n")[2].partition("\n##")[0])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_list_of_files_that_exist(kind: str) -> None:
    paths = list_of(kind)
    assert paths
    for path in paths:
        # What is to be made anew has a sibling that is there already.
        assert list(ROOT.glob(path.replace("NAME", "*").rstrip("/"))), path


def test_each_folder_of_the_layout_exists() -> None:
    layout = rows(TEXT.partition("\n## Layout\n")[2].partition("\n## ")[0])
    assert "app/log/" in layout
    for path in layout:
        assert (ROOT / path).is_dir(), path


def test_every_marker_of_pytest_is_explained() -> None:
    declared = re.findall(r'^    "(\w+): ', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    table = TEXT.partition("| marker |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(declared) != set()
