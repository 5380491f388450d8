"""What stands in Redis, as plain text and messages: redis-py leaves open which of the two it answers."""

from typing import cast

import redis

from app.streams.redis_streams import unpack


def text_hash(client: redis.Redis, key: str) -> dict[str, str]:
    found = cast(dict[bytes, bytes], client.hgetall(key))
    return {field.decode(): value.decode() for field, value in found.items()}


def expires_at_s(client: redis.Redis, key: str) -> int:
    """The second at which a key ends; EXPIRETIME says so too, but only since Redis 7."""
    pipeline = client.pipeline()
    pipeline.time()
    pipeline.pttl(key)
    (seconds, micros), left_ms = cast(tuple[tuple[int, int], int], pipeline.execute())
    return round(seconds + micros / 1e6 + left_ms / 1e3)


def logged_messages(client: redis.Redis, stream: str) -> list[dict[str, object]]:
    """All messages of a log in Redis, in order; one that can't be read fails the test."""
    messages: list[dict[str, object]] = []
    for _, fields in cast(list[tuple[bytes, dict[bytes, bytes]]], client.xrange(stream)):
        found, bad = unpack(fields[b"v"])
        assert not bad
        messages += [dict(message) for message in found]
    return messages
