"""A reader of facts on a real Redis, and a moment."""

from __future__ import annotations

import time

import pytest
import redis

from app.alerts.redis.facts import FactsReader
from app.log.memory import MemoryLog
from app.settings import Settings
from app.store.workers import WorkerStatus, report_status


@pytest.fixture
def at_s() -> int:
    """The newest moment. It must be about now, for Redis expires windows by its own clock."""
    return int(time.time()) // 10 * 10


@pytest.fixture
def now_s(at_s: int) -> float:
    return at_s + 4.0


@pytest.fixture
def reader(redis_client: redis.Redis, now_s: float) -> FactsReader:
    """With a metrics worker that runs."""
    report(redis_client, now_s)
    return new_reader(redis_client)


def new_reader(store: redis.Redis) -> FactsReader:
    return FactsReader(store, MemoryLog(store), Settings.load({}))


def report(store: redis.Redis, now_s: float, id: str = "w1", lag_s: float = 0.0, waits: bool = False) -> None:
    """What a metrics worker says of itself."""
    at_ms = int(now_s * 1000)
    report_status(store, WorkerStatus(id, "metrics", at_ms, 0, lag_s, True, at_ms - 60_000, waits))
