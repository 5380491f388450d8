"""Events are kept once each through kills, restarts, and frames that come again or out of order.

What must be there at the end is worked out in plain Python.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import redis

from app.log import open_log
from app.message import RouterMessage, encode
from app.platform.facts import Event
from app.platform.lines import parse
from app.settings import Settings
from app.store import keys, queries
from app.store.event_rows import EVENT_TIMES, TABLES
from servers.platform import Platform
from servers.processes import Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.frames import frames
from tests.end_to_end.kills import counted, kill_and_start, kill_in_turn, until_durable
from tests.support.platform_events import stored
from tests.support.stored import text_hash

pytestmark = pytest.mark.slow

APPS = ("", "shop")
HOURS = 3
Said = tuple[str, list[RouterMessage]]
"""A frame: its id, and what the platform says in it."""


def story(app: str, seed: int, now_s: float) -> list[RouterMessage]:
    """Deploys, crashes and dynos without memory."""
    started_s = now_s - HOURS * 3_600
    platform = Platform(
        seed, started_s, formation={"web": 4, "worker": 2}, leaks={"web.3": 0.4, "web.4": 0.2}
    )
    for number in range(HOURS * 3):
        at_s = started_s + 1_200 * number + 30
        platform.deploy(at_s, is_failing=number % 4 == 1)
        platform.crash(at_s + 200, "worker.1")
        platform.cycle(at_s + 300, "web.1")
    platform.release_phase(started_s + 5_000, "Deploy 9154a1d2")
    said = platform.until(now_s)
    return [one.message(f"{seed}.{number}", app) for number, one in enumerate(said)]


def written(seed: int, now_s: float) -> list[Said]:
    """The frames in the order in which they are written: some late, one in ten twice; what is said of the app
    also comes in a second frame."""
    chance = random.Random(seed)
    made: list[Said] = []
    for number, app in enumerate(APPS):
        messages = story(app, seed + number, now_s)
        made += [(f"{app}-{at}", messages[at : at + 40]) for at in range(0, len(messages), 40)]
        again = [message for message in messages if message["procid"] == "api"]
        made += [(f"{app}-again-{at}", again[at : at + 30]) for at in range(0, len(again), 30)]
    chance.shuffle(made)
    return [frame for frame in made for _ in range(2 if chance.random() < 0.1 else 1)]


def unique(made: list[Said]) -> list[Said]:
    """Without what is there again, except for what is in two frames."""
    return list({frame_id: (frame_id, messages) for frame_id, messages in made}.values())


def events_of(made: list[Said]) -> Iterator[tuple[str, Event]]:
    for _, messages in made:
        for message in messages:
            fact = parse(message)
            if isinstance(fact, Event):
                yield message["app"], fact


def append_all(made: list[Said], settings: Settings, spread_s: float) -> None:
    """Writes every frame beside some router lines, again as often as the log is unreachable."""
    router = frames(1, 20, ("shop",))[0]
    writer = open_log(settings).writer()
    for frame_id, messages in made:
        platform = [encode(one) for one in messages]
        until_durable(partial(writer.append, frame_id, router.values, 4.0, platform=platform))
        time.sleep(spread_s / len(made))
    writer.close()


def check(store: redis.Redis, made: list[Said]) -> None:
    """Each row's moments are those that were said, and all that were said are there."""
    wanted: dict[str, dict[Event, set[int]]] = {app: defaultdict(set) for app in APPS}
    for app, event in events_of(made):
        wanted[app][replace(event, at_ms=0)].add(event.at_ms)
    for app in APPS:
        found: Counter[Event] = Counter()
        for table in TABLES:
            for row in stored(store, app, table):
                said = replace(row.event, at_ms=0)
                assert {*row.times_ms, row.last_ms} <= wanted[app][said]
                found[said] += row.count
        assert found == Counter({said: len(times) for said, times in wanted[app].items()})
        assert sum(found.values()) > 500


def test_each_event_is_there_once_through_kills_and_a_restart() -> None:
    now_s = time.time()
    made = written(5, now_s)
    once = unique(made)
    expected = sum(len(messages) for _, messages in once)
    with RedisServer() as server:
        environ = {"REDIS_URL": server.url}
        with Processes(environ) as processes:
            writing = threading.Thread(target=append_all, args=(made, Settings.load(environ), 8.0))
            writing.start()
            counted_so_far = partial(counted, server, "platform_messages")
            workers = kill_in_turn(
                processes, counted_so_far, writing, then={2: lambda: kill_and_start(server)}
            )
            writing.join(120)
            wait_until(lambda: counted_so_far() >= expected, "count of all messages", 120)
            with redis.Redis.from_url(server.url) as store:
                wait_until(lambda: not store.llen(keys.journal("metrics")), "end of the journal", 60)
                assert counted_so_far() == expected
                check(store, once)
                assert "refused" not in text_hash(store, keys.group("metrics"))
                found = queries.events(store, "shop", None, now_s)
                versions = [release.version for release in found.releases]
                assert versions == sorted(set(versions), reverse=True)
                assert len(versions) > HOURS * 2
                assert all(release.cause == "deploy" for release in found.releases)
                assert any(row.code == "R14" and row.count > EVENT_TIMES for row in found.rows)
            assert [worker.terminate(15) for worker in workers] == [0, 0, 0]
