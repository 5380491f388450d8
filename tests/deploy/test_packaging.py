"""The image, the Heroku button and the platforms' files agree with the program they carry."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

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


def test_the_button_starts_all_but_what_needs_a_target_first() -> None:
    formation = read("app.json")["formation"]
    assert set(formation) == set(procfile()) - {"release"}
    assert {name: size["quantity"] for name, size in formation.items()} == {
        "web": 1,
        "metrics": 1,
        "replay": 0,
    }


def test_dokku_asks_web_whether_it_lives_and_leaves_numbers_to_its_own_command() -> None:
    found = read("deploy/dokku/app.json")
    assert set(found) == {"healthchecks"}
    [check] = found["healthchecks"]["web"]
    assert check["path"] == "/health"


def test_requirements_are_pinned() -> None:
    for path in sorted(Path(ROOT).glob("requirements*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert "==" in line, f"{path.name}: {line}"
