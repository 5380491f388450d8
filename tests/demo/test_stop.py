"""However the demo is told to end, nothing of it stays: no process, no folder."""

from __future__ import annotations

import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from servers.local_server import LocalServer
from servers.processes import ROOT, Process, Processes, wait_until
from tests.demo.leftovers import of_folder


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_break_off_the_stop(demo: Process, processes: Processes) -> None:
    assert len(of_folder(processes.temporary)) > 5
    demo.popen.send_signal(signal.SIGINT)
    demo.wait_for_output("stopping ...")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        demo.popen.send_signal(number)
    assert demo.popen.wait(60) == 0
    assert demo.output.endswith("stopped: nothing is left behind\n")
    assert "Traceback" not in demo.output
    assert of_folder(processes.temporary) == []
    assert list(processes.temporary.iterdir()) == []


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_it(processes: Processes, demo_command: list[str]) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        # Also where the tests run under `nohup`, which the demo heeds.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(ROOT)
        os.execve(sys.executable, demo_command, processes.environ)
    shown = b""
    while b"Tailrace is running" not in shown:
        shown += os.read(terminal, 65_536)
    os.close(terminal)
    os.waitpid(pid, 0)
    assert of_folder(processes.temporary) == []
    assert list(processes.temporary.iterdir()) == []


def test_nohup_lets_it_outlive_its_terminal() -> None:
    code = (
        "import signal; from demo.supervisor import raise_on_sigterm; "
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); raise_on_sigterm(); signal.raise_signal(signal.SIGHUP)"
    )
    with Processes({}) as processes:
        assert processes.start_command("nohup", [sys.executable, "-c", code], ROOT).popen.wait(20) == 0


def test_ctrl_c_while_a_server_starts_leaves_neither_process_nor_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(LocalServer):
        def start(self) -> None:
            self._launch(["sleep", "60"])

        def _answers(self) -> bool:
            started.append(self.pid)
            raise KeyboardInterrupt

    started: list[int] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), Slow("slow", 10, 10):
        pass
    wait_until(lambda: not Path(f"/proc/{started[0]}").exists(), "end")
    assert list(tmp_path.iterdir()) == []
