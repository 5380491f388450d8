"""Runs a Lua script, or a command, on a few kept connections, within the time limit of the caller.

The same connections as redis-py's client would use, without what redis-py does around each command
(choosing a connection, retries, events, locks), which costs more than the drain's one script per frame
itself. A profile is in bench/README.md.
"""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Callable, Sequence
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
        return self._on_a_connection(
            lambda connection, deadline_s: self._run(connection, keys, args, deadline_s), timeout_s
        )

    def command(self, *command: str | int, timeout_s: float) -> Any:
        """What one command answers, as the server sends it; else as `run`."""
        return self._on_a_connection(
            lambda connection, deadline_s: _exchange(connection, deadline_s, *command), timeout_s
        )

    def _on_a_connection(self, ask: Callable[[Any, float], Any], timeout_s: float) -> Any:
        deadline_s = time.monotonic() + timeout_s
        try:
            connection = self._free.get(timeout=max(0.0, min(self._wait_s, timeout_s)))
        except queue.Empty:
            raise redis.ConnectionError("no connection became free in time") from None
        is_kept = connection is not None
        try:
            connection = connection or self._pool.make_connection()
            try:
                return ask(connection, deadline_s)
            except redis.ConnectionError:
                if not is_kept:
                    raise
                connection.disconnect()
                return ask(connection, deadline_s)
        except BaseException:
            # Whatever was on its way in this connection is nobody's answer any more.
            if connection is not None:
                connection.disconnect()
            raise
        finally:
            self._free.put(connection)

    def _run(
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
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise redis.TimeoutError("no time left")
    if not connection.is_connected:
        _connect(connection, left_s)
    connection.send_packed_command([b"".join(connection.pack_command(*command))], check_health=False)
    return connection.read_response(timeout=max(0.001, deadline_s - time.monotonic()))


def _connect(connection: Any, left_s: float) -> None:
    """Connects, and logs in, with no step longer than the time left."""
    usual = connection.socket_timeout, connection.socket_connect_timeout
    connection.socket_timeout, connection.socket_connect_timeout = (
        min(limit or left_s, left_s) for limit in usual
    )
    try:
        connection.connect_check_health(check_health=False)
    finally:
        connection.socket_timeout, connection.socket_connect_timeout = usual
