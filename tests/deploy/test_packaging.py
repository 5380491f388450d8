"""The image, the Heroku button and the platforms' files agree with the program they carry."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from app.groups import GROUPS
from app.settings.settings import FIELDS, Settings
from servers.processes import ROOT, procfile
from tests.deploy.image import base_images, copied_folders, instruction, stages

SETTINGS = {field.name: field for field in FIELDS}


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


def test_the_image_runs_web_and_not_as_root() -> None:
    *_, final = stages()
    (user,) = instruction(final, "USER")
    assert user not in ("root", "0")
    assert json.loads(instruction(final, "CMD")[0]) == shlex.split(procfile()["web"])


def test_the_image_is_of_the_python_that_platforms_are_told() -> None:
    version = (ROOT / ".python-version").read_text("utf-8").strip()
    (image,) = base_images()
    assert re.match(rf"python:{re.escape(version)}\.\d+-slim-", image)


def test_images_of_others_are_named_by_version_and_digest() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"].values()
    others = {service["image"] for service in compose if "build" not in service}
    assert len(others) == 2
    for image in base_images() | others:
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+[a-z-]*@sha256:[0-9a-f]{64}", image), image


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    *_, final = stages()
    assert sorted(copied_folders(final)) == ["app", "consumers", "drain"]
    development = ["Procfile", "app", "consumers", "demo", "drain", "servers"]
    assert sorted(copied_folders("development")) == development


@pytest.mark.parametrize("target", ["build", "build-development"])
def test_the_image_takes_only_what_has_a_known_hash_and_builds_nothing(target: str) -> None:
    (install,) = instruction(target, "RUN")
    assert {"--require-hashes", "--only-binary=:all:"} <= set(install.split())


def test_all_that_the_images_copy_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert sent == {name for target in stages() for name in copied_folders(target)}
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


def test_the_button_starts_all_but_what_needs_a_target_first_or_what_another_does_too() -> None:
    formation = read("app.json")["formation"]
    needed = {group.name: int(group.is_wanted(Settings())) for group in GROUPS}
    assert {name: size["quantity"] for name, size in formation.items()} == {"web": 1, **needed}


def test_dokku_asks_web_whether_it_lives_and_leaves_numbers_to_its_own_command() -> None:
    found = read("deploy/dokku/app.json")
    assert set(found) == {"healthchecks"}
    [check] = found["healthchecks"]["web"]
    assert check["path"] == "/health"


LISTS = sorted(path.stem for path in ROOT.glob("requirements*.in"))
"""What a person writes; beside each is what `make lock` makes of it."""

PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+"
)


def pins(name: str) -> dict[str, str]:
    """Package -> version in a file with hashes. Fails where the file holds anything else."""
    text = "".join(
        line
        for line in (ROOT / f"{name}.txt").read_text("utf-8").splitlines(keepends=True)
        if not line.lstrip().startswith("#")
    )
    found = {pin["name"]: pin["version"] for pin in PIN.finditer(text)}
    assert PIN.sub("", text) == "", "something without a version or a hash, an index, or another file"
    return found


def wanted(name: str) -> dict[str, str]:
    """Package -> version in a list, with those lists that it names."""
    found: dict[str, str] = {}
    for line in (ROOT / f"{name}.in").read_text("utf-8").splitlines():
        if line.startswith("-r "):
            found |= wanted(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("#"):
            package, equals, version = line.partition("==")
            assert equals, f"{name}.in: {line}"
            found[package.partition("[")[0].lower()] = version
    return found


@pytest.mark.parametrize("name", LISTS)
def test_all_that_is_installed_has_a_version_and_hashes_as_the_list_wants(name: str) -> None:
    locked = pins(name)
    assert wanted(name).items() <= locked.items(), "run `make lock`"


@pytest.mark.parametrize("name", ["requirements", "requirements-fast", "requirements-demo"])
def test_what_runs_is_what_is_tested(name: str) -> None:
    assert pins(name).items() <= pins("requirements-dev").items(), "run `make lock`"


@pytest.mark.parametrize("name", LISTS)
def test_a_file_with_hashes_names_no_index(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
