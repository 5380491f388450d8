"""The live replay: sends requests to the target as they arrive in the log.

REPLAY_DELIVERY chooses what a crash may do. `at-most-once` (default): a batch is settled in the log
before any of it is sent, so a crash never duplicates a request but may lose those that wait.
`at-least-once`: a batch is settled after all of it was sent, so a crash never loses a request but may
duplicate some; and nothing is skipped for being late, because after a crash much is.
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
from app.loop_guard import LoopGuard
from app.router_line import RouterLine
from app.settings import Settings
from app.store.apply import Changes, apply
from app.store.replay import LIVE, begin_live, record
from app.store.replay_key import ReplayKey
from app.store.settle import settle
from consumers.current_message import Cursor
from consumers.replay.choice.policy import ReplayPolicy, policy_from_settings, prepare
from consumers.replay.choice.same_host import refuse_known_hosts
from consumers.replay.choice.target import Target
from consumers.replay.load.pace import LIVE_LEAD_S, Pacer
from consumers.replay.request import Job, Request, request_of
from consumers.replay.sending.breaker import Breaker
from consumers.replay.sending.senders import Senders
from consumers.replay.stats import ReplayStats

log = logging.getLogger(__name__)

GROUP = REPLAY.name
FLUSH_EVERY_S = 1.0
LAST_SENDS_S = 4.0
HEARTBEAT_S = 1.0
"""How often a waiting worker calls `keepalive`, and checks whether it has been told to stop."""


def check(settings: Settings) -> str:
    """What `python -m app release` reports about the live replay. Raises as LiveReplay does."""
    if not settings.replay_host:
        return "REPLAY_HOST is unset: leave `replay` at 0 processes"
    target, _ = _target_and_policy(settings, LoopGuard(lambda: b""))
    rules = f"{len(settings.replay_rules)} rule(s) of your own"
    return f"to {target.url}, methods {', '.join(settings.replay_methods)}, {rules}"


def _target_and_policy(settings: Settings, guard: LoopGuard) -> tuple[Target, ReplayPolicy]:
    """Raises BadSettings for a speed that only a window replay can have, and where a rule needs a variable
    that is unset."""
    if settings.replay_speed < 1:
        raise BadSettings(
            [
                f"REPLAY_SPEED must be 1 or more here (it is {settings.replay_speed:g}): a live replay "
                "would fall ever further behind; `python -m app replay` accepts a slower speed"
            ]
        )
    return Target.parse(settings.replay_host), policy_from_settings(settings, guard)


class LiveReplay:
    """The worker's loop calls `handle` for each batch, `idle` in between, and `finish` at the end."""

    def __init__(
        self,
        settings: Settings,
        store: redis.Redis,
        route_of: Callable[[RouterLine], str],
        is_connection: Callable[[RouterLine], bool],
        stop: Event,
        cursor: Cursor | None = None,
    ) -> None:
        """`cursor`: where to note which message is being prepared. Raises BadSettings for a
        speed that only a window replay can have, and where a rule needs a variable that is unset."""
        guard = LoopGuard(ReplayKey(store, settings.replay_key, creates=True))
        self._target, self._policy = _target_and_policy(settings, guard)
        self._at_least_once = settings.replay_delivery == "at-least-once"
        max_late_s = math.inf if self._at_least_once else settings.replay_max_late_ms / 1000
        # A request cannot be sent before it is in the log: faster than live means as soon as it arrives.
        speed = math.inf if settings.replay_speed > 1 else settings.replay_speed
        self._pacer = Pacer(speed, settings.replay_rate, max_late_s * 1000, lead_s=LIVE_LEAD_S)
        self._store = store
        self._route_of = route_of
        self._is_connection = is_connection
        self._stop = stop
        self._stats = ReplayStats()
        self._flushed_s = 0.0
        self._has_begun = False
        self._info = {"target": settings.replay_host, "started_at": str(int(time.time())), "state": "running"}
        self._senders = Senders(
            self._target,
            settings.replay_concurrency,
            settings.replay_timeout_ms / 1000,
            self._stats.done,
            self._stats.skipped,
            Breaker(),
            max_late_s,
            settings.replay_rate,
        )
        self._cursor = [0] if cursor is None else cursor
        self._routes_max = settings.routes_max
        self._current: Batch | None = None
        self._prepared: list[tuple[Request, Job | str] | None] = []
        """The messages of this batch; None for one that is not a request."""
        self._submitted = 0
        """How many of them were submitted or skipped."""

    def refuse_known_hosts(self) -> None:
        """Raises SameHost where the target is a host that earlier lines came from."""
        if not self._policy.allow_same_host:
            refuse_known_hosts(self._store, self._target, self._policy.headers.host)

    def handle(self, batch: Batch, keepalive: Callable[[], None]) -> None:
        """Sends one batch, settled before or after. Raises as `Worker.handle` may, and SameHost."""
        # After Redis was unreachable the same batch comes again, and continues where it stopped.
        if batch is not self._current:
            self._prepared = self._prepare(batch, keepalive)
            self._current, self._submitted = batch, 0
        if self._at_least_once:
            self._submit(keepalive)
            while not self._senders.drain(HEARTBEAT_S):
                self._wait(keepalive)
            self._settle(batch)
        else:
            self._settle(batch)
            self._submit(keepalive)

    def _prepare(self, batch: Batch, keepalive: Callable[[], None]) -> list[tuple[Request, Job | str] | None]:
        """Computes everything that depends on what a client has sent. This comes before anything is
        settled, so that nothing is lost if the worker hangs or dies with a message. Raises SameHost, and
        RedisError where the key of the marks cannot be read."""
        prepared: list[tuple[Request, Job | str] | None] = []
        checked_s = time.monotonic()
        for number, message in enumerate(batch.messages, 1):
            self._cursor[0] = number
            request = request_of(message, self._route_of, self._is_connection)
            prepared.append((request, prepare(request, self._target, self._policy)) if request else None)
            self._cursor[0] = 0
            if time.monotonic() - checked_s > HEARTBEAT_S:
                self._wait(keepalive)
                checked_s = time.monotonic()
        return prepared

    def _settle(self, batch: Batch) -> None:
        """Raises as `Worker.handle` may."""
        poison = [bad for bad in batch.bad if bad.is_poison]
        if poison:  # Values that are not messages are the same for every group: `metrics` keeps them.
            changes = Changes(rows=[], apps={}, totals={"bad": len(poison)}, bad=poison)
            apply(self._store, GROUP, batch.claim, changes, self._routes_max)
        else:
            settle(self._store, batch.claim)

    def _submit(self, keepalive: Callable[[], None]) -> None:
        for prepared in self._prepared[self._submitted :]:
            if prepared is None:
                self._stats.skipped(None, "no-path")
            elif self._stop.is_set() and not self._at_least_once:
                self._stats.skipped(prepared[0], "stopped")
            else:
                self._submit_one(*prepared, keepalive)
            self._submitted += 1

    def _submit_one(self, request: Request, job: Job | str, keepalive: Callable[[], None]) -> None:
        """Submits the job for the time when it is due, or counts why it is not sent."""
        if isinstance(job, str):
            self._stats.skipped(request, job)
            return
        due_s = self._pacer.due_s(request.at_ms, max(0.0, time.time() - request.received_ms / 1000))
        if due_s is None:
            self._stats.skipped(request, "late")
            return
        while not self._senders.submit(job, due_s, HEARTBEAT_S):
            if self._at_least_once:
                self._wait(keepalive)
            elif self._stop.is_set():
                self._stats.skipped(request, "stopped")
                return
            else:
                with contextlib.suppress(LogUnavailable):  # The batch is settled, so it cannot be retried.
                    keepalive()

    def _wait(self, keepalive: Callable[[], None]) -> None:
        """Raises LogUnavailable once the worker is told to stop: the batch stays unsettled."""
        if self._stop.is_set():
            raise LogUnavailable("stopping before the whole batch is sent")
        keepalive()

    def idle(self) -> None:
        """Writes the figures about once a second."""
        now_s = time.monotonic()
        if now_s - self._flushed_s >= FLUSH_EVERY_S:
            self._flushed_s = now_s
            self._flush()

    def _flush(self) -> None:
        figures = self._stats.take()
        try:
            if not self._has_begun:
                begin_live(self._store, self._info["target"])
                self._has_begun = True
            record(self._store, LIVE, figures, self._info)
        except redis.RedisError as fault:
            log.warning("figures of one second are lost: %s", type(fault).__name__)

    def finish(self) -> None:
        """Sends what is waiting, for LAST_SENDS_S at most, and writes the last figures."""
        self._senders.drain(LAST_SENDS_S)
        left = self._senders.close()
        if left:
            log.warning("stopped with %d requests unsent or unanswered", left)
        self._info["state"] = "stopped"
        self._flush()
