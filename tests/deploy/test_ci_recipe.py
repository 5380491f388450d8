"""The recipe of docs/ci.md: its YAML, its flags, and its script, which is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.replay.run import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_INTERRUPTED,
    EXIT_TARGET_DOWN,
    EXIT_USAGE,
)
from app.settings import Settings
from servers.processes import ROOT
from tests.app.cli.replay.test_arguments import check, commands
from tests.consumers.replay.samples import append, line
from tests.support.target import RecordingTarget, answer

TEXT = (ROOT / "docs" / "ci.md").read_text("utf-8")


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    """The one job of the recipe."""
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    recipe = yaml.safe_load(block)
    assert set(recipe) - {True} == {
        "name",
        "permissions",
        "concurrency",
        "jobs",
    }  # YAML 1.1 reads `on` as true.
    assert recipe["permissions"] == {"contents": "read"}
    (found,) = recipe["jobs"].values()
    assert isinstance(found, dict)
    return found


def step(job: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in job["steps"] if one.get("name", "").startswith(name)]
    assert isinstance(found, dict)
    return found


def test_it_uses_only_flags_that_exist(job: dict[str, Any]) -> None:
    script = step(job, "Replay")["run"]
    (words,) = commands(script.replace("|| code=$?", ""))
    args = check(words)
    assert args.to == "$TARGET"
    assert {path.name for path in args.report} == {
        f"report{ending}" for ending in (".md", ".html", ".json", ".junit.xml")
    }
    assert args.fail_if


def test_it_tells_all_exit_codes_apart(job: dict[str, Any]) -> None:
    codes = {int(code) for code in re.findall(r"^ *(\d+)\) ", step(job, "Replay")["run"], re.MULTILINE)}
    own = {EXIT_FAILED, EXIT_USAGE, EXIT_TARGET_DOWN, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED}
    assert codes == {0, *own}


def test_secrets_come_from_the_store_and_reach_one_step_alone(job: dict[str, Any]) -> None:
    assert step(job, "Replay")["env"]["REDIS_URL"] == "${{ secrets.REDIS_URL }}"
    assert "secrets." not in str(job["env"])
    assert str(job).count("secrets.") == 1
    assert not re.search(r"rediss?://", TEXT)


def test_the_report_is_kept_and_shown_whatever_the_verdict(job: dict[str, Any]) -> None:
    keeps, shows = step(job, "Keep"), step(job, "Show")
    assert keeps["if"] == shows["if"] == "always()"
    assert keeps["uses"].startswith("actions/upload-artifact@v")
    assert keeps["with"]["path"] == "${{ env.REPORTS }}"
    assert 'cat "$REPORTS/report.md" >> "$GITHUB_STEP_SUMMARY"' in shows["run"]
    assert job["timeout-minutes"] <= 60


def bash(script: str, **environ: str) -> tuple[int, str]:
    """As GitHub runs a step on Linux: `bash -e`, in Tailrace's folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    found = subprocess.run(
        command, cwd=ROOT, env={"PATH": path, **environ}, capture_output=True, text=True, timeout=60
    )
    return found.returncode, found.stdout + found.stderr


@pytest.mark.parametrize(("status", "code"), [(500, EXIT_FAILED), (0, EXIT_TARGET_DOWN)])
def test_its_script_ends_as_the_replay_does_and_leaves_the_reports(
    job: dict[str, Any], redis_url: str, tmp_path: Path, status: int, code: int
) -> None:
    append(Settings.load({"REDIS_URL": redis_url}), [line("/a") for _ in range(60)])
    reports, summary = tmp_path / "reports", tmp_path / "summary.md"
    with RecordingTarget(answer(status)) as target:
        url = target.url if status else "http://127.0.0.1:9"
        found, said = bash(step(job, "Replay")["run"], TARGET=url, REPORTS=str(reports), REDIS_URL=redis_url)
    assert found == code, said
    assert "::error title=Replay::" in said
    assert len(list(reports.iterdir())) == 4
    found, _ = bash(step(job, "Show")["run"], REPORTS=str(reports), GITHUB_STEP_SUMMARY=str(summary))
    assert found == 0
    assert summary.read_text("utf-8").startswith("# Replay ")


def test_where_no_report_was_written_none_is_shown(job: dict[str, Any], tmp_path: Path) -> None:
    code, said = bash(
        step(job, "Show")["run"], REPORTS=str(tmp_path / "none"), GITHUB_STEP_SUMMARY=str(tmp_path / "s")
    )
    assert (code, said) == (0, "")
