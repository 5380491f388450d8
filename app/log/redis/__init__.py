"""The message log on Redis Streams: one server for log and metrics, nothing else to run."""

from app.log.redis.log import RedisLog

__all__ = ["RedisLog"]
