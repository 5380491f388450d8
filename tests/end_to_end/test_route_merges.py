"""Every sum stays exact while rows merge and give way, and the workers that do it are killed."""

from __future__ import annotations

import random
import threading
import time

import pytest
import redis

from app.message import encode
from app.settings import Settings
from app.store import keys
from app.store.route_table import Mover, learned_templates
from servers.messages import router_line, router_message
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.frames import Frame
from tests.end_to_end.kills import counted
from tests.end_to_end.test_exactly_once import append_all
from tests.support.reference import Reference
from tests.support.stored import text_hash

pytestmark = pytest.mark.slow

HASHES = ("::statuses", ":service", ":connect", ":mix")
NO_SUMS = ("max_", "last_s", "promoted_s")


def unruly_frames(count: int, lines: int) -> list[Frame]:
    """Slugs, scanners' paths and more routes than a table takes, with all kinds of answers."""
    chance = random.Random(11)
    made = []
    for number in range(count):
        messages = []
        for at in range(lines):
            path = chance.choice(
                (
                    f"/blog{number // 10}/post-about-{chance.randrange(400)}-x",
                    f"/x{chance.randrange(90)}y/list",
                    f"/wp-{chance.randrange(10**6)}-x.php",
                    "/checkout",
                    "/cart",
                )
            )
            status = 404 if path.startswith("/wp-") else chance.choice((200, 200, 302, 404, 500))
            line = router_line(path, status=status, service_ms=chance.randrange(900), connect_ms=1)
            messages.append(router_message(line, id=f"frame-{number}.{at}", app=chance.choice(("", "shop"))))
        values = [encode(message) for message in messages]
        made.append(Frame(f"frame-{number}", "", [], values, messages))
    return made


def summed(store: redis.Redis, app: str) -> dict[str, int]:
    """All totals of an app's rows, added up."""
    sums: dict[str, int] = {}
    for digest in text_hash(store, keys.routes(app)).values():
        for name in HASHES:
            for field, value in text_hash(store, keys.total(app, digest, name)).items():
                if not field.startswith(NO_SUMS):
                    sums[name + field] = sums.get(name + field, 0) + int(value)
    return sums


def rowless(store: redis.Redis, app: str) -> dict[str, dict[str, str]]:
    """Totals of an app that no row of its table leads to."""
    digests = {*text_hash(store, keys.routes(app)).values(), keys.ALL_ROUTES}
    pattern = keys.total(app, "*", ":mix")
    found = {key.decode(): text_hash(store, key) for key in store.scan_iter(pattern, count=10_000)}
    known = {keys.total(app, digest, ":mix") for digest in digests}
    return {key: mix for key, mix in found.items() if key not in known and (app or ":app:" not in key)}


def windows_summed(store: redis.Redis, app: str) -> int:
    """Requests in the hours' windows of all rows."""
    script = """
    local sum = 0
    for _, window in ipairs(redis.call('HVALS', KEYS[1])) do sum = sum + cmsgpack.unpack(window).n end
    return sum"""
    sum_of = store.register_script(script)
    found = 0
    for digest in text_hash(store, keys.routes(app)).values():
        for key in store.scan_iter(keys.windows(app, digest) + "3600:*", count=10_000):
            found += int(sum_of(keys=[key]))
    return found


def test_sums_are_exact_through_kills_of_the_workers_that_merge() -> None:
    made = unruly_frames(120, 200)
    expected = sum(len(frame.messages) for frame in made)
    with RedisServer() as server:
        environ = {"REDIS_URL": server.url, "ROUTES_MAX": "200"}
        store = redis.Redis.from_url(server.url)
        with Processes(environ) as processes:
            writing = threading.Thread(target=append_all, args=(made, Settings.load(environ), 8.0))
            writing.start()
            workers: list[Process] = [processes.start_worker("metrics") for _ in range(2)]
            kills = 0
            last_written_s = time.monotonic()
            # Tables are looked at every two seconds, so the last merges come after the last frames.
            while kills < 6 and time.monotonic() < last_written_s + 5:
                if writing.is_alive():
                    last_written_s = time.monotonic()
                if store.llen(keys.ROUTE_MOVES):
                    workers[kills % 2].kill()
                    workers[kills % 2] = processes.start_worker("metrics")
                    kills += 1
                time.sleep(0.002)
            writing.join(60)
            wait_until(lambda: counted(server) >= expected, "count of all messages", 120)
            # Settled rows may still wait in the journal.
            wait_until(lambda: not store.llen(keys.journal("metrics")), "end of the journal", 60)
            assert [worker.terminate(15) for worker in workers] == [0, 0]
            assert kills, "no worker was killed during a merge"
            # What a worker that was told to stop has left, the next one moves.
            successor = processes.start_worker("metrics")
            wait_until(lambda: not store.llen(keys.ROUTE_MOVES), "end of the moves", 60)
            successor.kill()
        mover = Mover(store, 200)
        while mover.step(time.time()):
            pass
        one_row = Reference(time.time(), lambda path: "/one")
        for frame in made:
            one_row.add_all(frame.messages)
        wanted = one_row.hashes()
        for app in ("", "shop"):
            totals = {
                name + field: int(value)
                for name in HASHES
                for field, value in wanted[keys.total(app, keys.digest("/one"), name)].items()
                if not field.startswith(NO_SUMS)
            }
            assert rowless(store, app) == {}
            assert summed(store, app) == totals
            assert windows_summed(store, app) == totals[":mixcount"]
            rows = text_hash(store, keys.routes(app))
            assert {"/checkout", "/cart", "(not found)"} <= rows.keys()
            assert learned_templates(store, app)
            assert len(rows) <= 202
        store.close()
