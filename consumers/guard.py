"""The guard of a worker: a process that only watches it, and restarts it.

A worker that hangs in C code runs no signal handler, no timer and no thread of its own, so only another
process can end it. The worker is therefore the guard's child, and notes in shared memory which message it
is processing (current_message.py). The guard kills a worker that is stuck on one message and starts the
next, which counts that message in Redis (worker.py): the third time, it becomes a dead letter.

The guard is the parent, not a process beside the worker, because a killed worker is then back within a
second on every platform: Heroku makes a dyno that has crashed a few times wait for many minutes.
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

from consumers.current_message import CurrentMessage

log = logging.getLogger(__name__)

STUCK_AFTER_S = 5.0
"""A message normally takes a few microseconds."""

CHECK_EVERY_S = 0.25
KILL_AFTER_S = 9.0
"""From the first SIGTERM or SIGINT to SIGKILL; platforms give 10 s or more."""

FIRST_RESTART_DELAY_S = 0.5
RESTART_DELAY_MAX_S = 10.0
STABLE_AFTER_S = 60.0
"""A worker that has run this long restarts without delay."""

STOPS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1


def run_guarded(work: Callable[[CurrentMessage], int], stuck_after_s: float = STUCK_AFTER_S) -> int:
    """Runs `work` in a child process; the exit code of this process, whichever of the two it is.

    Call it before any connection or thread exists. The child's exit code is passed on, and so is death by
    a signal (128 plus its number). A child that dies while it processes a message, or is killed because it
    is stuck on one, is replaced.
    """
    return _Guard(work, stuck_after_s).run()


class _Guard:
    def __init__(self, work: Callable[[CurrentMessage], int], stuck_after_s: float) -> None:
        self._work = work
        self._stalled_checks_max = max(1, math.ceil(stuck_after_s / CHECK_EVERY_S))
        self._current_message = CurrentMessage()
        self._stop_requested_at_s = math.inf
        self._child = 0

    def run(self) -> int:
        # Signals arrive in a pipe, because a handler that sets a flag may run just before a wait begins.
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._previous_handlers = {
            number: signal.signal(number, _ignore_signal) for number in (*STOPS, signal.SIGCHLD)
        }
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        gc.freeze()  # What exists by now stays in memory that both processes share.
        delay_s = 0.0
        while True:
            started_s = time.monotonic()
            if self._fork():
                return self._work(self._current_message)
            code = os.waitstatus_to_exitcode(self._watch())
            if self._is_stopping:
                return max(code, 0)
            if code >= 0 or self._current_message.is_empty:
                return code if code >= 0 else 128 - code
            name, _ = self._current_message.message_and_lease()
            log.warning("the worker died while processing a message and is restarted: id=%s", name)
            if time.monotonic() - started_s > STABLE_AFTER_S:
                delay_s = 0.0
            restart_at_s = time.monotonic() + delay_s
            while not self._is_stopping and (left_s := restart_at_s - time.monotonic()) > 0:
                self._wait(left_s)
            if self._is_stopping:
                return 0
            delay_s = min(RESTART_DELAY_MAX_S, max(FIRST_RESTART_DELAY_S, 2 * delay_s))

    @property
    def _is_stopping(self) -> bool:
        return self._stop_requested_at_s < math.inf

    def _fork(self) -> bool:
        """True in the child."""
        guard = os.getpid()
        # A signal that comes in between waits until each process has its own handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        self._child = os.fork()
        if not self._child:
            signal.set_wakeup_fd(-1)
            for number, handler in self._previous_handlers.items():
                signal.signal(number, handler)
            os.close(self._reader)
            os.close(self._writer)
            _exit_with(guard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        return not self._child

    def _watch(self) -> int:
        """Waits for the child to end; returns its exit status."""
        stalled_checks = 0
        last = self._current_message.progress
        while True:
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                self._child = 0
                return status
            if time.monotonic() >= self._stop_requested_at_s + KILL_AFTER_S:
                # No count suffers: what is not settled is read again, as after any kill -9.
                log.warning("killing the worker: it did not stop within %.0f s", KILL_AFTER_S)
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
                return 0
            if not self._wait(CHECK_EVERY_S):
                continue
            # Checks are counted, not seconds, because a suspended machine suspends the guard as well.
            progress = self._current_message.progress
            stalled_checks = (
                stalled_checks + 1 if progress == last and not self._current_message.is_empty else 0
            )
            last = progress
            if stalled_checks == self._stalled_checks_max:
                log.warning(
                    "killing the worker: it is stuck on one message for %.1f s",
                    stalled_checks * CHECK_EVERY_S,
                )
                os.kill(self._child, signal.SIGKILL)

    def _wait(self, timeout_s: float) -> bool:
        """Passes signals on; True if none arrived in time."""
        ready, _, _ = select.select([self._reader], [], [], timeout_s)
        if not ready:
            return True
        for number in os.read(self._reader, 4096):
            if number in STOPS:
                self._stop_requested_at_s = min(self._stop_requested_at_s, time.monotonic())
                if self._child:
                    os.kill(self._child, number)
        return False


def _ignore_signal(number: int, frame: object) -> None:
    """Nothing to do: the signal's number is already in the pipe."""


def _exit_with(guard: int) -> None:
    """Ends this process when the guard dies, because nobody would watch it or pass signals on."""
    if sys.platform != "linux" or ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        threading.Thread(target=_exit_without, args=(guard,), daemon=True).start()
    if os.getppid() != guard:
        os._exit(1)


def _exit_without(guard: int) -> None:
    while os.getppid() == guard:
        time.sleep(1)
    os._exit(1)
