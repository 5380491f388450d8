"""Compares the answers of target and baseline, for `--compare-bodies`. The baseline gets each request again.

Without the second answer nobody could tell a change from a date, a nonce or the id of a request. It is asked
for when both targets have answered, over connections of its own, so the times of the first two are not
affected. It carries the same X-Request-Id, so that what an answer derives from it is the same in all three.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.store.body_figures import KEYS_MAX, OTHER_KEYS
from consumers.replay.bodies.compare import Compared, Reply, compare
from consumers.replay.request import Answer, Job, Outcome, Request
from consumers.replay.sending.senders import Done, Senders, Skipped

log = logging.getLogger(__name__)

COMPARED_METHODS = frozenset({"GET", "HEAD"})
"""Others may change what the baseline answers next, and are not sent a second time."""
WAITING_MAX_BYTES = 67_108_864
"""Of the answers that wait for the baseline's second one. While there are more, others are not compared."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """The first two answers to a request, which wait for the third."""

    before: Answer
    after: Answer

    @property
    def size_bytes(self) -> int:
        return self.before.size_bytes + self.after.size_bytes


class AnswerComparison:
    """Thread-safe. Takes the outcomes of two targets, asks the baseline again, and reports each request once:
    to `compared`, or to `uncompared` with the reason. Answers are held only as long as that takes."""

    def __init__(
        self,
        target_url: str,
        baseline_url: str,
        job_of: Callable[[Request], Job | str],
        start: Callable[[Done, Skipped], Senders],
        compared: Callable[[str, Compared], None],
        uncompared: Callable[[str, str], None],
    ) -> None:
        """`job_of`: the request as it is sent to the baseline. `start`: begins to send to it. The route comes
        first in `compared` and `uncompared`."""
        self._target_url = target_url
        self._baseline_url = baseline_url
        self._job_of = job_of
        self._compared = compared
        self._uncompared = uncompared
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Request, _Pair]] = {}
        self._waiting_bytes = 0
        self._names: dict[str, set[str]] = {}
        self.senders = start(self._answered, self._unsent)

    def add(self, request: Request, before: Outcome, after: Outcome) -> None:
        """Both targets have an outcome: the baseline's is `before`."""
        reason = self._why_not(request, before, after) or self._ask_again(request, before, after)
        if reason:
            self._uncompared(request.route, reason)

    def _why_not(self, request: Request, before: Outcome, after: Outcome) -> str:
        if request.method not in COMPARED_METHODS:
            return "method"
        kinds = before.kind, after.kind
        if "stream" in kinds:
            return "stream"
        if kinds != ("answered", "answered"):
            return "no-answer"
        # Too many answers were waiting for the slower target.
        return "busy" if before.answer is None or after.answer is None else ""

    def _ask_again(self, request: Request, before: Outcome, after: Outcome) -> str:
        """The reason why that is not possible; empty if it is."""
        assert before.answer is not None
        assert after.answer is not None
        again = replace(request)  # Its identity is the key, so it must be the only one.
        job = self._job_of(again)
        if isinstance(job, str):
            return job
        pair = _Pair(before.answer, after.answer)
        with self._lock:
            if self._waiting_bytes + pair.size_bytes > WAITING_MAX_BYTES:
                return "busy"
            self._waiting[id(again)] = again, pair
            self._waiting_bytes += pair.size_bytes
        # A thread that sends to one of the targets must not wait here.
        if not self.senders.submit(job, time.monotonic(), 0.0):
            self._take(again)
            return "busy"
        return ""

    def _answered(self, request: Request, outcome: Outcome, late_ms: float) -> None:
        pair = self._take(request)
        if outcome.kind != "answered" or outcome.answer is None or pair is None:
            self._uncompared(request.route, "no-second-answer")
            return
        try:
            found = self._compare(request, pair, outcome.answer)
        except Exception as fault:
            # Without its text and its traceback, which may hold a part of an answer.
            log.error("answers could not be compared: %s", type(fault).__name__)
            self._uncompared(request.route, "fault")
        else:
            self._compared(request.route, found)

    def _compare(self, request: Request, pair: _Pair, again: Answer) -> Compared:
        def reply(answer: Answer, url: str) -> Reply:
            return Reply(answer, url, request.method, request.path)

        found = compare(
            reply(pair.before, self._baseline_url),
            reply(again, self._baseline_url),
            reply(pair.after, self._target_url),
        )
        return replace(
            found,
            differing=self._limited(request.route, found.differing),
            noise=self._limited(request.route, found.noise),
            noisy=self._limited(request.route, found.noisy),
        )

    def _limited(self, route: str, names: set[str]) -> set[str]:
        """The names, with one for all that are beyond the first KEYS_MAX of the route."""
        if not names:
            return names
        with self._lock:
            known = self._names.setdefault(route, set())
            known.update(sorted(names - known)[: max(0, KEYS_MAX - len(known))])
            return {name if name in known else OTHER_KEYS for name in names}

    def _unsent(self, request: Request, reason: str) -> None:
        self._take(request)
        self._uncompared(request.route, reason if reason == "stopped" else "no-second-answer")

    def _take(self, request: Request) -> _Pair | None:
        with self._lock:
            found = self._waiting.pop(id(request), None)
            if found is None:
                return None
            self._waiting_bytes -= found[1].size_bytes
            return found[1]
