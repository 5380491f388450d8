"""The demo runs from what the development image holds: it needs nothing of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from servers.kafka_broker import KafkaBroker
from servers.kafka_jars import JARS
from servers.ports import free_port
from servers.processes import Processes
from tests.deploy.image import copy_image


def run(processes: Processes, folder: Path, *flags: str) -> str:
    command = [
        sys.executable,
        "-m",
        "demo",
        "--rate",
        "20",
        "--port",
        str(free_port()),
        "--seconds",
        "1",
        *flags,
    ]
    demo = processes.start_command("demo", command, folder)
    assert demo.popen.wait(120) == 0, demo.output
    return demo.output


@pytest.mark.slow
def test_it_runs_from_the_folders_of_the_image(processes: Processes, tmp_path: Path) -> None:
    assert "Tailrace is running" in run(processes, copy_image("development", tmp_path / "image"))


@pytest.mark.slow
@pytest.mark.kafka
def test_so_it_does_on_kafka(processes: Processes, tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    image = copy_image("development", tmp_path / "image")
    (image / ".cache").mkdir()
    # Fetched by now: this is not about Maven.
    (image / ".cache" / JARS.name).symlink_to(JARS)
    assert "release " in run(processes, image, "--kafka")
