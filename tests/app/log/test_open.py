"""One place chooses the log, and what is not chosen is neither loaded nor asked after."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.log import open_log
from app.settings import Settings

ROOT = Path(__file__).parents[3]
PRODUCT = ("app", "drain", "consumers")
CHOOSERS = (ROOT / "app/log", ROOT / "app/settings")

LOADED = """
import sys
from app.log import open_log
from app.settings import Settings
log = open_log(Settings(**{settings!r}))
writer = log.writer()
{more}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"kafka", "confluent_kafka"}}))
"""


def loaded(settings: dict[str, str], more: str = "") -> str:
    """The Kafka libraries that a process has loaded once it has a writer."""
    code = LOADED.format(settings=settings, more=more)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def product_files() -> Iterator[Path]:
    for name in PRODUCT:
        yield from (ROOT / name).rglob("*.py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    ("settings", "libraries"),
    [
        ({}, "[]"),
        ({"kafka_url": "kafka://127.0.0.1:1"}, "['kafka']"),
        ({"kafka_url": "kafka://127.0.0.1:1", "kafka_client": "confluent"}, "['confluent_kafka']"),
    ],
)
def test_a_writer_loads_the_client_library_of_its_log_alone(settings: dict[str, str], libraries: str) -> None:
    assert loaded(settings) == libraries


def test_a_log_on_kafka_loads_no_library_before_it_is_read_or_written() -> None:
    assert "KafkaLog" in type(open_log(Settings(kafka_url="kafka://127.0.0.1:1"))).__name__
    code = "import sys, app.log.kafka; print('kafka' in sys.modules, 'confluent_kafka' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False False"


def test_the_command_line_the_drain_and_the_consumers_do_not_ask_which_log_it_is() -> None:
    asked = re.compile(r"kafka_url|log_in_redis|redis_log_max_mb")
    found = [
        str(path.relative_to(ROOT))
        for path in product_files()
        if not path.is_relative_to(CHOOSERS[0])
        and not path.is_relative_to(CHOOSERS[1])
        and asked.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_folder_of_a_log_is_imported_from_outside() -> None:
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in product_files()
        if not path.is_relative_to(CHOOSERS[0])
        for name in imports_of(path)
        if name.startswith(("app.log.redis", "app.log.kafka", "app.log.memory"))
    ]
    assert found == []


def test_the_store_imports_no_log() -> None:
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "app/store").rglob("*.py")
        for name in imports_of(path)
        if name == "app.log" or name.startswith("app.log.")
    ]
    assert found == []
