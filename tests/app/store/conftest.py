"""The servers that the atomic steps must work on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis


@pytest.fixture(params=["redis_server", "old_redis_server"])
def store(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """Both versions of Redis, empty."""
    client = redis.Redis.from_url(request.getfixturevalue(request.param).url)
    client.flushall()
    yield client
    client.close()
