"""Alerting: judges a moment every ten seconds, stores what comes of it, and has it sent.

One process at a time does: the one with the lease (app/alerts/redis/lease.py). If it is killed, or stalls for
longer than the lease lasts, this is what happens, by where it was:

- Before the commit: nothing is stored, nothing is sent. The next holder judges the moments since the last one
  that is stored; the same facts make the same notices, with the same ids.
- After the commit, before a claim: the messages wait in the outbox. The next holder sends them.
- After the claim, before or while it is sent: nobody knows whether the target has the message. Once the lease
  is over, the next holder sends it once more, with the same id, and a receiver may drop the second.
- After it was sent, before `delivered` is stored: the same, so the target has it twice.
- After `delivered`: nothing is left to do.

So each message arrives at least once, and twice only if its sender ended while it sent it, or Redis did not
hear how that ended. A message
whose sending was begun twice with neither end known (two kills, both in those milliseconds) is sent a third
time, because a message too many is better than none; from then on with growing pauses, so that one that kills
its sender is not sent without end.

A process that stood still and goes on writes nothing without the lease: every script looks for it first, but
for the one that says that a message was delivered, which is true whoever says it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import redis

from app.alerts.board import Board
from app.alerts.engine import CATCH_UP_S, moments, step
from app.alerts.facts import Facts, Subject
from app.alerts.redis import lease
from app.alerts.redis.board import commit, read_board
from app.alerts.redis.outbox import give_up_undeliverable
from app.alerts.redis.silences import silences
from app.alerts.rule import Rule
from consumers.alerts.delivery import Deliveries
from consumers.alerts.guarded import RuleFaults, guarded
from consumers.alerts.messages import MessageMaker

log = logging.getLogger(__name__)

MOMENT_S = 10
LATE_S = 3
"""A moment is judged so long after it: lines come in by then."""

TIDY_EVERY_S = 60.0

GIVE_WAY_S = 75.0
"""Whoever gives the lease back waits so long for what it is sending: more than one attempt takes, even by
mail."""


class Reads(Protocol):
    """What facts are read from: FactsReader, or a script of the tests."""

    def read(self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()) -> Facts:
        """Raises redis.RedisError and LogUnavailable."""


def moment_of(now_s: float) -> int:
    """The newest moment to judge, Unix s."""
    return int(now_s - LATE_S) // MOMENT_S * MOMENT_S


@dataclass(slots=True)
class Alerting:
    """Alerting in one process. For one thread, but for the deliveries, which have their own."""

    store: redis.Redis
    holder: str
    """Another one each time a process starts."""
    rules: Sequence[Rule]
    reader: Reads
    maker: MessageMaker
    targets: Sequence[str]
    """Names of all."""
    deliveries: Deliveries
    clock: Callable[[], float] = time.time
    """Unix s, of the moments."""
    lease_s: float = lease.LEASE_S
    _faults: RuleFaults = field(default_factory=RuleFaults)
    _judged_s: int | None = None
    _is_holder: bool = False
    _gives_way_s: float | None = None
    """Since when it waits to give the lease back."""
    _tidied_s: float = float("-inf")

    def __post_init__(self) -> None:
        self.rules = guarded(self.rules, self._faults)

    def step(self, keepalive: Callable[[], None]) -> None:
        """Renews the lease, and judges if a new moment has come: call it every two seconds. Raises
        redis.RedisError and LogUnavailable; then nothing is lost, and it may be called again."""
        if not self._renew():
            return
        now_s = self.clock()
        at_s = moment_of(now_s)
        if at_s != self._judged_s and self._judge_moments(at_s, now_s, keepalive):
            self._judged_s = at_s
        self._tidy_up()

    def give_way(self) -> None:
        """Gives the lease to another process: begins nothing more, and waits for what is being sent. Call it
        again and again. Raises redis.RedisError."""
        self.deliveries.pause()
        if not self._is_holder:
            return
        if self._gives_way_s is None:
            self._gives_way_s = time.monotonic()
        if self.deliveries.is_sending and time.monotonic() - self._gives_way_s < GIVE_WAY_S:
            self._is_holder = lease.acquire(self.store, self.holder, self.lease_s)
            return
        lease.release(self.store, self.holder)
        self._lost()
        log.info("alerts are another process's now")

    def close(self) -> None:
        """Ends the deliveries, and gives the lease back, so that the next process need not wait for it."""
        self.deliveries.close()
        with contextlib.suppress(redis.RedisError):
            lease.release(self.store, self.holder)
        self._is_holder = False

    def _renew(self) -> bool:
        if not lease.acquire(self.store, self.holder, self.lease_s):
            if self._is_holder:
                log.warning("another process judges and sends alerts now: this one stood still for too long")
            self._lost()
            return False
        if not self._is_holder:
            log.info("judging and sending alerts: holder=%s", self.holder)
        self._is_holder, self._gives_way_s = True, None
        self.deliveries.resume()
        return True

    def _lost(self) -> None:
        self.deliveries.pause()
        self._is_holder, self._gives_way_s, self._judged_s = False, None, None

    def _judge_moments(self, at_s: int, now_s: float, keepalive: Callable[[], None]) -> bool:
        """False: it is not done."""
        board = read_board(self.store)
        if at_s <= board.at_s <= at_s + CATCH_UP_S:
            return True  # Another process has, or its clock was a bit ahead.
        facts = self._read(board, at_s, now_s)
        if not facts.incomplete:
            for past_s in moments(board, at_s)[:-1]:
                keepalive()
                past = self._read(board, past_s, now_s)
                judged = self._judge(board, replace(past, is_past=True))
                if judged is None:
                    return False
                board = judged
        return self._judge(board, facts) is not None

    def _read(self, board: Board, at_s: int, now_s: float) -> Facts:
        watched = dict.fromkeys(state.subject for state in board.alerts.values())
        return self.reader.read(self.rules, at_s, now_s, tuple(watched))

    def _judge(self, board: Board, facts: Facts) -> Board | None:
        """The board that was stored; None: it is another one, or another process has the lease."""
        if not facts.is_past:
            facts = replace(facts, health=(*facts.health, *self._faults.begin()))
        in_force = silences(self.store, self.clock())
        made = step(board, self.rules, facts, in_force, self.targets)
        messages, shown = self.maker.messages(made, facts.at_s)
        # Where Redis is so slow that the lease ran out meanwhile, nothing would ever be stored.
        if not self._renew():
            return None
        is_stored = commit(
            self.store, self.holder, made, messages, shown=shown, before=board, now_s=time.time()
        )
        if not is_stored:
            return None
        for message in messages:
            log.info("alert: kind=%s id=%s title=%s", message.kind, message.id, message.title)
        if messages:
            self.deliveries.wake()
        return made.board

    def _tidy_up(self) -> None:
        if time.monotonic() - self._tidied_s < TIDY_EVERY_S:
            return
        self._tidied_s = time.monotonic()
        for given_up in give_up_undeliverable(self.store, self.holder, self.deliveries.targets, time.time()):
            log.error("an alert is not delivered: target=%s id=%s reason=%s", *given_up)
