"""What the platform measured and said of dynos counts once, through kills and a restart of everything."""

from __future__ import annotations

import threading
import time
import uuid
from functools import partial

import pytest
import redis

from app.log.open import open_log
from app.message import RouterMessage, encode
from app.platform.lines import parse
from app.settings import Settings
from app.store import keys, queries
from servers.platform import Platform
from servers.processes import Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.kills import counted, kill_and_start, kill_in_turn, until_durable
from tests.support.gauge_reference import GaugeReference

pytestmark = pytest.mark.slow

A_FRAME = 40
HOUR_S = 3_600


def messages_of_an_hour(now_s: float) -> list[RouterMessage]:
    """Of twelve dynos, of which one leaks, with deploys, a crash and one that is scaled away."""
    platform = Platform(7, now_s - HOUR_S, formation={"web": 10, "worker": 2}, leaks={"web.2": 0.3})
    platform.deploy(now_s - 3_000)
    platform.crash(now_s - 2_000, "web.3")
    platform.release_phase(now_s - 1_500, "Deploy 9154a1d2", is_failing=True)
    platform.scale(now_s - 1_000, "web", 9)
    return [
        said.message(f"f.{at}", "shop" if at % 3 else "") for at, said in enumerate(platform.until(now_s - 5))
    ]


def write(frames: list[tuple[str, list[bytes]]], settings: Settings, spread_s: float) -> None:
    """Every frame, one in five twice; again as long as the log is unreachable."""
    writer = open_log(settings).writer()
    for number, (frame_id, values) in enumerate(frames):
        for _ in range(2 if number % 5 == 0 else 1):
            until_durable(partial(writer.append, frame_id, [], 4.0, platform=values))
        time.sleep(spread_s / len(frames))
    writer.close()


def test_on_the_redis_log_through_kills_and_a_restart() -> None:
    now_s = time.time()
    messages = messages_of_an_hour(now_s)
    frames = [
        (str(uuid.UUID(int=at, version=4)), [encode(message) for message in messages[at : at + A_FRAME]])
        for at in range(0, len(messages), A_FRAME)
    ]
    reference = GaugeReference(now_s)
    for message in messages:
        if fact := parse(message):
            reference.add(message["app"], fact)
    with RedisServer() as server, Processes({"REDIS_URL": server.url}) as processes:
        settings = Settings.load({"REDIS_URL": server.url})
        writing = threading.Thread(target=write, args=(frames, settings, 6.0))
        writing.start()
        counted_so_far = partial(counted, server, "platform_messages")
        workers = kill_in_turn(
            processes, counted_so_far, writing, workers=2, then={2: lambda: kill_and_start(server)}
        )
        writing.join(60)
        wait_until(lambda: counted_so_far() >= len(messages), "count of all messages", 120)
        with redis.Redis.from_url(server.url) as store:
            wait_until(lambda: not store.llen(keys.journal("metrics")), "end of the journal", 60)
            assert counted_so_far() == len(messages)
            assert reference.differences(store) == []
            table = queries.dynos_table(store, "shop", queries.Span(HOUR_S), now_s)
            leaking = next(row.runtime for row in table.rows if row.name == "web.2")
            assert leaking.r14 > 0
            assert (leaking.memory_highest_mb or 0) > (leaking.quota_mb or 0) > 0
        assert [worker.terminate(15) for worker in workers] == [0, 0]
