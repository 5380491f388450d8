"""The size limit of the log in Redis: its setting, and never more than a share of maxmemory."""

from __future__ import annotations

import logging
import re
import threading
import time

import redis

from app.errors import first_words
from app.log.redis.stream import SHARE_OF_MAXMEMORY
from app.redis_memory import share_of
from app.script_connection import ScriptConnection
from app.store import replies

log = logging.getLogger(__name__)

ASK_EVERY_S = 60.0
ANSWER_S = 2.0
_MAXMEMORY = re.compile(r"^maxmemory:(\d+)", re.MULTILINE)


class Bound:
    """The limit in force. Redis's maxmemory rarely changes; it is read once a minute, in a separate thread,
    so that no sender waits for it. Until the first answer only the setting counts."""

    def __init__(self, commands: ScriptConnection, max_bytes: int) -> None:
        self._commands = commands
        self._max_bytes = max_bytes
        self._bytes = max_bytes
        self._ask_at_s = float("-inf")
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def bytes(self) -> int:
        """The limit as far as it is known; never waits."""
        if time.monotonic() >= self._ask_at_s and self._lock.acquire(blocking=False):
            self._ask_at_s = time.monotonic() + ASK_EVERY_S
            thread = threading.Thread(target=self._ask, name="log-bound", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # No thread is available now; it tries again in a minute.
                self._lock.release()
        return self._bytes

    def _ask(self) -> None:
        try:
            answer = self._commands.command("INFO", "memory", timeout_s=ANSWER_S)
            found = _MAXMEMORY.search(replies.text(answer))
            self._bytes = share_of(int(found[1]) if found else 0, SHARE_OF_MAXMEMORY, self._max_bytes)
        except redis.RedisError as fault:
            log.debug("Redis does not say what it may hold: %s", first_words(fault))
        finally:
            self._lock.release()

    def close(self) -> None:
        """Waits for a read in progress; then its connection may be closed."""
        if self._thread is not None:
            self._thread.join(ANSWER_S)
