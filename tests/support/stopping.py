"""Processes that stand still for a while, as where their machine does."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from servers.processes import wait_until


def stop(pid: int) -> None:
    """Returns once the process runs no more. It still does after SIGSTOP was sent, until the one thread that
    takes the signal has had its turn: on a busy machine others of its threads answer meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    stat = Path(f"/proc/{pid}/stat")  # Of Linux. Elsewhere the signal has to do.
    if stat.exists():
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] in "TZ", f"stop of process {pid}")


def go_on(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that hangs as long as the block lasts."""
    stop(pid)
    try:
        yield
    finally:
        go_on(pid)
