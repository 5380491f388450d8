"""`python -m app top` in a terminal of its own, and without one."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest
import redis

from tests.support.filled import Seen, fill

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "app", "top", "--every", "0.5"]
OPEN_SCREEN, CLOSE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """The command in a pseudo-terminal of 30 lines and 90 columns."""

    def __init__(self, redis_url: str) -> None:
        self._own, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
        environ = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, "TERM": "xterm"}
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            COMMAND, cwd=ROOT, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        self._theirs = theirs
        self.output = ""

    def wait_for(self, text: str, timeout_s: float = 20) -> None:
        """Reads on until `text` has come after all that was read before."""
        deadline = time.monotonic() + timeout_s
        start = len(self.output)
        while text not in self.output[start:]:
            assert time.monotonic() < deadline, f"no {text!r} in: {self.output[-2000:]}"
            ready, _, _ = select.select([self._own], [], [], 0.2)
            if ready:
                self.output += os.read(self._own, 65_536).decode("utf-8", "replace")

    def press(self, key: str) -> None:
        os.write(self._own, key.encode())

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._own)
        os.close(self._theirs)


@pytest.fixture
def terminal(redis_url: str, redis_client: redis.Redis) -> Iterator[Terminal]:
    now_s = time.time()
    requests = [Seen(now_s - 30, f"/route/{number % 40}") for number in range(400)]
    requests += [Seen(now_s - 30, "/slow", service_ms=30_000, status="503", code="H12")]
    requests += [Seen(now_s - 30, "/\x1b]0;owned\x07", service_ms=5)] * 50
    fill(redis_client, requests, now_s)
    opened = Terminal(redis_url)
    yield opened
    opened.close()


def test_it_is_live_and_q_quits(terminal: Terminal, redis_client: redis.Redis) -> None:
    terminal.wait_for("requests  451")
    now_s = time.time()
    fill(redis_client, [Seen(now_s - 1, "/new")] * 99, now_s)
    terminal.wait_for("requests  550")
    terminal.press("q")
    terminal.wait_for(CLOSE_SCREEN)
    assert terminal.process.wait(10) == 0
    assert terminal.modes() == terminal.before


def test_keys_change_what_is_looked_at(terminal: Terminal) -> None:
    terminal.wait_for("by requests")
    terminal.press("s")
    terminal.wait_for("by errors")
    terminal.press("s")
    terminal.wait_for("by p95")
    terminal.press("w")
    terminal.wait_for("last 1h")
    rows = re.findall(r"\n(/\S*)", terminal.output[terminal.output.rindex("ROUTE") :])
    assert rows[0] == "/slow"


def test_it_fits_the_screen_and_runs_nothing_that_came_with_a_route(terminal: Terminal) -> None:
    terminal.wait_for("q quit")
    assert "\x1b]0;" not in terminal.output
    screen = terminal.output[terminal.output.index(OPEN_SCREEN) : terminal.output.index("q quit")]
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).replace("\r", "")
    lines = plain.split("\n")
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 90


def test_redis_away_keeps_the_last_figures(terminal: Terminal, redis_client: redis.Redis) -> None:
    terminal.wait_for("requests  451")
    redis_client.client_kill_filter(_type="normal", skipme=True)
    redis_client.config_set("maxclients", 1)
    try:
        terminal.wait_for("The figures are the last ones")
        assert "requests  451" in terminal.output[terminal.output.rindex("\x1b[H") :]
    finally:
        redis_client.config_set("maxclients", 10_000)
    terminal.wait_for("requests  451")


def test_without_a_terminal_it_prints_once(redis_url: str, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [Seen(now_s - 30, "/a")] * 3, now_s)
    environ = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url}
    found = subprocess.run(COMMAND, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    assert "/a" in found.stdout
    assert "\x1b" not in found.stdout
