"""The image, the Heroku button and the platforms' files agree with the program they carry."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from app.config import FIELDS
from tests.deploy.image import copied_folders, stages
from tests.support.processes import ROOT, procfile

SETTINGS = {field.name: field for field in FIELDS}


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


def test_the_image_runs_web_and_not_as_root() -> None:
    final = stages()[-1]
    (user,) = final["USER"]
    assert user not in ("root", "0")
    assert json.loads(final["CMD"][0]) == shlex.split(procfile()["web"])


def test_the_image_is_of_the_python_that_platforms_are_told() -> None:
    version = (ROOT / ".python-version").read_text("utf-8").strip()
    assert {stage["FROM"][0].partition(" ")[0] for stage in stages()} == {f"python:{version}-slim"}


def test_all_that_the_image_copies_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert sent == {*copied_folders(), "requirements.txt", "requirements-fast.txt"}
    assert all((ROOT / name).exists() for name in sent)


def test_the_button_asks_for_settings_that_exist() -> None:
    for name, asked in read("app.json")["env"].items():
        assert name in SETTINGS
        assert asked["description"].endswith(".")
        # A value or a generator, or it may stay empty: else the button's form cannot be sent.
        assert sum(key in asked for key in ("value", "generator", "required")) == 1


def test_the_button_makes_no_known_secret() -> None:
    for name, asked in read("app.json")["env"].items():
        if SETTINGS[name].secret:
            assert "value" not in asked


@pytest.mark.parametrize("path", ["app.json", "deploy/dokku/app.json"])
def test_each_process_that_runs_has_its_number(path: str) -> None:
    formation = read(path)["formation"]
    assert set(formation) == set(procfile()) - {"release"}
    # Replay needs a target first.
    assert {name: size["quantity"] for name, size in formation.items()} == {
        "web": 1,
        "metrics": 1,
        "replay": 0,
    }


def test_requirements_are_pinned() -> None:
    for path in sorted(Path(ROOT).glob("requirements*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert "==" in line, f"{path.name}: {line}"
