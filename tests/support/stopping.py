"""Freezes a process for a while, as a stalled machine would."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from servers.processes import wait_until


def stop(pid: int) -> None:
    """Returns once the process has stopped. After SIGSTOP is sent, it runs on until one of its threads
    handles the signal; on a busy machine, its other threads may still answer in the meantime."""
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
