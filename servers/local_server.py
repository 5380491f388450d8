"""A real server as a process on loopback, with a data folder of its own: what Redis and Kafka share."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class LocalServer(ABC):
    """`start` and `stop`, or a `with` block. Its data outlives a restart, and goes with `remove`."""

    def __init__(self, name: str, start_s: float, stop_s: float) -> None:
        self._name = name
        self._start_s = start_s
        self._stop_s = stop_s
        self._folder = Path(tempfile.mkdtemp(prefix=f"tailrace-{name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None:
        """Returns once it answers. Raises RuntimeError with its last words when it does not."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes questions by now."""

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def _launch(self, command: Sequence[str]) -> None:
        log_path = self._folder / "server.log"
        with log_path.open("ab") as log:
            # A session of its own: Ctrl-C is for whoever started it, who ends it last.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + self._start_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = log_path.read_text("utf-8", "replace")[-1500:]
                self.kill()
                raise RuntimeError(f"{self._name} did not start:\n{words}")
            time.sleep(0.02)

    def stop(self) -> bool:
        """Ends it as an operator would; its data is on disk. False if it crashed, or had to be killed."""
        if self._process is None:
            return True
        self._process.terminate()
        try:
            code = self._process.wait(self._stop_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._process = None
        return code >= 0

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stops it if it runs, and starts it on the same ports and data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends it and removes its data."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C as well: the block's end is for what has started.
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
