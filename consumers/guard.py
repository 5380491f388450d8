"""The guard of a worker: a process that does nothing but watch over it, and starts it again.

A worker that hangs in C code runs no signal handler, no timer and no thread of its own: only another
process can end it. So the worker is the guard's child, and says in shared memory which message it has
in hand (hand.py). The guard ends a worker that gets no further with one message and starts the next,
which counts the message in Redis (worker.py): the third time it goes to the dead letters.

The guard is the parent, not a watcher beside it, because a worker that is killed is then back within a
second on every platform: Heroku would let a dyno that crashed a few times wait for many minutes.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

from consumers.hand import Hand

log = logging.getLogger(__name__)

HOLD_S = 5.0
"""One message takes some microseconds."""

LOOK_S = 0.25
END_S = 9.0
"""From the first SIGTERM or SIGINT to SIGKILL; platforms give 10 s or more."""

FIRST_RESTART_S = 0.5
LAST_RESTART_S = 10.0
WELL_AFTER_S = 60.0
"""A worker that has lived for so long starts again without delay."""

STOPS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1


def guarded(work: Callable[[Hand], int], hold_s: float = HOLD_S) -> int:
    """Runs `work` in a child process; the exit code of this process, whichever of the two it is.

    To be called before there are connections and threads. The child's exit code is passed on, and so
    is death by a signal (128 and the signal's number). A child that dies with a message in hand, and
    one that the guard has ended because of it, are followed by another.
    """
    return _Guard(work, hold_s).run()


class _Guard:
    def __init__(self, work: Callable[[Hand], int], hold_s: float) -> None:
        self._work = work
        self._looks = max(1, math.ceil(hold_s / LOOK_S))
        self._hand = Hand()
        self._told_at_s = math.inf
        self._child = 0

    def run(self) -> int:
        # Signals arrive in a pipe, for a handler that sets something may come too early for a wait.
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._before = {number: signal.signal(number, _noted) for number in (*STOPS, signal.SIGCHLD)}
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        gc.freeze()  # What is there by now stays in memory that both processes share.
        delay_s = 0.0
        while True:
            started_s = time.monotonic()
            if self._fork():
                return self._work(self._hand)
            code = os.waitstatus_to_exitcode(self._watched())
            if self._is_told:
                return max(code, 0)
            if code >= 0 or self._hand.is_empty:
                return code if code >= 0 else 128 - code
            name, _ = self._hand.held()
            log.warning("the worker died while processing a message and is restarted: id=%s", name)
            if time.monotonic() - started_s > WELL_AFTER_S:
                delay_s = 0.0
            again_s = time.monotonic() + delay_s
            while not self._is_told and (left_s := again_s - time.monotonic()) > 0:
                self._wait(left_s)
            if self._is_told:
                return 0
            delay_s = min(LAST_RESTART_S, max(FIRST_RESTART_S, 2 * delay_s))

    @property
    def _is_told(self) -> bool:
        return self._told_at_s < math.inf

    def _fork(self) -> bool:
        """True in the child."""
        guard = os.getpid()
        # A signal that comes in between waits until each process has its own handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        self._child = os.fork()
        if not self._child:
            signal.set_wakeup_fd(-1)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            os.close(self._reader)
            os.close(self._writer)
            _end_with(guard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        return not self._child

    def _watched(self) -> int:
        """The status with which the child has ended."""
        looks = 0
        last = self._hand.beat
        while True:
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                self._child = 0
                return status
            if time.monotonic() >= self._told_at_s + END_S:
                # No count suffers: what is not settled is read again, as after any kill -9.
                log.warning("killing the worker: it did not stop within %.0f s", END_S)
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
                return 0
            if not self._wait(LOOK_S):
                continue
            # Looks are counted, not seconds, because a suspended machine suspends the guard as well.
            beat = self._hand.beat
            looks = looks + 1 if beat == last and not self._hand.is_empty else 0
            last = beat
            if looks == self._looks:
                log.warning("killing the worker: one message has held it for %.1f s", looks * LOOK_S)
                os.kill(self._child, signal.SIGKILL)

    def _wait(self, timeout_s: float) -> bool:
        """Passes signals on; True where the time went by without any."""
        ready, _, _ = select.select([self._reader], [], [], timeout_s)
        if not ready:
            return True
        for number in os.read(self._reader, 4096):
            if number in STOPS:
                self._told_at_s = min(self._told_at_s, time.monotonic())
                if self._child:
                    os.kill(self._child, number)
        return False


def _noted(number: int, frame: object) -> None:
    """The number is in the pipe."""


def _end_with(guard: int) -> None:
    """Has this process end when the guard is gone: nobody would watch over it, or pass signals on."""
    if sys.platform != "linux" or ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        threading.Thread(target=_end_without, args=(guard,), daemon=True).start()
    if os.getppid() != guard:
        os._exit(1)


def _end_without(guard: int) -> None:
    while os.getppid() == guard:
        time.sleep(1)
    os._exit(1)
