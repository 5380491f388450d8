"""Time limits for blocking socket calls, on real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from drain.gunicorn.watchdog import SPARE_ENTRIES, Watchdog

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_read_ends_when_its_time_is_up_although_bytes_keep_coming(pair: Pair) -> None:
    ours, theirs = pair
    done = threading.Event()

    def trickle() -> None:
        with contextlib.suppress(BrokenPipeError):  # Its peer reads no more: what this test waits for.
            while not done.wait(0.05):
                theirs.send(b"x")

    sender = threading.Thread(target=trickle)
    sender.start()
    started = time.monotonic()
    received = 0
    try:
        with Watchdog().limit(ours, read_s=0.3, total_s=10):
            while part := ours.recv(1):
                received += len(part)
    finally:
        done.set()
        sender.join()
    assert received > 1
    assert 0.25 < time.monotonic() - started < 5


def test_an_answer_can_still_be_sent_after_the_time_for_reading(pair: Pair) -> None:
    ours, theirs = pair
    with Watchdog().limit(ours, read_s=0.05, total_s=10):
        assert ours.recv(1) == b""
        ours.sendall(b"too slow")
    assert theirs.recv(100) == b"too slow"


def test_a_blocked_send_ends_when_the_whole_time_is_up(pair: Pair) -> None:
    ours, _ = pair
    started = time.monotonic()
    with Watchdog().limit(ours, read_s=10, total_s=0.2), pytest.raises(OSError):
        ours.sendall(b"x" * 50_000_000)
    assert time.monotonic() - started < 5


def test_a_socket_is_left_alone_once_its_block_has_ended(pair: Pair) -> None:
    ours, theirs = pair
    watchdog = Watchdog()
    with watchdog.limit(ours, read_s=0.1, total_s=0.1):
        pass
    with watchdog.limit(socket.socket(), read_s=0.2, total_s=0.2):  # Its thread is past the first.
        time.sleep(0.3)
    theirs.sendall(b"still here")
    assert ours.recv(100) == b"still here"


def test_a_nearer_deadline_does_not_wait_for_a_farther_one(pair: Pair) -> None:
    ours, _ = pair
    other, other_end = socket.socketpair()
    watchdog = Watchdog()
    with other, other_end, watchdog.limit(other, read_s=30, total_s=30):
        started = time.monotonic()
        with watchdog.limit(ours, read_s=0.1, total_s=30):
            assert ours.recv(1) == b""
        assert time.monotonic() - started < 5


def test_a_socket_that_is_closed_already_does_not_end_the_watch(pair: Pair) -> None:
    ours, _ = pair
    watchdog = Watchdog()
    gone = socket.socket()
    with watchdog.limit(gone, read_s=0.01, total_s=0.02):
        gone.close()
        time.sleep(0.1)
    with watchdog.limit(ours, read_s=0.05, total_s=10):
        assert ours.recv(1) == b""


def test_limits_that_have_ended_take_no_memory_until_their_deadline(pair: Pair) -> None:
    ours, _ = pair
    watchdog = Watchdog()
    for _ in range(5 * SPARE_ENTRIES):
        with watchdog.limit(ours, read_s=600, total_s=600):
            pass
    assert len(watchdog._heap) <= SPARE_ENTRIES + 4
