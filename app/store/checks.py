"""What figures and log need of Redis, for the release phase."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import redis

from app.checks import Check, CheckResult
from app.errors import LogUnavailable
from app.masking import mask_url
from app.redis_client import connect, unavailable_error
from app.settings import Settings

TIMEOUT_S = 10.0


def _redis(settings: Settings) -> CheckResult:
    where = mask_url(settings.redis_address)
    client = connect(settings, connections=1, timeout_s=TIMEOUT_S)
    try:
        info = client.info()
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise LogUnavailable(
                f"maxmemory-policy is {policy}: Redis would evict figures when it is full. "
                "Set it to noeviction (Heroku: heroku redis:maxmemory --policy noeviction -a APP)"
            )
        return CheckResult(
            f"Redis {info['redis_version']} at {where}{_on_disk(info)}",
            tuple(_risks(info, _appendfsync(client))),
        )
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    finally:
        client.close()


def _appendfsync(client: redis.Redis) -> str:
    """Empty where Redis does not say, as on plans that keep CONFIG to themselves."""
    try:
        return str(cast(dict[Any, Any], client.config_get("appendfsync")).get("appendfsync", ""))
    except redis.ResponseError:
        return ""


def _on_disk(info: dict[str, Any]) -> str:
    return ", append-only file" if info.get("aof_enabled") else ""


def _risks(info: dict[str, Any], appendfsync: str) -> Iterator[str]:
    """What a crash of Redis would lose, of figures and log alike."""
    if not info.get("aof_enabled"):
        yield (
            "no append-only file: a crash or restart of Redis loses everything since its last snapshot, "
            "acknowledged or not. Set `appendonly yes` (Heroku: use premium-0 or larger; mini keeps nothing)"
        )
    elif appendfsync == "no":
        yield (
            "appendfsync is no: the operating system decides how much a crash loses. "
            "Set `appendfsync everysec`"
        )


CHECKS: tuple[tuple[str, Check], ...] = (("redis", _redis),)
