"""`python -m app top` in a terminal of its own, as a process. What its screen shows is in test_screen.py."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path

import pytest
import redis

from app.cli.top.command import REDIS_TIMEOUT_S
from servers.figures import SeenRequest, fill, fill_facts
from tests.support import told_app
from tests.support.stopping import stopped

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-m", "app", "top", "--every", "0.5"]
OPEN_SCREEN, CLOSE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
PRIVATE_MODE = re.compile(r"\x1b\[\?(\d+)([hl])")
NORMAL_MODES = {"25", "7"}
"""Modes that a terminal has when nothing runs: the cursor is shown, long lines are wrapped."""
SGR = re.compile(r"\x1b\[([0-9;]*)m")


class Terminal:
    """The command in a pseudo-terminal of 24 lines and 80 columns."""

    def __init__(self, redis_url: str, *arguments: str, **environ: str) -> None:
        self._own, theirs = pty.openpty()
        self.resize(24, 80, theirs)
        environ = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, "TERM": "xterm", **environ}
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # Its controlling terminal, as in a shell.
        )
        self._theirs = theirs
        self.output = ""

    def resize(self, lines: int, columns: int, terminal: int | None = None) -> None:
        descriptor = self._theirs if terminal is None else terminal
        ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def wait_for(self, text: str, timeout_s: float = 30) -> None:
        """Reads on until `text` has come after all that was read before."""
        deadline = time.monotonic() + timeout_s
        start = len(self.output)
        while text not in self.output[start:]:
            assert time.monotonic() < deadline, f"no {text!r} in: {self.output[-3000:]!r}"
            ready, _, _ = select.select([self._own], [], [], 0.2)
            if ready:
                self.output += os.read(self._own, 65_536).decode("utf-8", "replace")

    def press(self, key: str) -> None:
        os.write(self._own, key.encode())

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def ends(self, code: int) -> None:
        """It ends with this exit code, and the terminal is as it was."""
        self.wait_for(CLOSE_SCREEN)
        assert self.process.wait(10) == code
        assert self.modes() == self.before
        while select.select([self._own], [], [], 0)[0]:
            self.output += os.read(self._own, 65_536).decode("utf-8", "replace")
        last = dict(PRIVATE_MODE.findall(self.output))
        assert {mode for mode, state in last.items() if state == "h"} <= NORMAL_MODES

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._own)
        os.close(self._theirs)


@pytest.fixture
def opened(redis_url: str, redis_client: redis.Redis) -> Iterator[Callable[..., Terminal]]:
    """Opens the command on a Redis with 451 requests."""
    now_s = time.time()
    requests = [SeenRequest(now_s - 30, f"/route/{number % 40}") for number in range(400)]
    requests += [SeenRequest(now_s - 30, "/slow", service_ms=30_000, status="503", code="H12")]
    requests += [SeenRequest(now_s - 30, "/\x1b]0;owned\x07", service_ms=5)] * 50
    fill(redis_client, requests, now_s)
    terminals = []

    def open_terminal(*arguments: str, **environ: str) -> Terminal:
        terminals.append(Terminal(redis_url, *arguments, **environ))
        return terminals[-1]

    yield open_terminal
    for terminal in terminals:
        terminal.close()


def test_it_is_live_and_q_quits(opened: Callable[..., Terminal], redis_client: redis.Redis) -> None:
    terminal = opened()
    terminal.wait_for(OPEN_SCREEN)
    terminal.wait_for("requests 451")
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 1, "/new")] * 99, now_s)
    terminal.wait_for("requests 550")
    terminal.press("q")
    terminal.ends(0)
    assert "\x1b]0;" not in terminal.output, "what came with a route is not run"


def test_dynos_and_a_new_release_are_shown_as_they_come(
    opened: Callable[..., Terminal], redis_client: redis.Redis
) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 30, app="shop", dyno="web.3", status="500")], now_s)
    terminal = opened("--by", "dyno", "--app", "shop")
    terminal.wait_for("web.3")
    fill_facts(redis_client, "shop", told_app.facts(now_s), now_s)
    terminal.wait_for("180 %")
    assert "v42 9154a1d2 7 min ago" in terminal.output, "it is in the first line, which comes first"
    terminal.press("q")
    terminal.ends(0)


def test_ctrl_c_ends_it_with_130(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    terminal.wait_for("q quit")
    terminal.press("\x03")
    terminal.ends(130)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1)]
)
def test_a_signal_ends_it_and_the_terminal_is_put_back(
    opened: Callable[..., Terminal], number: signal.Signals, code: int
) -> None:
    terminal = opened()
    terminal.wait_for("q quit")
    terminal.process.send_signal(number)
    terminal.ends(code)


def test_keys_change_what_is_looked_at_and_a_resize_is_followed(opened: Callable[..., Terminal]) -> None:
    terminal = opened("--sort", "p95")
    terminal.wait_for("q quit")
    assert terminal.output.index("/slow") < terminal.output.index("/route/")
    terminal.press("w")
    terminal.wait_for("last 1h")
    terminal.press("/")
    terminal.press("slow")
    terminal.wait_for("1 of ")
    terminal.press("\r")
    terminal.resize(12, 60)
    terminal.wait_for("? help")
    terminal.press("q")
    terminal.ends(0)


def test_a_slow_redis_keeps_no_key_waiting_and_quitting_neither(
    opened: Callable[..., Terminal], redis_client: redis.Redis
) -> None:
    terminal = opened()
    terminal.wait_for("q quit")
    redis = int(redis_client.info("server")["process_id"])
    with stopped(redis):
        began = time.monotonic()
        terminal.press("w")
        terminal.wait_for("reading: 1h")
        terminal.press("?")
        terminal.wait_for("turn the order round")
        terminal.press("qq")
        terminal.ends(0)
        assert time.monotonic() - began < REDIS_TIMEOUT_S


def test_redis_unreachable_keeps_the_last_figures_and_it_recovers(
    opened: Callable[..., Terminal], redis_client: redis.Redis
) -> None:
    terminal = opened()
    terminal.wait_for("requests 451")
    redis_client.client_kill_filter(_type="normal", skipme=True)
    redis_client.config_set("maxclients", 1)
    try:
        terminal.wait_for("Showing figures from ")
        terminal.press("!")
        terminal.wait_for("no free connection")
        terminal.press("q")
        terminal.wait_for("requests 451")
    finally:
        redis_client.config_set("maxclients", 10_000)
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 1, "/new")] * 99, now_s)
    terminal.wait_for("requests 550")
    terminal.press("q")
    terminal.ends(0)


def test_no_color_has_no_colours_but_marks(opened: Callable[..., Terminal]) -> None:
    terminal = opened(NO_COLOR="1")
    terminal.wait_for("q quit")
    terminal.press("q")
    terminal.ends(0)
    styles = {style for found in SGR.findall(terminal.output) for style in found.split(";")}
    assert {"1", "7"} <= styles, "bold and reverse show the head and the chosen row"
    assert styles <= {"", "0", "1", "2", "4", "7", "39", "49"}, (
        "nothing but attributes and the default colours"
    )


def test_colours_are_the_terminals_own_sixteen(opened: Callable[..., Terminal]) -> None:
    terminal = opened()
    terminal.wait_for("q quit")
    terminal.press("q")
    terminal.ends(0)
    assert "\x1b[1;31" in terminal.output, "warnings are red"
    assert not [found for found in SGR.findall(terminal.output) if re.search(r"[34]8;[25]", found)]


def test_redis_unreachable_at_the_start_is_one_line() -> None:
    terminal = Terminal("redis://:SECRET@127.0.0.1:1/0")
    try:
        terminal.wait_for("Connection refused. (see REDIS_URL)")
        assert terminal.process.wait(10) == 2
        assert OPEN_SCREEN not in terminal.output
        assert "SECRET" not in terminal.output
    finally:
        terminal.close()
