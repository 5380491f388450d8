"""The demo as a process, with a folder for temporary files by which all its processes are known."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from servers.ports import free_port
from servers.processes import ROOT, Process, Processes
from tests.demo.leftovers import of_folder

START_S = 60


@pytest.fixture
def processes() -> Iterator[Processes]:
    """What is started here ends with the test, whatever became of it."""
    with Processes({}) as started:
        yield started
        for pid in of_folder(started.temporary):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def demo_command() -> list[str]:
    return [sys.executable, "-m", "demo", "--rate", "20", "--port", str(free_port())]


@pytest.fixture
def demo(processes: Processes, demo_command: list[str]) -> Process:
    """Running, with all that it has to say at the start said."""
    demo = processes.start_command("demo", demo_command, ROOT)
    demo.wait_for_output("Ctrl-C stops everything", START_S)
    return demo
