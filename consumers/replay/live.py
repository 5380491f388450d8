"""The live replay: what the log says now, sent to the target.

REPLAY_DELIVERY says what a crash may do. `at-most-once` (default): the place in the log is settled
before anything of the batch is sent, so a crash never doubles a request but may lose what waits.
`at-least-once`: all is sent, then settled, so a crash never loses one but may double some; and
nothing is left out for being late, as after a crash much is.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable
from threading import Event

import redis

from app.errors import BadSettings, LogUnavailable
from app.groups import REPLAY
from app.log import Batch
from app.settings import Settings
from app.store.apply import Changes, apply
from app.store.replay import LIVE, begin_live, record
from app.store.settle import settle
from consumers.hand import Place
from consumers.replay.breaker import Breaker
from consumers.replay.pace import LIVE_LEAD_S, Pacer
from consumers.replay.player import (
    ReplayPolicy,
    ReplayStats,
    check_known_hosts,
    policy_from_settings,
    prepare,
)
from consumers.replay.request import Request, request_of
from consumers.replay.senders import Job, Senders
from consumers.replay.target import Target

log = logging.getLogger(__name__)

GROUP = REPLAY.name
FLUSH_EVERY_S = 1.0
LAST_SENDS_S = 4.0
HEARTBEAT_S = 1.0
"""How often the worker gives a sign of life, and looks whether it is told to stop, while it waits."""


def check(settings: Settings) -> str:
    """What `python -m app release` says of a live replay. Raises as LiveReplay does."""
    if not settings.replay_host:
        return "REPLAY_HOST is unset: leave `replay` at 0 processes"
    target, _ = _target_and_choice(settings)
    rules = f"{len(settings.replay_rules)} rule(s) of your own"
    return f"to {target.url}, methods {', '.join(settings.replay_methods)}, {rules}"


def _target_and_choice(settings: Settings) -> tuple[Target, ReplayPolicy]:
    """Raises BadSettings for what only a window can do, and where a rule needs a variable that is unset."""
    if settings.replay_speed < 1:
        raise BadSettings(
            [
                f"REPLAY_SPEED must be 1 or more here (it is {settings.replay_speed:g}): a live replay "
                "that is slower than life falls behind for ever; `python -m app replay` takes it"
            ]
        )
    return Target.parse(settings.replay_host), policy_from_settings(settings)


class LiveReplay:
    """What the worker's loop calls: `handle` for each batch, `idle` between, `finish` at the end."""

    def __init__(
        self,
        settings: Settings,
        store: redis.Redis,
        route_of: Callable[[str], str],
        stop: Event,
        place: Place | None = None,
    ) -> None:
        """`place`: where to say which message is in hand. Raises BadSettings for rules that are none, and
        for what only a window can do; TailraceError for a REPLAY_HOST that is no base URL."""
        self._target, self._choice = _target_and_choice(settings)
        self._at_least_once = settings.replay_delivery == "at-least-once"
        max_late_s = math.inf if self._at_least_once else settings.replay_max_late_ms / 1000
        # What is not there yet cannot be sent sooner: faster than life is as soon as it comes.
        speed = math.inf if settings.replay_speed > 1 else settings.replay_speed
        self._pacer = Pacer(speed, settings.replay_rate, max_late_s * 1000, lead_s=LIVE_LEAD_S)
        self._store = store
        self._route_of = route_of
        self._stop = stop
        self._tally = ReplayStats()
        self._flushed_s = 0.0
        self._has_begun = False
        self._info = {"target": settings.replay_host, "started_at": str(int(time.time())), "state": "running"}
        self._senders = Senders(
            self._target,
            settings.replay_concurrency,
            settings.replay_timeout_ms / 1000,
            self._tally.done,
            self._tally.skipped,
            Breaker(),
            max_late_s,
            settings.replay_rate,
        )
        self._place = [0] if place is None else place
        self._routes_max = settings.routes_max
        self._under_way: Batch | None = None
        self._prepared: list[tuple[Request, Job | str] | None] = []
        """Its messages; None for one that is no request."""
        self._offered = 0
        """Messages of it that were sent, left out, or wait to be sent."""

    def check_known_hosts(self) -> None:
        """Raises SameHost where the target is a host that was seen in the lines before."""
        check_known_hosts(self._store, self._target, self._choice)

    def handle(self, batch: Batch, keepalive: Callable[[], None]) -> None:
        """One batch, settled before or after it is sent. Raises as `Worker.handle` may, and SameHost."""
        # The same batch comes again when Redis did not answer: it goes on where it was.
        if batch is not self._under_way:
            self._prepared = self._prepare(batch, keepalive)
            self._under_way, self._offered = batch, 0
        if self._at_least_once:
            self._offer(keepalive)
            while not self._senders.drain(HEARTBEAT_S):
                self._wait(keepalive)
            self._settle(batch)
        else:
            self._settle(batch)
            self._offer(keepalive)

    def _prepare(self, batch: Batch, keepalive: Callable[[], None]) -> list[tuple[Request, Job | str] | None]:
        """All that is computed from what a client has sent; before anything is settled, so that a message
        with which the worker hangs or dies loses nothing. Raises SameHost."""
        prepared: list[tuple[Request, Job | str] | None] = []
        told_s = time.monotonic()
        for number, message in enumerate(batch.messages, 1):
            self._place[0] = number
            request = request_of(message, self._route_of)
            prepared.append((request, prepare(request, self._target, self._choice)) if request else None)
            self._place[0] = 0
            if time.monotonic() - told_s > HEARTBEAT_S:
                self._wait(keepalive)
                told_s = time.monotonic()
        return prepared

    def _settle(self, batch: Batch) -> None:
        """Raises as `Worker.handle` may."""
        poison = [bad for bad in batch.bad if bad.is_poison]
        if poison:  # What is no message at all is `metrics`'s to keep, as it is the same for both.
            changes = Changes(rows=[], apps={}, totals={"bad": len(poison)}, bad=poison)
            apply(self._store, GROUP, batch.claim, changes, self._routes_max)
        else:
            settle(self._store, batch.claim)

    def _offer(self, keepalive: Callable[[], None]) -> None:
        for prepared in self._prepared[self._offered :]:
            if prepared is None:
                self._tally.skipped(None, "no-path")
            elif self._stop.is_set() and not self._at_least_once:
                self._tally.skipped(prepared[0], "stopped")
            else:
                self._offer_one(*prepared, keepalive)
            self._offered += 1

    def _offer_one(self, request: Request, job: Job | str, keepalive: Callable[[], None]) -> None:
        """Submits the request's job at its time, or counts why it is not sent."""
        if isinstance(job, str):
            self._tally.skipped(request, job)
            return
        due_s = self._pacer.due_s(request.at_ms, max(0.0, time.time() - request.received_ms / 1000))
        if due_s is None:
            self._tally.skipped(request, "late")
            return
        while not self._senders.submit(job, due_s, HEARTBEAT_S):
            if self._at_least_once:
                self._wait(keepalive)
            elif self._stop.is_set():
                self._tally.skipped(request, "stopped")
                return
            else:
                with contextlib.suppress(LogUnavailable):  # The batch is settled: no way back.
                    keepalive()

    def _wait(self, keepalive: Callable[[], None]) -> None:
        """Raises LogUnavailable when the worker is told to stop first: the batch stays unsettled."""
        if self._stop.is_set():
            raise LogUnavailable("stopping before all of the batch is sent")
        keepalive()

    def idle(self) -> None:
        """Writes the figures about once a second."""
        now_s = time.monotonic()
        if now_s - self._flushed_s >= FLUSH_EVERY_S:
            self._flushed_s = now_s
            self._flush()

    def _flush(self) -> None:
        figures = self._tally.take()
        try:
            if not self._has_begun:
                begin_live(self._store, self._info["target"])
                self._has_begun = True
            record(self._store, LIVE, figures, self._info)
        except redis.RedisError as fault:
            log.warning("figures of one second are lost: %s", type(fault).__name__)

    def finish(self) -> None:
        """Sends what waits, for a few seconds at most, and writes the last figures."""
        self._senders.drain(LAST_SENDS_S)
        left = self._senders.close()
        if left:
            log.warning("stopped with %d requests unsent or unanswered", left)
        self._info["state"] = "stopped"
        self._flush()
