"""The files of `--report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadSettings, TailraceError
from consumers.replay.reports.files import FORMS, check_paths, write
from tests.consumers.replay.reports.samples import report


def test_the_ending_chooses_the_form(tmp_path: Path) -> None:
    paths = [tmp_path / f"report{ending}" for ending in FORMS]
    check_paths(paths)
    write(paths, report())
    begins = [path.read_text("utf-8")[:9] for path in paths]
    assert begins == ['{\n  "sche', "# Replay ", "<!doctype", "<?xml ver"]


@pytest.mark.parametrize("name", ["r.txt", "r.xml", "r", "r.html.gz", ".json", ".junit.xml", "r.JSON"])
def test_another_ending_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSettings, match=r"must end in \.json, \.md, \.html or \.junit\.xml"):
        check_paths([tmp_path / name])


def test_a_file_that_could_not_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder.md"
    folder.mkdir()
    for path, said in ((folder, "is a folder"), (tmp_path / "away" / "r.md", "folder does not exist")):
        with pytest.raises(BadSettings, match=said):
            check_paths([path])


def test_a_report_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    paths = [tmp_path / "away" / "r.md", tmp_path / "r.json"]
    with pytest.raises(TailraceError, match=r"r\.md: No such file or directory"):
        write(paths, report())
    assert paths[1].read_text("utf-8").startswith("{")
