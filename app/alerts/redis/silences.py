"""Silences in Redis, each until it ends."""

from __future__ import annotations

import redis

from app.alerts.board import Silence

SILENCES_MAX = 200
SILENCE_MAX_S = 31 * 86_400


class TooManySilences(Exception):
    """There are SILENCES_MAX in force already."""


def silences(store: redis.Redis, now_s: float) -> list[Silence]:
    """Those in force, the one that ends first before others. Raises redis.RedisError."""
    return []


def add_silence(store: redis.Redis, silence: Silence, now_s: float) -> None:
    """Replaces one of the same rule and app. Raises redis.RedisError; TooManySilences."""


def end_silence(store: redis.Redis, rule: str, app: str) -> bool:
    """False: there was none."""
    return False
