"""The guard: it changes nothing about a worker that gets on or waits, and ends one that does not."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from consumers.guard import CHECK_EVERY_S, KILL_AFTER_S, STUCK_AFTER_S
from servers.processes import ROOT, Process, Processes

START = """
import os, signal, sys, time
from app.logging_setup import start_logging
from consumers.guard import run_guarded
from tests.support.hang import hang

def work(current):
    print("pid", os.getpid(), "parent", os.getppid(), flush=True)
{body}

start_logging("test")
sys.exit(run_guarded(work, stuck_after_s=1.0))
"""


def start(processes: Processes, body: str) -> Process:
    indented = "\n".join("    " + text for text in body.strip().splitlines())
    return processes.start_command("guard", [sys.executable, "-c", START.format(body=indented)], ROOT)


def starts(process: Process) -> int:
    return process.output.count("pid ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return 0", 0),
        ("return 2", 2),
        ("sys.exit(7)", 7),
        ("raise ValueError('a defect')", 1),
        ("current.begin_batch(['f.0']); current.cursor[0] = 1; raise ValueError('a defect')", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 128 + signal.SIGSEGV),
    ],
)
def test_a_workers_end_is_the_processs_end(body: str, code: int) -> None:
    with Processes({}) as processes:
        process = start(processes, body)
        assert process.popen.wait(20) == code
        assert starts(process) == 1
        assert process.output.count("ValueError: a defect") == ("ValueError" in body)


def test_waiting_is_no_hanging_and_neither_is_going_from_message_to_message() -> None:
    body = """
for number in range(1, 8):
    current.begin_batch(["f.0", "f.1"])
    current.cursor[0] = 1
    time.sleep(0.4)
    current.cursor[0] = 2
    time.sleep(0.4)
    current.clear()
current.begin_batch(["f.0"])
time.sleep(2.5)
return 0
"""
    with Processes({}) as processes:
        process = start(processes, body)
        assert process.popen.wait(30) == 0
        assert starts(process) == 1


def test_one_message_too_long_ends_the_worker_and_the_next_knows_which() -> None:
    body = """
print("left", *current.message_and_lease(), flush=True)
if not current.is_empty:
    return 0
current.begin_batch(["f.0", "f.1"], "lease")
current.cursor[0] = 2
hang()
"""
    with Processes({}) as processes:
        process = start(processes, body)
        assert process.popen.wait(20) == 0
        assert starts(process) == 2
        assert "left f.1 lease" in process.output
        assert "killing the worker: it is stuck on one message for 1.0 s" in process.output


def test_a_worker_that_dies_again_and_again_is_started_ever_later() -> None:
    body = """
current.begin_batch(["f.0"])
current.cursor[0] = 1
os.kill(os.getpid(), signal.SIGSEGV)
"""
    with Processes({}) as processes:
        process = start(processes, body)
        process.wait_until(lambda: starts(process) == 3, "third start")
        time.sleep(2)
        assert starts(process) <= 5
        assert process.terminate(5) == 0


def test_a_stuck_worker_is_gone_within_the_ten_seconds_that_a_platform_gives() -> None:
    assert STUCK_AFTER_S + CHECK_EVERY_S < KILL_AFTER_S < 10


@pytest.mark.slow
def test_a_worker_that_hangs_outside_of_any_message_ends_in_time_on_either_signal() -> None:
    body = """
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, lambda *_: None)
print("hangs", flush=True)
hang()
"""
    with Processes({}) as processes:
        # Both at once, because each takes nine seconds.
        told = {number: start(processes, body) for number in (signal.SIGTERM, signal.SIGINT)}
        for process in told.values():
            process.wait_for_output("hangs")
        started_s = time.monotonic()
        for number, process in told.items():
            process.popen.send_signal(number)
        for process in told.values():
            assert process.popen.wait(20) == 0
            assert 8 < time.monotonic() - started_s < 12
            assert "killing the worker: it did not stop within 9 s" in process.output


def test_a_signal_reaches_the_worker() -> None:
    body = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
time.sleep(60)
"""
    with Processes({}) as processes:
        process = start(processes, body)
        process.wait_for_output("ready")
        assert process.terminate(10) == 3
