"""Counts what became of the requests, from any thread, until the figures are taken and written."""

from __future__ import annotations

import threading

from app.sketch import bucket
from app.store.run_figures import RouteFigures, RunFigures
from consumers.replay.bodies.compare import Compared
from consumers.replay.choice.comparable import has_failed, why_uncomparable
from consumers.replay.choice.coverage import LeftOutKeys
from consumers.replay.pairs import Pairs
from consumers.replay.request import Outcome, Request

TIMED = frozenset({"answered", "timeout"})
"""Kinds whose times count. A timeout is censored: an answer would have taken at least so long. A refusal is
fast, but no answer; a stream has no end."""


class ReplayStats:
    """Thread-safe. `take` hands over what was counted and starts from zero."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = RunFigures()
        self._left_out = LeftOutKeys()
        self.pairs = Pairs()
        """Of the whole run so far."""
        self.handled = 0
        """Requests so far, sent or not."""
        self.at_ms = 0
        """The log time of the latest of them, Unix ms."""

    def done(self, request: Request, outcome: Outcome, late_ms: float) -> None:
        """Counts a request that was sent, beside its original. `late_ms`: sent minus due."""
        reason = why_uncomparable(request)
        with self._lock:
            self._add(request, outcome, late_ms, request.status, request.service_ms, reason)

    def compared(self, request: Request, before: Outcome, after: Outcome, late_ms: float) -> None:
        """Counts a request that was sent to two targets: `before`, the baseline's outcome, takes the
        place of the original."""
        before_ms = before.latency_ms if before.kind in TIMED else None
        with self._lock:
            is_censored = before.kind == "timeout"
            route = self._add(request, after, late_ms, before.status, before_ms, "", is_censored=is_censored)
            if before.kind != "answered":
                route.kinds[f"baseline-{before.kind}"] += 1

    def _add(
        self,
        request: Request,
        after: Outcome,
        late_ms: float,
        before_status: int,
        before_ms: float | None,
        reason: str,
        *,
        is_censored: bool = False,
    ) -> RouteFigures:
        """`reason`: why the original cannot be compared; empty where it can. `is_censored`: `before_ms` is
        of a timeout, so it has a place among the pairs, but is not the time of an answer."""
        self._advance(request)
        figures, route = self._figures, self._figures.of(request.route)
        late_ms = max(0.0, late_ms)
        is_timed = after.kind in TIMED
        route.add(
            after.kind,
            after.status,
            after.latency_ms,
            before_status,
            None if is_censored else before_ms,
            late_ms + after.elapsed_ms if is_timed else None,
            is_comparable=not reason,
            had_failed=bool(reason) and has_failed(request),
        )
        if reason and after.has_status:
            figures.uncomparable[reason] += 1
        if before_ms is not None and is_timed and not reason:
            # Of either side: without its timeouts, a target that hangs would look fast.
            self.pairs.add(request.route, before_ms, after.latency_ms)
        figures.reencoded += request.is_reencoded
        figures.late_ms[bucket(late_ms)] += 1
        return route

    def answers_compared(self, route: str, found: Compared) -> None:
        """Counts a request whose answers were compared."""
        with self._lock:
            self._figures.of(route).bodies.note(
                found.differing,
                found.noise,
                found.noisy,
                is_cut=found.is_cut,
                is_unsteady=found.is_unsteady,
            )

    def answers_uncompared(self, route: str, reason: str) -> None:
        """Counts a request that both targets were sent, but whose answers were not compared."""
        with self._lock:
            self._figures.of(route).bodies.uncompared[reason] += 1

    def skipped(self, request: Request | None, reason: str) -> None:
        """Counts a request that was not sent; None: its line does not say enough to be one."""
        with self._lock:
            self._advance(request)
            self._figures.skipped[reason] += 1
            if request is not None:
                self._figures.left_out[self._left_out.key(request, reason)] += 1

    def take(self) -> RunFigures:
        """What was counted since the last call."""
        with self._lock:
            taken, self._figures = self._figures, RunFigures()
        return taken

    def _advance(self, request: Request | None) -> None:
        self.handled += 1
        if request is not None and request.at_ms > self.at_ms:
            self.at_ms = request.at_ms
