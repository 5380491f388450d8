"""RedisLog: the log on Redis Streams as one object, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import redis

from app.errors import LogUnavailable, NotDurable
from app.formatting import plural
from app.log.interface import READ_TIMEOUT_S, Ensured, Start
from app.log.redis.history import RedisHistory
from app.log.redis.reader import RedisReader
from app.log.redis.stream import (
    META,
    PROBE,
    SHARE_OF_MAXMEMORY,
    STREAM,
    entry_ms,
    group_lag,
)
from app.log.redis.writer import WAIT_S, RedisWriter, open_durability_wait
from app.log.redis_share import in_redis
from app.log_status import GroupPosition, LogAdvice, LogSize, LogStatus
from app.redis_client import connect, unavailable_error
from app.redis_memory import share_of
from app.settings import Settings
from app.store import replies

CONFIRM_TIMEOUT_S = 4.0
"""For `ensure`: as long as a frame waits for its confirmation."""


class RedisLog:
    """See `MessageLog`. It is in the Redis of the figures, so there is nothing to make and no rewind."""

    advice = LogAdvice(
        keep_longer="raise `REDIS_LOG_MAX_MB`",
        take_less="`REDIS_LOG_MAX_MB`",
        reconnect="Check Redis, or its address in `REDIS_URL`; the worker logs the cause.",
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._max_bytes = settings.redis_log_max_mb * 1_000_000

    def writer(self) -> RedisWriter:
        settings = self._settings
        client = connect(settings, connections=1, timeout_s=WAIT_S)
        durability = open_durability_wait(client, settings.redis_log_replicas, fsync=settings.redis_log_fsync)
        return RedisWriter(client, self._max_bytes, durability)

    def reader(
        self, group: str, start: Start, *, rewind_to_store: bool, reads_platform: bool = False
    ) -> RedisReader:
        client = connect(self._settings, connections=1, timeout_s=READ_TIMEOUT_S)
        return RedisReader(client, group, start, reads_platform=reads_platform)

    def history(self, store: redis.Redis | None = None) -> RedisHistory:
        if store is not None:
            # A client of its own over the same pool: whoever closes it leaves the pool alone.
            return RedisHistory(redis.Redis(connection_pool=store.connection_pool))
        return RedisHistory(connect(self._settings, connections=1, timeout_s=READ_TIMEOUT_S))

    def ensure(self, groups: Sequence[str], timeout_s: float) -> Ensured:
        """What a 2xx promises. Raises LogUnavailable where the settings ask for what Redis does not give."""
        settings = self._settings
        text = f"Redis Streams, up to {settings.redis_log_max_mb} MB; set KAFKA_URL for Apache Kafka"
        replicas, fsync = settings.redis_log_replicas, settings.redis_log_fsync
        client = connect(settings, connections=1, timeout_s=timeout_s)
        durability = open_durability_wait(client, replicas, fsync=fsync)
        try:
            if durability is None:
                warnings = tuple(_unreplicated(client.info("replication")))
                return Ensured(f"{text}. 2xx: in Redis's memory", warnings)
            client.set(PROBE, 1, ex=60)
            durability.wait([("key", PROBE.encode())], min(CONFIRM_TIMEOUT_S, timeout_s))
        except redis.RedisError as fault:
            raise unavailable_error(settings, fault) from None
        except NotDurable as fault:
            raise LogUnavailable(f"frames would get 503: {fault}") from None
        finally:
            if durability:
                durability.close()
            client.close()
        safe = [f"in {plural(replicas, 'replica')}"] if replicas else []
        safe += ["on Redis's disk"] if fsync else []
        return Ensured(f"{text}. 2xx: {' and '.join(safe)}")

    def status(self, store: redis.Redis, groups: Sequence[str]) -> LogStatus:
        pipeline = store.pipeline(transaction=False)
        pipeline.hgetall(META)
        pipeline.xrange(STREAM, count=1)
        pipeline.info("memory")
        meta, first, info = pipeline.execute()
        counts = replies.counts(meta)
        limit_bytes = share_of(int(info.get("maxmemory", 0)), SHARE_OF_MAXMEMORY, self._max_bytes)
        size = LogSize(
            bytes=counts.get("bytes", 0),
            limit_bytes=limit_bytes,
            messages_kept=counts.get("kept", 0),
            messages_added=counts.get("added", 0),
            messages_trimmed=counts.get("trimmed", 0),
            first_ms=entry_ms(replies.entries(first)[0][0]) if first else None,
        )
        return LogStatus(
            size, {group: _position(counts, group) for group in groups}, in_redis(counts, limit_bytes)
        )


def _position(counts: dict[str, int], group: str) -> GroupPosition:
    return GroupPosition(
        lag_messages=group_lag(counts, group) if f"read:{group}" in counts else None,
        lost=counts.get(f"lost:{group}", 0),
        refused_full=counts.get(f"full:{group}", 0),
        refused_full_ms=counts.get(f"full_at:{group}") or None,
    )


def _unreplicated(replication: Any) -> Iterator[str]:
    if replicas := int(replication.get("connected_slaves", 0)):
        yield (
            f"Redis has {plural(replicas, 'replica')}, but frames do not wait for one: after a failover, "
            "what the replica had not received is lost, acknowledged or not. "
            "REDIS_LOG_REPLICAS=1 prevents that"
        )
