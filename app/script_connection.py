"""Runs one Lua script on a few kept connections.

The same connections as redis-py's client would use, without what that does around each command
(choice of a connection, retries, events, its own locks): for the drain's one script a frame that
costs more than the script. A profile is in bench/README.md.
"""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import NoScriptError


class ScriptConnection:
    """Thread-safe; holds at most `connections` open, and makes callers wait up to `wait_s` for a free one."""

    def __init__(self, client: redis.Redis, lua: str, connections: int, wait_s: float) -> None:
        self._pool = client.connection_pool
        self._lua = lua.encode()
        self._digest = hashlib.sha1(self._lua).hexdigest()
        self._wait_s = wait_s
        # The one used last is the warmest; a place without a connection yet comes when none is free.
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(connections):
            self._free.put(None)

    def run(self, keys: Sequence[str], args: Sequence[bytes | str | int], timeout_s: float) -> Any:
        """What the script answers. It must be safe to run twice: once more is tried when a kept
        connection turns out to be closed. Raises redis.RedisError, about `timeout_s` from now at the
        latest; the script may have run or not.
        """
        deadline_s = time.monotonic() + timeout_s
        try:
            connection = self._free.get(timeout=max(0.0, min(self._wait_s, timeout_s)))
        except queue.Empty:
            raise redis.ConnectionError("no connection became free in time") from None
        is_kept = connection is not None
        try:
            connection = connection or self._pool.make_connection()
            try:
                return self._ask(connection, keys, args, deadline_s)
            except redis.ConnectionError:
                if not is_kept:
                    raise
                connection.disconnect()
                return self._ask(connection, keys, args, deadline_s)
        except BaseException:
            # Whatever was on its way in this connection is nobody's answer any more.
            if connection is not None:
                connection.disconnect()
            raise
        finally:
            self._free.put(connection)

    def _ask(
        self, connection: Any, keys: Sequence[str], args: Sequence[bytes | str | int], deadline_s: float
    ) -> Any:
        try:
            return _exchange(connection, deadline_s, "EVALSHA", self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return _exchange(connection, deadline_s, "EVAL", self._lua, len(keys), *keys, *args)

    def close(self) -> None:
        """Ends the connections that are not in use."""
        while True:
            try:
                connection = self._free.get_nowait()
            except queue.Empty:
                return
            if connection is not None:
                connection.disconnect()


def _exchange(connection: Any, deadline_s: float, *command: Any) -> Any:
    """One command and its answer, in one write."""
    if deadline_s - time.monotonic() <= 0:
        raise redis.TimeoutError("no time left")
    connection.send_packed_command([b"".join(connection.pack_command(*command))], check_health=False)
    return connection.read_response(timeout=max(0.001, deadline_s - time.monotonic()))
