"""Holds an answer until replicas, or the disk, have what was written to Redis.

For REDIS_LOG_REPLICAS (WAIT) and REDIS_LOG_FSYNC (WAITAOF, Redis 7.2 or newer). Both block the
connection for as long as replication or the disk takes, up to a second with `appendfsync everysec`.
So they have a connection of their own, and all that waits at the same time shares one wait: the
connections that append frames are never held up.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import redis

from app.errors import NotDurable, first_words

_LUA = (Path(__file__).parent / "durability.lua").read_bytes()

ANSWER_S = 2.0
"""Time for Redis to answer a command that does not wait, or to answer once a wait has ended."""

SPARE_S = 0.2
"""A wait ends this long before its deadline, so that there is time to report what is missing."""


Kind = Literal["frame", "marker", "key"]
Item = tuple[Kind, bytes]
"""A frame of the log, the marker of a frame's losses and dead letters, or any key."""


@dataclass(slots=True)
class _Round:
    """Frames that share one wait."""

    deadline_s: float
    """The latest deadline among them."""
    items: list[Item] = field(default_factory=list)
    missing: frozenset[bytes] = frozenset()
    fault: str = "Redis does not answer in time"
    done: threading.Event = field(default_factory=threading.Event)


class DurabilityWait:
    """Waits for replicas and the disk. Thread-safe; starts its thread and connects when first used."""

    def __init__(self, client: redis.Redis, replicas: int, *, fsync: bool, keys: Sequence[str]) -> None:
        """`keys`: the log's meta hash, its two sets of frames remembered, and the two of markers."""
        self._pool = client.connection_pool
        self._replicas = replicas
        self._fsync = fsync
        self._keys = keys
        self._connection: Any = None
        self._changed = threading.Condition()
        self._next: _Round | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def wait(self, items: Sequence[Item], timeout_s: float) -> None:
        """Returns once all of these are as safe as the settings require.

        Raises NotDurable, which says what is missing. The server that waits is also asked whether it has
        the items, so that a replica that took over in between cannot confirm what it never received.
        """
        if not items:
            return
        mine = self._join(items, time.monotonic() + timeout_s)
        if not mine.done.wait(max(0.0, timeout_s)):
            raise NotDurable(f"not confirmed in time: {self._required()}")
        if mine.fault:
            raise NotDurable(mine.fault)
        if not mine.missing.isdisjoint(name for _, name in items):
            raise NotDurable(
                "this Redis does not hold what was written: it was replaced or emptied in the meantime"
            )

    def _join(self, items: Sequence[Item], deadline_s: float) -> _Round:
        with self._changed:
            if self._next is None:
                self._next = _Round(deadline_s)
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="durability", daemon=True)
                self._thread.start()
            self._next.deadline_s = max(self._next.deadline_s, deadline_s)
            self._next.items += items
            return self._next

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._is_closed)
                if self._is_closed or self._next is None:
                    return
                current, self._next = self._next, None
            try:
                current.fault = self._run(current)
            except redis.RedisError as fault:
                self._disconnect()
                current.fault = self._explain(fault)
            except Exception as fault:
                self._disconnect()
                current.fault = f"could not ask Redis for a confirmation: {first_words(fault)}"
            current.done.set()

    def _run(self, current: _Round) -> str:
        """Says what is missing; empty if everything is safe. Raises redis.RedisError."""
        script = ("EVAL", _LUA, len(self._keys), *self._keys, *chain.from_iterable(current.items))
        try:
            found = self._ask(ANSWER_S, *script)
        except redis.ConnectionError:
            self._disconnect()  # A kept connection may have been closed since.
            found = self._ask(ANSWER_S, *script)
        current.missing = frozenset(found)
        if self._replicas:
            got = int(self._wait(current, "WAIT", self._replicas))
            if got < self._replicas:
                return f"only {got} of {self._required_replicas()} confirmed in time"
        if self._fsync and not int(self._wait(current, "WAITAOF", 1, 0)[0]):
            return (
                "not on Redis's disk in time, as REDIS_LOG_FSYNC=1 asks: "
                "its appendfsync must be everysec or always, and its disk fast enough"
            )
        return ""

    def _wait(self, current: _Round, *command: object) -> Any:
        left_s = max(0.001, current.deadline_s - SPARE_S - time.monotonic())
        return self._ask(left_s + ANSWER_S, *command, int(left_s * 1000) or 1)

    def _ask(self, timeout_s: float, *command: object) -> Any:
        self._connection = self._connection or self._pool.make_connection()
        self._connection.send_command(*command, check_health=False)
        return self._connection.read_response(timeout=timeout_s)

    def _required(self) -> str:
        names = (
            self._required_replicas() if self._replicas else "",
            "REDIS_LOG_FSYNC=1" if self._fsync else "",
        )
        return " and ".join(filter(None, names))

    def _required_replicas(self) -> str:
        return f"{self._replicas} replica{'s' if self._replicas > 1 else ''} (REDIS_LOG_REPLICAS)"

    def _explain(self, fault: redis.RedisError) -> str:
        text = str(fault)
        if "WAITAOF" in text and "unknown command" in text:
            return "REDIS_LOG_FSYNC=1 needs Redis 7.2 or newer (WAITAOF): upgrade, or unset it"
        if "WAITAOF" in text and "appendonly" in text:
            return (
                "REDIS_LOG_FSYNC=1 needs Redis's append-only file, which is off: "
                "`appendonly yes` in redis.conf, or `CONFIG SET appendonly yes`"
            )
        return f"Redis did not confirm the write: {first_words(fault)}"

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(redis.RedisError, OSError):
                self._connection.disconnect()

    def close(self) -> None:
        """Ends the thread and the connection."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(ANSWER_S)
        self._disconnect()
