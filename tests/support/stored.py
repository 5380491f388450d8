"""What stands in Redis, as plain text and messages: redis-py leaves open which of the two it answers."""

import json
from typing import cast

import redis

from app.log.redis.stream import unpack
from app.store.keys import SENDER_FAULTS, UNKNOWN_TOKENS


def text_hash(client: redis.Redis, key: str) -> dict[str, str]:
    found = cast(dict[bytes, bytes], client.hgetall(key))
    return {field.decode(): value.decode() for field, value in found.items()}


def kept_keys(client: redis.Redis) -> list[bytes]:
    """All keys but the counts of refused frames, which come about a second later."""
    prefixes = (SENDER_FAULTS.encode(), UNKNOWN_TOKENS.encode())
    return [key for key in cast(list[bytes], client.keys("*")) if not key.startswith(prefixes)]


def expires_at_s(client: redis.Redis, key: str) -> int:
    """The second at which a key ends; EXPIRETIME says so too, but only since Redis 7."""
    pipeline = client.pipeline()
    pipeline.time()
    pipeline.pttl(key)
    (seconds, micros), left_ms = cast(tuple[tuple[int, int], int], pipeline.execute())
    return round(seconds + micros / 1e6 + left_ms / 1e3)


def windows_in(client: redis.Redis, chunk: str) -> dict[str, dict[str, str]]:
    """The time windows of a chunk: `<what stands before>:<length>:<start>` -> its counts."""
    before, length_s, chunk_start_s = chunk.rsplit(":", 2)
    found = cast(list[bytes], client.eval(_UNPACK, 1, chunk))
    return {
        f"{before}:{length_s}:{int(chunk_start_s) + int(number) * int(length_s)}": {
            _bucket(name) if name.lstrip("-").isdecimal() else name: str(count)
            for name, count in json.loads(counts).items()
        }
        for number, counts in zip(found[::2], found[1::2], strict=True)
    }


def _bucket(name: str) -> str:
    return str(int(name) + 443)


_UNPACK = """
local flat = redis.call('HGETALL', KEYS[1])
for i = 2, #flat, 2 do flat[i] = cjson.encode(cmsgpack.unpack(flat[i])) end
return flat
"""


def logged_messages(client: redis.Redis, stream: str) -> list[dict[str, object]]:
    """All messages of a log in Redis, in order; one that can't be read fails the test."""
    messages: list[dict[str, object]] = []
    for _, fields in cast(list[tuple[bytes, dict[bytes, bytes]]], client.xrange(stream)):
        found, bad = unpack(fields[b"v"])
        assert not bad
        messages += [dict(message) for message in found]
    return messages
