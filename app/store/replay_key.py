"""The key that signs the marks of replayed requests: REPLAY_KEY, or one that the installation keeps in Redis.

Whoever replays creates the key, once. Whoever reads lines asks for it only when a line is marked, so that
without a replay it costs nothing. Deleting it in Redis replaces it: every process reads it again after
REREAD_AFTER_S.
"""

from __future__ import annotations

import logging
import math
import secrets
import time

import redis

from app.store import keys, replies

log = logging.getLogger(__name__)

REREAD_AFTER_S = 0.5
KEY_BYTES = 32


class ReplayKey:
    """Gives the key when called, which raises redis.RedisError. For one thread."""

    def __init__(self, store: redis.Redis, own_key: str, *, creates: bool) -> None:
        """`own_key`: REPLAY_KEY, for which Redis is not asked. `creates`: create the key if there is none;
        otherwise the result is then empty."""
        self._store = store
        self._creates = creates
        self._own_key = own_key.encode()
        self._found = b""
        self._read_s = -math.inf

    def __call__(self) -> bytes:
        if self._own_key:
            return self._own_key
        now_s = time.monotonic()
        if now_s - self._read_s >= REREAD_AFTER_S:
            self._found = self._read()
            self._read_s = now_s
        return self._found

    def expire(self) -> None:
        """Reads the key anew when it is next asked for. Whoever reads lines does so before each batch: a key
        is there before anything that it signed, so none of it is taken for traffic."""
        self._read_s = -math.inf

    def _read(self) -> bytes:
        try:
            found = replies.text(self._store.get(keys.REPLAY_KEY))
            if not found and self._creates:
                # Several processes may come here at once: the first one's key is everybody's.
                self._store.set(keys.REPLAY_KEY, secrets.token_hex(KEY_BYTES), nx=True)
                found = replies.text(self._store.get(keys.REPLAY_KEY))
        except redis.ResponseError as fault:
            if "WRONGTYPE" not in str(fault):
                raise
            return self._without_key()
        return found.encode()

    def _without_key(self) -> bytes:
        """Something else has the key's name: counting goes on, and a replay signs with a key of its own."""
        if not self._found:
            log.warning(
                "Redis's %s is not a string, so no replay is recognised: delete it, or set REPLAY_KEY",
                keys.REPLAY_KEY,
            )
        return self._found or secrets.token_hex(KEY_BYTES).encode()
