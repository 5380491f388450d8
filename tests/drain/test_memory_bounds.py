"""A Redis of 50 MB, as the README names one: no flood of what cannot be processed keeps others out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import cast

import pytest
import redis

from app.message import BadValue
from app.store import dead_letters, keys
from app.store.apply import Changes, apply
from app.store.claims import offsets_claim
from app.store.frame_events import MARKERS_REMEMBERED
from app.store.keys import FRAME_EVENTS
from servers.redis_server import RedisServer
from tests.drain.bodies import L10_SENT, ROUTER_SENT, counted, heroku
from tests.drain.serving import Web, serving
from tests.support import letters

MAXMEMORY = 50_000_000
LETTERS_LIMIT = dead_letters.limit_bytes(MAXMEMORY)


@pytest.fixture(scope="module")
def small_server() -> Iterator[RedisServer]:
    """A Redis that refuses writes when it is full."""
    extra = ("--maxmemory", str(MAXMEMORY), "--maxmemory-policy", "noeviction")
    with RedisServer(extra=extra) as server:
        yield server


@pytest.fixture(scope="module")
def web(small_server: RedisServer) -> Iterator[Web]:
    with serving(REDIS_URL=small_server.url) as found:
        yield found


@pytest.fixture
def store(small_server: RedisServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(small_server.url)
    client.flushall()
    yield client
    client.close()


def counts(store: redis.Redis) -> dict[str, int]:
    found = cast(dict[bytes, bytes], store.hgetall("tailrace:counts"))
    return {name.decode(): int(value) for name, value in found.items()}


def used_bytes(store: redis.Redis) -> int:
    return int(store.info("memory")["used_memory"])


def dead_letters_bytes(store: redis.Redis) -> int:
    return store.memory_usage(keys.DEAD_LETTERS, samples=0) or 0


def post(web: Web, body: bytes) -> int:
    return web.post(body, Logplex_Frame_Id=str(uuid.uuid4())).status


def test_a_flood_of_long_broken_lines_leaves_room_for_everybody_else(web: Web, store: redis.Redis) -> None:
    broken = counted(b"x" * 65_000) * 16
    answers = []
    for _ in range(32):
        answers += [post(web, broken), post(web, ROUTER_SENT)]
    assert set(answers) == {202}
    assert {post(web, ROUTER_SENT) for _ in range(20)} == {202}
    assert web.ask("GET", "/ready").status == 200
    kept = letters.count(store)
    assert counts(store) == {"dead_letters": 32 * 16, "dead_letters_dropped": 32 * 16 - kept}
    assert 0.9 * LETTERS_LIMIT < dead_letters_bytes(store) < 1.1 * LETTERS_LIMIT
    assert used_bytes(store) < 0.3 * MAXMEMORY


def test_a_flood_of_small_ones_is_bounded_too(web: Web, store: redis.Redis) -> None:
    for _ in range(300):
        assert post(web, counted(b"no syslog") * 200 + ROUTER_SENT) == 202
    assert counts(store)["dead_letters"] == 300 * 51
    assert letters.count(store) == 300 * 51 - counts(store)["dead_letters_dropped"] <= 10_000
    assert dead_letters_bytes(store) < 1.1 * LETTERS_LIMIT


def test_a_flood_of_frames_with_a_notice_each_leaves_counters_and_few_guards(
    web: Web, store: redis.Redis
) -> None:
    for _ in range(300):
        assert post(web, L10_SENT + ROUTER_SENT) == 202
    assert counts(store) == {"lost:L10": 300}
    assert store.scard(FRAME_EVENTS[0]) == 300 < MARKERS_REMEMBERED
    assert not list(store.scan_iter("tailrace:aside:*"))


def test_a_frame_of_absurd_notices_counts_and_a_second_does_not_fail(web: Web, store: redis.Redis) -> None:
    notice = counted(
        heroku(b"logplex", b"Error L10 (output buffer overflow): 999999999999999 messages dropped")
    )
    for _ in range(3):
        assert post(web, notice * 5_000 + counted(b"no syslog")) == 202
    assert counts(store) == {"lost:L10": 3 * 5_000 * 10**9, "dead_letters": 3}


def test_a_flood_of_bad_values_through_the_metrics_worker_is_bounded(store: redis.Redis) -> None:
    positions = "tailrace:positions:metrics"
    for batch in range(10):
        claim = offsets_claim(positions, [(0, batch, batch + 1, batch > 0)])
        bad = [BadValue(b"x" * 100_000, "no message")] * 500
        assert apply(store, "metrics", claim, Changes(rows=[], apps={}, totals={}, bad=bad), 500)
    kept = letters.count(store)
    assert counts(store) == {"dead_letters": 5_000, "dead_letters_dropped": 5_000 - kept}
    assert 0.8 * LETTERS_LIMIT < dead_letters_bytes(store) < 1.1 * LETTERS_LIMIT
    assert store.hget(positions, "0") == b"10"
    store.set("other", b"x" * 10_000_000)


def test_a_redis_that_old_letters_filled_is_ready_again_after_one_try(web: Web, store: redis.Redis) -> None:
    old: dict[redis.typing.FieldT, redis.typing.EncodableT] = {
        "kind": "line",
        "reason": "no syslog",
        "value": "A" * 87_384,
        "bytes": "65538",
    }
    with pytest.raises(redis.RedisError):  # noqa: PT012
        while True:
            store.xadd(keys.DEAD_LETTERS, old)
    with pytest.raises(redis.RedisError):  # noqa: PT012
        for number in range(10_000):
            store.set(f"filling:{number}", b"x" * 500)
    frame = str(uuid.uuid4())
    answers = [web.post(ROUTER_SENT, Logplex_Frame_Id=frame).status for _ in range(3)]
    assert answers == [503, 202, 202]
    assert dead_letters_bytes(store) < 1.25 * LETTERS_LIMIT
    assert counts(store)["dead_letters_dropped"] > 400
    assert web.ask("GET", "/ready").status == 200
