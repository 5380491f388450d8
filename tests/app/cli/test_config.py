"""`python -m app config`, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app.settings.table import markdown_table
from servers.processes import ROOT


def config(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environ["PATH"] = os.environ["PATH"]
    command = [sys.executable, "-m", "app", "config", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)


def test_what_is_unset_is_said_once() -> None:
    found = config(DRAIN_USER="me", DRAIN_PASSWORD="hunter2")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert "DRAIN_USER=me" in lines
    assert "DRAIN_PASSWORD=********" in lines
    assert "KAFKA_URL=  # unset" in lines
    assert "KAFKA_SASL_MECHANISM=  # unset: no login" in lines
    assert "REPLAY_RATE=  # unset: unlimited" in lines
    assert not [line for line in lines if line.count("unset") > 1]


def test_the_table_is_shown_in_spite_of_the_bad_setting_that_asks_to_look_there() -> None:
    told = config(DRAIN_PASSWORT="hunter2")
    assert told.returncode == 2
    assert "`python -m app config --markdown`" in told.stderr
    found = config("--markdown", DRAIN_PASSWORT="hunter2")
    assert (found.returncode, found.stdout, found.stderr) == (0, markdown_table() + "\n", "")


def test_replay_rules_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text("replay:\n- {path: admin, do: deny}\n- {status: 2x}\n")
    told = config(TAILRACE_CONFIG=str(file))
    assert (told.returncode, told.stdout) == (2, "")
    assert "replay: rule 1: 'admin' must start with /" in told.stderr
    assert "replay: rule 2: status '2x' must be like 200, 5xx or 200-299" in told.stderr


def test_a_variable_that_only_replays_need_is_missed_after_the_settings_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text("replay: [{set_headers: {Authorization: 'Bearer ${STAGING_KEY}'}}]\n")
    told = config(TAILRACE_CONFIG=str(file))
    assert told.returncode == 2
    assert f"TAILRACE_CONFIG={file}" in told.stdout
    assert "replay: rule 1: header Authorization: STAGING_KEY is not in the environment" in told.stderr
    assert config(TAILRACE_CONFIG=str(file), STAGING_KEY="hunter2").returncode == 0


def test_rules_and_targets_of_alerts_are_shown_without_their_secrets(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text(
        "alerts: [{name: checkout, route: /checkout, when: errors > 1 %, for: 2m, to: ops}]\n"
        "targets: {ops: {kind: slack, url: '${OPS}'}}\n"
    )
    found = config(TAILRACE_CONFIG=str(file), OPS="https://hooks.slack.com/services/hunter2")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert "# alert checkout: errors > 1% for 2m, each app, /checkout, to ops" in lines
    assert "# alert silence: silence 5m unless usual, each app, to all targets (on by default)" in lines
    assert "# target ops: slack, hooks.slack.com" in lines
    assert "hunter2" not in found.stdout


def test_bad_rules_of_alerts_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text("alerts:\n- {name: a, when: eror > 2%}\n- {name: b, when: errors > 2%, to: nobody}\n")
    told = config(TAILRACE_CONFIG=str(file))
    assert (told.returncode, told.stdout) == (2, "")
    assert "alerts: rule 1 (a): `when`: 'eror > 2%' is no condition: did you mean errors > 2%?" in told.stderr
    assert "alerts: rule 2 (b): `to`: no target is named 'nobody'" in told.stderr
