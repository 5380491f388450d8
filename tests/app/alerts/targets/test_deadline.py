"""A total limit of time: it ends the connections, and nothing is sent after it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from app.alerts.targets.deadline import Deadline, within


def test_what_is_done_in_time_is_returned_or_raised() -> None:
    assert within(5, lambda deadline: 7) == 7

    def failing(deadline: Deadline) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        within(5, failing)


def test_the_time_may_be_extended_on_the_way() -> None:
    def work(deadline: Deadline) -> int:
        deadline.extend(5)
        time.sleep(0.7)
        return 7

    assert within(0.5, work) == 7


def test_a_connection_that_is_waited_on_ends_with_the_time() -> None:
    ours, theirs = socket.socketpair()
    woken = threading.Event()

    def work(deadline: Deadline) -> None:
        assert deadline.watch(ours) is ours
        assert ours.recv(1) == b""
        woken.set()

    with pytest.raises(TimeoutError):
        within(0.1, work)
    assert woken.wait(5)
    ours.close()
    theirs.close()


def test_a_connection_that_is_made_too_late_is_closed_unused() -> None:
    ours, theirs = socket.socketpair()
    is_over, is_refused = threading.Event(), threading.Event()

    def work(deadline: Deadline) -> None:
        is_over.wait(5)
        try:
            deadline.watch(ours)
        except TimeoutError:
            is_refused.set()

    with pytest.raises(TimeoutError):
        within(0.1, work)
    is_over.set()
    assert is_refused.wait(5)
    assert theirs.recv(1) == b""
    theirs.close()


def test_no_file_is_left_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def work(deadline: Deadline) -> None:
        ours, theirs = socket.socketpair()
        deadline.watch(ours)
        ours.close()
        theirs.close()

    before = count()
    for _ in range(20):
        within(5, work)
    assert count() <= before + 2
