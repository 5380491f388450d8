"""A further consumer group, and a further command, by the files that CONTRIBUTING.md lists and no others."""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.log import open_log
from app.settings import Settings
from servers.processes import ROOT, Processes, wait_until
from tests.app.log.logs import frame

FOLDERS = ("app", "consumers", "deploy", "drain", "servers", "tests")
FILES = ("Procfile", "README.md", "app.json", "docker-compose.yml", "pyproject.toml")

MAIN = """
import os
import sys

from app.groups import TOY
from app.store import keys
from app.store.settle import settle
from consumers.run import Work, run_group


def main():
    return run_group(TOY, prepare, os.environ)


def prepare(settings, store, stop, cursor):
    def handle(batch, keepalive):
        settle(store, batch.claim)
        store.hincrby(keys.group("toy"), "messages", len(batch.messages))

    return Work(handle=handle, max_messages=100)


if __name__ == "__main__":
    sys.exit(main())
"""

COMMAND = """
def add_arguments(parser):
    parser.epilog = "examples:\\n  python -m app toy"


def run(args, settings):
    print("a toy")
    return 0
"""

GROUP = """TOY = Group(
    name="toy",
    purpose="counts messages, consumer group `toy`",
    reading=Reading(start="earliest", rewind_to_store=True),
    while_stopped="nobody counts messages",
    while_behind="They are counted later.",
)

"""

THE_GROUPS_OWN_TESTS = (
    "tests/app/test_groups.py",
    "tests/test_environment.py",
    "tests/deploy/test_packaging.py",
)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def add_group(copy: Path) -> set[str]:
    """The files that this took."""
    package = copy / "consumers" / "toy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(MAIN)
    replace(copy / "app/groups.py", "GROUPS = (", f"{GROUP}GROUPS = (TOY, ")
    replace(copy / "Procfile", "\nrelease:", "\ntoy: python -m consumers.toy\nrelease:")
    replace(copy / "app.json", '"formation": {', '"formation": {"toy": {"quantity": 1, "size": "basic"},')
    replace(
        copy / "docker-compose.yml",
        "services:\n",
        'services:\n  toy:\n    <<: *tailrace\n    command: ["python", "-m", "consumers.toy"]\n'
        "    environment: *settings\n    depends_on: *after-release\n\n",
    )
    units = copy / "deploy" / "systemd"
    unit = (units / "tailrace-metrics.service").read_text("utf-8")
    (units / "tailrace-toy.service").write_text(unit.replace("metrics", "toy"))
    row = "| `toy` | `python -m consumers.toy` | counts messages, consumer group `toy` |\n"
    replace(copy / "README.md", "| `release` |", f"{row}| `release` |")
    return {
        "consumers/toy/__init__.py",
        "consumers/toy/__main__.py",
        "app/groups.py",
        "Procfile",
        "app.json",
        "docker-compose.yml",
        "deploy/systemd/tailrace-toy.service",
        "README.md",
    }


def changed(copy: Path) -> Iterator[str]:
    for path in copy.rglob("*"):
        name = path.relative_to(copy)
        if path.is_dir() or "__pycache__" in name.parts:
            continue
        if not (ROOT / name).exists() or not filecmp.cmp(path, ROOT / name, shallow=False):
            yield str(name)


@pytest.mark.slow
def test_a_group_takes_eight_files_and_works(copy: Path, redis_url: str, redis_client: redis.Redis) -> None:
    assert add_group(copy) == set(changed(copy))
    writer = open_log(Settings.load({"REDIS_URL": redis_url})).writer()
    writer.append("f1", frame("f1", 3), 4)
    writer.close()
    with Processes({"REDIS_URL": redis_url}) as processes:
        toy = processes.start_command("toy", [sys.executable, "-m", "consumers.toy"], copy)
        wait_until(lambda: redis_client.hget("tailrace:group:toy", "messages") == b"3", "count", 40)
        command = [sys.executable, "-m", "app", "report", "--format", "json"]
        report = json.loads(subprocess.check_output(command, cwd=copy, env=processes.environ, timeout=60))
        (seen,) = [group for group in report["health"]["groups"] if group["group"] == "toy"]
        assert (seen["workers"], seen["totals"]) == (1, {"messages": 3})
        assert toy.terminate() == 0


@pytest.mark.slow
def test_the_tests_of_what_every_group_needs_know_a_further_one_by_themselves(copy: Path) -> None:
    add_group(copy)
    select = "group or procfile or readme or alarm or environment or button_starts"
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", select]
    done = subprocess.run(
        [*command, *THE_GROUPS_OWN_TESTS], cwd=copy, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "[toy] PASSED" in done.stdout


@pytest.mark.slow
def test_a_command_takes_two_files_and_works(copy: Path) -> None:
    (copy / "app/cli/toy.py").write_text(COMMAND)
    replace(
        copy / "app/cli/main.py",
        '= {\n    "top"',
        '= {\n    "toy": ("a toy", "app.cli.toy"),\n    "top"',
    )
    assert set(changed(copy)) == {"app/cli/toy.py", "app/cli/main.py"}
    for words, said in (
        (["toy"], "a toy\n"),
        (["toy", "--help"], "python -m app toy"),
        (["--help"], "a toy"),
    ):
        command = [sys.executable, "-m", "app", *words]
        assert said in subprocess.check_output(command, cwd=copy, text=True, timeout=60)
