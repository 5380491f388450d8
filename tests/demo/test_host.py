"""The demo is for this machine alone, unless told otherwise."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from demo import __main__ as demo_main
from servers.processes import ROOT, Processes, answers

LISTENING = "0A"
"""State of a socket in /proc/net/tcp (Linux, net/tcp_states.h)."""


def addresses(port: int) -> set[str]:
    """What is listened on at this port, as the kernel has it: hexadecimal, the last byte first."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        if (path := Path("/proc/net", name)).exists()
        for line in path.read_text("ascii").splitlines()[1:]
    ]
    local = [line[1].partition(":") for line in lines if line[3] == LISTENING]
    return {address for address, _, listened in local if int(listened, 16) == port}


def port_of(command: list[str]) -> int:
    return int(command[command.index("--port") + 1])


@pytest.mark.slow
def test_the_page_the_target_and_redis_listen_on_loopback_and_it_says_so(
    processes: Processes, demo_command: list[str]
) -> None:
    demo = processes.start_command("demo", demo_command, ROOT)
    demo.wait_for_output("Ctrl-C stops everything", 60)
    assert "only this machine can reach it; --host 0.0.0.0 changes that" in demo.output
    port = port_of(demo_command)
    assert addresses(port) == {"0100007F"}
    assert addresses(port + 1) <= {"0100007F"}
    assert answers(f"http://127.0.0.1:{port}/health")
    # `web` of the same settings without the demo's choice would listen everywhere.
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.2:{port}/health", timeout=5)


@pytest.mark.slow
def test_another_address_is_taken_and_said(processes: Processes, demo_command: list[str]) -> None:
    demo = processes.start_command("demo", [*demo_command, "--host", "0.0.0.0"], ROOT)
    demo.wait_for_output("Ctrl-C stops everything", 60)
    port = port_of(demo_command)
    assert f"open http://127.0.0.1:{port}/" in demo.output
    assert "other machines on your network can reach it" in demo.output
    assert addresses(port) == {"00000000"}
    assert addresses(port + 1) <= {"0100007F"}


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("shop.example.com", "must be an IP address, such as 127.0.0.1 or 0.0.0.0"),
        ("", "must be an IP address, such as 127.0.0.1 or 0.0.0.0"),
        ("192.0.2.1", "cannot listen on 192.0.2.1: Cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_said_in_one_line(
    processes: Processes, host: str, fault: str
) -> None:
    demo = processes.start_command("demo", [sys.executable, "-m", "demo", "--host", host], ROOT)
    assert demo.popen.wait(20) == 2
    assert demo.output.endswith(f"argument --host: {fault}\n")


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert demo_main._authority("::1", 5000) == "[::1]:5000"
    assert demo_main._reach("::1") == demo_main._reach("127.0.0.1")
    assert demo_main._reach("192.0.2.1") == "It listens on 192.0.2.1."
