"""The lease: one process at a time, and one that lost it writes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from app.alerts.redis import lease, outbox
from app.alerts.redis.board import commit, read_board
from app.store import keys
from servers.redis_server import RedisServer
from tests.app.alerts.redis.made import AT_S, board, incident, message, step


def test_one_process_has_it_and_renews_it(redis_client: redis.Redis) -> None:
    assert lease.holder(redis_client) == ""
    assert lease.acquire(redis_client, "first")
    assert not lease.acquire(redis_client, "second")
    redis_client.pexpire(keys.ALERT_LEASE, 1_000)
    assert lease.acquire(redis_client, "first")
    assert redis_client.pttl(keys.ALERT_LEASE) > 10_000
    assert lease.holder(redis_client) == "first"


def test_another_process_takes_it_once_it_is_over(redis_client: redis.Redis) -> None:
    assert lease.acquire(redis_client, "first", 0.05)
    time.sleep(0.1)
    assert lease.acquire(redis_client, "second")
    assert not lease.acquire(redis_client, "first")


def test_only_its_holder_gives_it_back(redis_client: redis.Redis) -> None:
    lease.acquire(redis_client, "first")
    lease.release(redis_client, "second")
    assert lease.holder(redis_client) == "first"
    lease.release(redis_client, "first")
    assert lease.holder(redis_client) == ""


def test_a_holder_that_stood_still_and_comes_back_writes_nothing(redis_client: redis.Redis) -> None:
    lease.acquire(redis_client, "first", 0.05)
    assert commit(redis_client, "first", step(incident()), [message()], before=board(at_s=0))
    (taken,) = outbox.due(redis_client, AT_S)
    assert outbox.claim(redis_client, "first", taken, AT_S)
    time.sleep(0.1)
    assert lease.acquire(redis_client, "second")
    (again,) = outbox.due(redis_client, AT_S)
    assert outbox.claim(redis_client, "second", again, AT_S)
    before = stored(redis_client)

    later = step(incident(), incident("i2"), at_s=AT_S + 10)
    assert not commit(redis_client, "first", later, [message("i2")], before=board(incident()))
    assert not outbox.claim(redis_client, "first", taken, AT_S)
    assert not outbox.failed(redis_client, "first", taken, "refused", None, AT_S)
    lease.release(redis_client, "first")
    assert stored(redis_client) == before


def test_a_holder_writes_nothing_from_a_board_that_another_has_changed_meanwhile(
    redis_client: redis.Redis,
) -> None:
    """It lost the lease and got it back between reading and writing."""
    lease.acquire(redis_client, "first")
    seen = read_board(redis_client)
    lease.release(redis_client, "first")
    lease.acquire(redis_client, "second")
    assert commit(redis_client, "second", step(incident()), [message()], before=seen)
    lease.release(redis_client, "second")
    lease.acquire(redis_client, "first")
    before = stored(redis_client)
    assert not commit(redis_client, "first", step(at_s=AT_S + 10), [message("i2")], before=seen)
    assert stored(redis_client) == before
    assert commit(
        redis_client, "first", step(at_s=AT_S + 10), [message("i2")], before=read_board(redis_client)
    )


@pytest.fixture(params=["new", "old"])
def full(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A Redis that takes no more."""
    name = "redis_server" if request.param == "new" else "old_redis_server"
    server: RedisServer = request.getfixturevalue(name)
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    yield client
    client.config_set("maxmemory", 0)
    client.flushall()
    client.close()


def test_a_full_redis_keeps_nobody_from_being_told(full: redis.Redis) -> None:
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        full.set("foreign", "x")
    assert lease.acquire(full, "first")
    assert commit(full, "first", step(incident()), [message()], before=board(at_s=0))
    assert commit(full, "first", step(incident(), at_s=AT_S + 10), [], before=board())
    (taken,) = outbox.due(full, AT_S)
    assert outbox.claim(full, "first", taken, AT_S)
    assert outbox.failed(full, "first", taken, "refused", AT_S + 2, AT_S)
    (taken,) = outbox.due(full, AT_S + 2)
    assert outbox.claim(full, "first", taken, AT_S + 2)
    outbox.delivered(full, taken, AT_S + 2)
    assert outbox.due(full, AT_S + 10) == []
    (status,) = outbox.statuses(full)
    assert (status.delivered_s, status.failed_s, status.waiting) == (AT_S + 2, AT_S, 0)


def stored(store: redis.Redis) -> dict[bytes, object]:
    """Everything that is kept of alerts."""
    return {
        name: store.get(name) if store.type(name) == b"string" else store.dump(name)
        for name in sorted(store.scan_iter(keys.ALERTS + "*"))
    }
