"""Silences in Redis, each until it ends. Whoever may look may add one: they need no lease."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import orjson
import redis

from app.alerts.board import Silence
from app.alerts.redis.lease import read_script
from app.errors import TooManySilences
from app.store.bounds import SILENCE_MAX_S, SILENCES_MAX
from app.store.keys import ALERT_SILENCES
from app.store.settle import run_raw

_ADD = read_script("silences.lua")


def silences(store: redis.Redis, now_s: float) -> list[Silence]:
    """Those in force, the one that ends first before others. Raises redis.RedisError."""
    found = cast(Mapping[bytes, bytes], store.hgetall(ALERT_SILENCES))
    return sorted(
        (one for one in _read(found) if one.until_s > now_s), key=lambda one: (one.until_s, one.rule, one.app)
    )


def add_silence(store: redis.Redis, silence: Silence, now_s: float) -> None:
    """Replaces one of the same rule and app; ends after SILENCE_MAX_S at the latest. Raises redis.RedisError;
    TooManySilences."""
    until_s = min(silence.until_s, int(now_s) + SILENCE_MAX_S)
    arguments: list[bytes | int] = [_field(silence.rule, silence.app), until_s, int(now_s), SILENCES_MAX]
    if not run_raw(store, _ADD, [ALERT_SILENCES], arguments):
        raise TooManySilences(
            f"there are {SILENCES_MAX} silences already: end one, or silence a rule of all apps"
        )


def end_silence(store: redis.Redis, rule: str, app: str) -> bool:
    """False: there was none. Raises redis.RedisError."""
    return bool(store.hdel(ALERT_SILENCES, _field(rule, app).decode()))


def _field(rule: str, app: str) -> bytes:
    return orjson.dumps([rule, app])


def _read(found: Mapping[bytes, bytes]) -> Iterator[Silence]:
    for field, until in found.items():
        try:
            rule, app = orjson.loads(field)
            yield Silence(str(rule), str(app), int(until))
        except (ValueError, TypeError):  # No silence, or a later version's.
            continue
