"""Counts what became of the requests, from any thread, until the figures are taken and written."""

from __future__ import annotations

import threading

from app.sketch import bucket
from app.store.replay import RunFigures
from consumers.replay.request import Outcome, Request


class ReplayStats:
    """Thread-safe. `take` hands over what was counted and starts from zero."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = RunFigures()
        self.handled = 0
        """Requests so far, sent or not."""
        self.at_ms = 0
        """The log time of the latest of them, Unix ms."""

    def done(self, request: Request, outcome: Outcome, late_ms: float) -> None:
        """Counts a request that was sent, beside its original. `late_ms`: sent minus due."""
        with self._lock:
            self._advance(request)
            route = self._figures.of(request.route)
            route.add(outcome.kind, outcome.status, outcome.latency_ms, request.status, request.service_ms)
            self._figures.reencoded += request.is_reencoded
            self._figures.late_ms[bucket(max(0.0, late_ms))] += 1

    def compared(self, request: Request, before: Outcome, after: Outcome, late_ms: float) -> None:
        """Counts a request that was sent to two targets: `before`, the baseline's outcome, takes the
        place of the original."""
        with self._lock:
            self._advance(request)
            route = self._figures.of(request.route)
            before_ms = before.latency_ms if before.kind == "answered" else None
            route.add(after.kind, after.status, after.latency_ms, before.status, before_ms)
            if before_ms is None:
                route.kinds[f"baseline-{before.kind}"] += 1
            self._figures.reencoded += request.is_reencoded
            self._figures.late_ms[bucket(max(0.0, late_ms))] += 1

    def skipped(self, request: Request | None, reason: str) -> None:
        """Counts a request that was not sent; None: its line does not say enough to be one."""
        with self._lock:
            self._advance(request)
            self._figures.skipped[reason] += 1

    def take(self) -> RunFigures:
        """What was counted since the last call."""
        with self._lock:
            taken, self._figures = self._figures, RunFigures()
        return taken

    def _advance(self, request: Request | None) -> None:
        self.handled += 1
        if request is not None and request.at_ms > self.at_ms:
            self.at_ms = request.at_ms
