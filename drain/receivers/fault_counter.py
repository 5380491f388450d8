"""Counts faults in requests of senders, and hands the counts to Redis about once a second.

Refusing must stay cheap, whoever provokes it: a fault takes a lock and a few additions here, and Redis gets
one call a second from this process, however many there are.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time

import redis

from app.errors import first_words
from app.store import sender_faults
from app.store.sender_faults import OTHER_TOKENS, Batch, Kind, SenderKind, Tally, token_digest

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 1.0
RETRY_AFTER_S = 5.0
TOKENS_MAX = 100
"""Unknown tokens told apart between two calls; the others count together."""


class FaultCounter:
    """Thread-safe. What it has not handed over yet waits for Redis to answer again.

    Redis may have taken what it did not answer: that batch is sent again, unchanged, before the next.
    """

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._faults: dict[tuple[Kind, SenderKind], Tally] = {}
        self._tokens: dict[str, Tally] = {}
        self._timer: threading.Timer | None = None
        self._handing_over = threading.Lock()
        self._batch = Batch("", 0, {}, {})
        """The last one that was sent."""
        self._is_taken = True

    def record(self, kind: Kind, sender: SenderKind, token: str = "", count: int = 1) -> None:
        """Counts a fault now. Of the token only its digest is kept, and only if Logplex may have sent it."""
        digest = token_digest(token) if sender == "logplex" else ""
        tally = Tally(count, int(time.time()), digest)
        with self._lock:
            self._add({(kind, sender): tally}, {digest: tally} if kind == "token" and digest else {})
            if self._timer is None:
                self._start_timer(FLUSH_EVERY_S, is_retry=False)

    def flush(self) -> None:
        """Hands over what was counted; what Redis does not take stays here, for another try."""
        with self._handing_over:
            with self._lock:
                self._timer = None
                if self._is_taken:
                    if not self._faults:
                        return
                    # Named only now, because a counter may be made before gunicorn forks.
                    name = self._batch.process or secrets.token_hex(8)
                    self._batch = Batch(name, self._batch.number + 1, self._faults, self._tokens)
                    self._faults, self._tokens, self._is_taken = {}, {}, False
            try:
                sender_faults.record(self._store, self._batch, int(time.time()))
            except redis.RedisError as fault:
                log.debug("faults of senders are not recorded yet: %s", first_words(fault))
            else:
                self._is_taken = True
            with self._lock:
                if self._timer is None and (self._faults or not self._is_taken):
                    wait_s = FLUSH_EVERY_S if self._is_taken else RETRY_AFTER_S
                    self._start_timer(wait_s, is_retry=not self._is_taken)

    def _add(self, faults: dict[tuple[Kind, SenderKind], Tally], tokens: dict[str, Tally]) -> None:
        for what, tally in faults.items():
            self._faults.setdefault(what, Tally()).add(tally)
        for digest, tally in tokens.items():
            is_told_apart = digest in self._tokens or len(self._tokens) < TOKENS_MAX
            self._tokens.setdefault(digest if is_told_apart else OTHER_TOKENS, Tally()).add(tally)

    def _start_timer(self, after_s: float, *, is_retry: bool) -> None:
        """A process that ends waits for the first try, but not for Redis to come back."""
        timer = threading.Timer(after_s, self.flush)
        timer.daemon = is_retry
        with contextlib.suppress(RuntimeError):  # The process is ending: no thread can be started.
            timer.start()
            self._timer = timer
