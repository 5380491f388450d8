"""Connections to Redis: one bounded pool a process, with time limits."""

from __future__ import annotations

import redis

from app.config import Settings


def connect(settings: Settings, *, connections: int, timeout_s: float) -> redis.Redis:
    """A client that holds at most `connections` open and answers or raises within `timeout_s`.

    Small plans allow 20 connections in all, so a thread waits for a free one instead of opening
    another. Nothing is sent before the first command.
    """
    pool = redis.BlockingConnectionPool.from_url(
        settings.redis_address,
        max_connections=connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 3.0),
        health_check_interval=30,
        client_name="tailrace",
    )
    return redis.Redis.from_pool(pool)
