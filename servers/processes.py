"""The Procfile's own commands as subprocesses, as a platform runs them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]


def procfile() -> dict[str, str]:
    """Process type -> command."""
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    return {
        name.strip(): command.strip()
        for name, _, command in (line.partition(":") for line in lines)
        if command
    }


def inherited_environ(*names: str) -> dict[str, str]:
    """HOME, LANG and `names` of this environment, and nothing else: no setting of a real installation.
    The programs of this Python's environment come first in PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **{name: os.environ[name] for name in ("HOME", "LANG", *names) if name in os.environ},
        "PATH": path,
    }


class Process:
    """One running process; its output goes to `log`, for asserts and for the words of a failure."""

    def __init__(
        self, name: str, command: list[str], environ: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self.name = name
        self._log = log
        self._last_output: str | None = None
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def output(self) -> str:
        """All that it has written so far."""
        if self._last_output is not None:
            return self._last_output
        return self._log.read_text("utf-8", "replace")

    def wait_until(self, is_there: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
        """Returns when it is; fails with the process's output when it ends or time is up."""
        deadline = time.monotonic() + timeout_s
        while not is_there():
            assert self.popen.poll() is None, f"{self.name} ended before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"{self.name}: no {what} in {timeout_s} s:\n{self.output}"
            time.sleep(0.05)

    def wait_for_output(self, text: str, timeout_s: float = 20) -> None:
        self.wait_until(lambda: text in self.output, f"output {text!r}", timeout_s)

    def terminate(self, timeout_s: float = 30) -> int:
        """SIGTERM; the exit code."""
        self.popen.terminate()
        return self.popen.wait(timeout_s)

    def kill(self) -> None:
        """kill -9 of the process and, as for gunicorn, of its children."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(10)
        self._last_output = self.output


class Processes:
    """Starts processes of the Procfile with one environment; the block's end ends them all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # What a process killed with -9 leaves behind goes with the block.
        self._folder = tempfile.TemporaryDirectory(prefix="tailrace-processes-")
        self.temporary = Path(self._folder.name, "tmp")
        self.temporary.mkdir()
        self.environ = {
            **inherited_environ(),
            "TMPDIR": str(self.temporary),
            "PYTHONUNBUFFERED": "1",
            **environ,
        }
        self._started: list[Process] = []

    def start(self, name: str, **more: str) -> Process:
        """A process of the type `name`."""
        return self.start_command(name, shlex.split(procfile()[name]), ROOT, **more)

    def start_command(self, name: str, command: list[str], folder: Path, **more: str) -> Process:
        """Any command, run in `folder`."""
        log = Path(self._folder.name, f"{len(self._started)}-{name}.log")
        process = Process(name, command, {**self.environ, **more}, folder, log)
        self._started.append(process)
        return process

    def start_web(self, port: int, **more: str) -> Process:
        """`web`, once it answers on `port`."""
        process = self.start("web", PORT=str(port), **more)
        process.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), "answer")
        return process

    def start_worker(self, name: str, **more: str) -> Process:
        """`metrics` or `replay`, once it reads."""
        process = self.start(name, **more)
        process.wait_for_output("reading: group=")
        return process

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            process.kill()
            if fault is not None:
                print(f"--- output of {process.name} ---\n{process.output[-3000:]}")
        self._folder.cleanup()


def answers(url: str) -> bool:
    """True when a GET of the URL is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def wait_until(is_there: Callable[[], bool], what: str | Callable[[], str], timeout_s: float = 20) -> None:
    """Returns when it is; fails when time is up, with `what`, which is asked for only then."""
    deadline = time.monotonic() + timeout_s
    while not is_there():
        late = time.monotonic() >= deadline
        assert not late, f"no {what if isinstance(what, str) else what()} in {timeout_s} s"
        time.sleep(0.05)
