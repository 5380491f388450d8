"""Starts processes in order, shows what they say, stops them in the opposite order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

STOP_S = 15.0
COLOURS = (36, 33, 32, 35, 34, 31)
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """The processes of one demo. Not for production: a platform does this better."""

    def __init__(self, root: Path, out: IO[str]) -> None:
        self._root = root
        self._out = out
        self._running: list[tuple[str, subprocess.Popen[str]]] = []
        self._may_end: dict[str, Collection[int]] = {}
        self._last_lines: dict[str, deque[str]] = {}
        self._lock = threading.Lock()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        may_end: Collection[int] = (),
    ) -> None:
        """Starts one; its output appears with its name in front. `may_end`: its work has an end, and these
        are its exit codes then."""
        process = subprocess.Popen(
            list(command),
            cwd=self._root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C comes here alone; `stop` says who goes when.
        )
        colour = COLOURS[len(self._running) % len(COLOURS)]
        self._running.append((name, process))
        self._may_end[name] = may_end
        self._last_lines[name] = deque(maxlen=15)
        threading.Thread(target=self._show, args=(name, process, colour), daemon=True).start()

    def _show(self, name: str, process: subprocess.Popen[str], colour: int) -> None:
        assert process.stdout is not None
        label = f"{name:8}| "
        if self._out.isatty():
            label = f"\033[{colour}m{label}\033[0m"
        for line in process.stdout:
            self._last_lines[name].append(line)
            self.print_line(label + line.rstrip("\n"))

    def print_line(self, line: str) -> None:
        """One line, whole, whoever else is writing. A terminal that is gone stops nothing."""
        with self._lock, contextlib.suppress(OSError):
            print(line, file=self._out, flush=True)

    def find_dead(self) -> str | None:
        """The name of a process that has ended by itself and should not have, if there is one."""
        for name, process in self._running:
            code = process.poll()
            if code is not None and code not in self._may_end[name]:
                return name
        return None

    def last_output(self, name: str) -> str:
        return "".join(self._last_lines[name])

    def stop(self) -> None:
        """SIGTERM in the opposite order of the start, SIGKILL for who does not listen.

        A second Ctrl-C would break off a wait and leave the rest running, so from here on none
        counts: each wait is bounded, and Redis and the folders go after this, too.
        """
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        self.print_line("stopping ...")
        for name, process in reversed(self._running):
            _signal_group(process, signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.print_line(f"{name} did not stop in {STOP_S:.0f} s: killed")
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._running.clear()


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To a process and its children: the group has the id of its leader, which was started here."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def raise_on_sigterm() -> None:
    """SIGTERM ends the demo as Ctrl-C does, and so does SIGHUP: its terminal was closed."""

    def on_signal(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, on_signal)
    # Ignored from the start: somebody wants it to outlive the terminal (`nohup make demo`).
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, on_signal)
