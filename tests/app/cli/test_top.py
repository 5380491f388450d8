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

from app.store.frame_events import Loss, record_once
from servers.figures import SeenRequest, fill

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "app", "top", "--every", "0.5"]
CODES = {"H27": 4, "H13": 3, "H12": 2, "H18": 1}
NO_WORKER = (
    "! No metrics worker is running. "
    "Start one: `heroku ps:scale metrics=1`, or `python -m consumers.metrics`."
)
LOST = (
    "! 12 messages from shop were lost in the last hour. If this continues, the drain was too slow or "
    "unreachable: add web processes, or give a noisy app its own Tailrace."
)
OPEN_SCREEN, CLOSE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """The command in a pseudo-terminal of 30 lines."""

    def __init__(self, redis_url: str, columns: int = 90) -> None:
        self._own, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
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

    def shown(self) -> list[str]:
        """The lines of the first look."""
        screen = self.output[self.output.index(OPEN_SCREEN) : self.output.index("q quit")]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).replace("\r", "").split("\n")

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._own)
        os.close(self._theirs)


def fill_with_faults(redis_client: redis.Redis) -> None:
    """Requests with H-codes on long routes, a loss, and no worker."""
    now_s = time.time()
    long = "/a-long-path-that-nobody-would-call-an-id" * 3
    seen = [
        SeenRequest(now_s - 30, long, status="503", code=code)
        for code, times in CODES.items()
        for _ in range(times)
    ]
    fill(redis_client, seen, now_s)
    record_once(redis_client, "frame", "shop", [Loss("L10", 12)], [], int(now_s))


@pytest.fixture
def terminal(redis_url: str, redis_client: redis.Redis) -> Iterator[Terminal]:
    now_s = time.time()
    requests = [SeenRequest(now_s - 30, f"/route/{number % 40}") for number in range(400)]
    requests += [SeenRequest(now_s - 30, "/slow", service_ms=30_000, status="503", code="H12")]
    requests += [SeenRequest(now_s - 30, "/\x1b]0;owned\x07", service_ms=5)] * 50
    fill(redis_client, requests, now_s)
    opened = Terminal(redis_url)
    yield opened
    opened.close()


def test_it_is_live_and_q_quits(terminal: Terminal, redis_client: redis.Redis) -> None:
    terminal.wait_for("requests  451")
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 1, "/new")] * 99, now_s)
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
    assert len(terminal.shown()) <= 30
    assert max(map(len, terminal.shown())) <= 90


@pytest.mark.parametrize("columns", [30, 60, 90, 120])
def test_a_narrow_screen_keeps_each_code_and_every_word_of_a_warning(
    redis_url: str, redis_client: redis.Redis, columns: int
) -> None:
    fill_with_faults(redis_client)
    terminal = Terminal(redis_url, columns)
    try:
        terminal.wait_for("q quit")
    finally:
        terminal.close()
    assert len(terminal.shown()) <= 30
    assert max(map(len, terminal.shown())) <= columns
    # Up to the table, whose cells give way where there is no room.
    said = " ".join(" ".join(terminal.shown()[: terminal.shown().index("")]).split())
    for code, count in CODES.items():
        assert f"{code} {count}" in said
    assert NO_WORKER in said
    assert LOST in said


def test_redis_away_keeps_the_last_figures(terminal: Terminal, redis_client: redis.Redis) -> None:
    terminal.wait_for("requests  451")
    redis_client.client_kill_filter(_type="normal", skipme=True)
    redis_client.config_set("maxclients", 1)
    try:
        terminal.wait_for("Showing the last known figures")
        assert "requests  451" in terminal.output[terminal.output.rindex("\x1b[H") :]
    finally:
        redis_client.config_set("maxclients", 10_000)
    terminal.wait_for("requests  451")


def test_without_a_terminal_it_prints_once(redis_url: str, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 30, "/a")] * 3, now_s)
    environ = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url}
    found = subprocess.run(COMMAND, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    assert "/a" in found.stdout
    assert "\x1b" not in found.stdout


def test_aborted_requests_and_connections_are_shown_where_there_are_any(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    requests = [
        SeenRequest(now_s - 30, "/shop", status="499", code="H27"),
        SeenRequest(now_s - 30, "/cable", status="101", service_ms=531_114),
    ]
    fill(redis_client, requests, now_s)
    found = subprocess.run(
        [sys.executable, "-m", "app", "top", "--sort", "errors"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line.split() for line in found.stdout.splitlines() if line]
    assert ["aborted", "1"] in lines
    assert any(line[:2] == ["connections", "1,"] for line in lines)
    assert any("ABORTED" in line and "CONNECTIONS" in line for line in lines)


def test_without_a_terminal_nothing_is_left_out(redis_url: str, redis_client: redis.Redis) -> None:
    fill_with_faults(redis_client)
    # COLUMNS is exported by some shells, and is about a terminal that this is not.
    environ = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, "COLUMNS": "80"}
    found = subprocess.run(COMMAND, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    lines = found.stdout.splitlines()
    assert "\N{HORIZONTAL ELLIPSIS}" not in found.stdout
    assert "H13 3 (Connection closed without response), H12 2 (Request timeout)" in found.stdout
    assert NO_WORKER in lines
    assert LOST in lines
    assert lines[-1].endswith("  H27:4 H13:3 H12:2 H18:1")
