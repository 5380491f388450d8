"""What takes Redis's memory: told in parts that add up, at a bounded cost, also where Redis is shy."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
import redis

from app.log import open_log
from app.log.redis.writer import RedisWriter
from app.settings import Settings
from app.store import dead_letters, queries
from app.store.frame_events import Loss, record_once
from app.store.queries.memory import APPS_SHOWN, KEYS_A_PAGE, MemoryPart
from servers.figures import SeenRequest, fill
from tests.support import letters
from tests.support.platform_events import add, up

LOG_LIMIT = 10_000_000
LOG = open_log(Settings(redis_log_max_mb=10))
ON_KAFKA = open_log(Settings(kafka_url="kafka://127.0.0.1:1"))


def recover(store: redis.Redis, keys_at_most: int = 10_000) -> queries.Memory:
    return queries.memory(store, LOG, keys_at_most=keys_at_most)


def part(found: queries.Memory, kind: str, app: str = "") -> MemoryPart:
    (one,) = [one for one in found.parts if (one.kind, one.app) == (kind, app)]
    return one


def fill_apps(store: redis.Redis, apps: dict[str, int]) -> None:
    """So many routes of each app."""
    now_s = time.time()
    fill(
        store,
        [SeenRequest(now_s - 60, f"/{at}", app=app) for app, count in apps.items() for at in range(count)],
        now_s,
    )


def size_of(store: redis.Redis, pattern: str) -> int:
    """Without samples and events, unless the pattern names them."""
    apart = [kind for kind in (b":samples:", b":events:") if kind.decode() not in pattern]
    names = [name for name in store.scan_iter(pattern) if not any(kind in name for kind in apart)]
    return sum(store.memory_usage(name) or 0 for name in names)


@pytest.fixture
def shy(redis_client: redis.Redis, redis_url: str) -> Iterator[redis.Redis]:
    """A login that may not ask for the size of a key, as on some plans."""
    redis_client.acl_setuser(
        "shy", enabled=True, nopass=True, keys="*", commands=["+@all", "-memory|usage", "-config"]
    )
    client = redis.Redis.from_url(redis_url, username="shy", password="any")
    yield client
    client.close()
    redis_client.acl_deluser("shy")


def test_each_part_is_there_and_they_add_up(redis_client: redis.Redis) -> None:
    fill_apps(redis_client, {"shop": 30, "blog": 5})
    RedisWriter(redis_client, LOG_LIMIT).append("frame", [uuid.uuid4().bytes * 1_000] * 20, 4.0)
    letters.add(redis_client, [dead_letters.dead_letter("line", "drain", "why", b"x" * 10_000)] * 20)
    record_once(redis_client, "frame", "shop", [Loss("L10", 1)], [], int(time.time()))
    redis_client.set("foreign", "x" * 5_000)
    add(redis_client, {"shop": [up(1000 * int(time.time()))], "": [up(1000 * int(time.time()))]}, time.time())
    found = recover(redis_client)
    assert part(found, "app", "shop").bytes == size_of(redis_client, "*app:shop:*") > 0
    assert part(found, "events").bytes == size_of(redis_client, "*:events:*") > 0
    assert part(found, "samples").bytes == size_of(redis_client, "*:samples:*") > 0
    assert part(found, "app", "blog").bytes == size_of(redis_client, "*app:blog:*") > 0
    assert part(found, "app").bytes > part(found, "app", "blog").bytes
    assert part(found, "foreign").bytes == redis_client.memory_usage("foreign")
    assert part(found, "dead_letters").bytes > 200_000
    assert part(found, "dead_letters").limit_bytes == dead_letters.DEAD_LETTERS_MAX_BYTES
    assert 300 < part(found, "log").bytes < LOG_LIMIT
    assert part(found, "log").limit_bytes == LOG_LIMIT
    assert part(found, "bookkeeping").bytes > 0
    assert sum(one.bytes for one in found.parts) == found.redis.used_bytes
    assert (found.is_estimate, found.refused, found.further_apps) == (False, "", 0)
    sizes = [one.bytes for one in found.parts[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    assert found.parts[-1].kind == "other"


def test_an_empty_redis_has_nothing_but_itself(redis_client: redis.Redis) -> None:
    found = recover(redis_client)
    assert [one.kind for one in found.parts if one.bytes] == ["other"]
    assert (found.keys, found.keys_looked_at, found.is_estimate) == (0, 0, False)


def test_many_keys_are_estimated_from_a_bounded_sample(redis_client: redis.Redis) -> None:
    fill_apps(redis_client, {"shop": 400})
    real = size_of(redis_client, "*app:shop:*")
    redis_client.config_resetstat()
    found = recover(redis_client, keys_at_most=1_000)
    assert found.is_estimate
    assert found.keys > 4_000
    assert 1_000 <= found.keys_looked_at <= 1_000 + 2 * KEYS_A_PAGE
    assert part(found, "app", "shop").bytes == pytest.approx(real, rel=0.3)
    asked = redis_client.info("commandstats")
    assert sum(said["calls"] for name, said in asked.items() if name.startswith("cmdstat_memory")) < 1_600
    assert asked["cmdstat_scan"]["calls"] < 10
    assert "cmdstat_keys" not in asked


def test_a_look_ends_when_its_time_is_up(redis_client: redis.Redis) -> None:
    fill_apps(redis_client, {"shop": 100})
    ticks = iter(range(1_000))
    found = queries.memory(redis_client, ON_KAFKA, clock=lambda: float(next(ticks)))
    assert found.is_estimate
    assert found.keys_looked_at < 3 * KEYS_A_PAGE
    assert part(found, "log").limit_bytes is None


def test_the_largest_apps_are_named_and_the_others_summed_up(redis_client: redis.Redis) -> None:
    fill_apps(redis_client, {f"app{number:02}": number for number in range(1, APPS_SHOWN + 6)})
    found = recover(redis_client)
    named = [one.app for one in found.parts if one.app]
    assert len(named) == APPS_SHOWN
    assert named[0] == f"app{APPS_SHOWN + 5}"
    assert found.further_apps == 5
    assert found.further_apps_bytes == sum(
        size_of(redis_client, f"*app:app{number:02}:*") for number in range(1, 6)
    )


def test_a_redis_that_does_not_tell_sizes_is_no_fault(redis_client: redis.Redis, shy: redis.Redis) -> None:
    fill_apps(redis_client, {"shop": 3})
    letters.add(redis_client, [dead_letters.dead_letter("line", "drain", "why", b"x")])
    found = recover(shy)
    assert "it refuses MEMORY USAGE" in found.refused
    assert {one.kind for one in found.parts} == {"log", "dead_letters", "other"}
    assert found.parts[-1].name == "Figures and everything else"
    assert sum(one.bytes for one in found.parts) == found.redis.used_bytes > 0
