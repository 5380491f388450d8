"""Tables heal: rows merge with every sum exact, what grows is promoted, and a scanner changes nothing."""

from __future__ import annotations

import itertools
import random
import time

import pytest
import redis

from app.message import RouterMessage
from app.routes import template
from app.store import keys
from app.store.bounds import OTHER
from app.store.queries.all_time import all_time
from app.store.route_table import (
    LearnedTemplate,
    Move,
    Mover,
    forget,
    frequent_paths,
    learned_templates,
    retire,
)
from consumers.metrics import tending
from servers.messages import router_line, router_message
from tests.consumers.metrics.tables import HealingWorker, all_requests, requests_for, table
from tests.consumers.metrics.test_aggregate import count
from tests.support.reference import Reference, differences, hashes_in
from tests.support.stored import text_hash

NOW_S = int(time.time())
WORDS = ["".join(letters) for letters in itertools.product("bcdfghk", repeat=3)]


def traffic(chance: random.Random, lines: int, apps: tuple[str, ...] = ("", "shop")) -> list[RouterMessage]:
    """Lines of all kinds over a month, for ten routes of one parent."""
    found = []
    for number in range(lines):
        line = router_line(
            f"/blog/p{chance.randrange(10)}-x",
            status=chance.choice((200, 200, 200, 404, 500, "")),
            service_ms=chance.choice((None, chance.randrange(30_000), chance.random() * 50)),
            connect_ms=chance.choice((0, 1, 2.5)),
            method=chance.choice(("GET", "POST")),
            dyno=f"web.{chance.randrange(1, 4)}",
            host=chance.choice(("a.example", "b.example")),
            code=chance.choice(("", "", "", "H12", "H27")),
            bytes=chance.randrange(10_000),
        )
        age_s = chance.choice((0, 30, 900, 40_000, 9 * 86_400, 40 * 86_400))
        found.append(router_message(line, NOW_S - age_s, id=f"t.{number}", app=chance.choice(apps)))
    return found


def test_merged_rows_hold_what_one_row_would_have_held(redis_client: redis.Redis) -> None:
    chance = random.Random(1)
    batches = [traffic(chance, 60) for _ in range(12)]
    merged = {f"/blog/p{number}-x": "/blog/:name" for number in range(10) if number != 4}
    count(redis_client, batches)
    for app in ("", "shop"):
        digests = text_hash(redis_client, keys.routes(app))
        retire(redis_client, app, [Move(route, digests[route], into) for route, into in merged.items()])
    mover = Mover(redis_client, routes_max=500)
    steps = 0
    while mover.step(time.time()):
        steps += 1
        mover._cost.units_max = 30
    assert steps > 10, "it was not merged in steps"
    reference = Reference(NOW_S, lambda path: merged.get(template(path), template(path)))
    for batch in batches:
        reference.add_all(batch)
    assert differences(hashes_in(redis_client), reference.hashes()) == []


def test_sums_are_exact_while_lines_of_merged_routes_arrive(redis_client: redis.Redis) -> None:
    chance = random.Random(2)
    worker, mover = HealingWorker(redis_client), Mover(redis_client, 500)
    mover._cost.units_max = 1
    everything: list[RouterMessage] = []
    for round_ in range(20):
        batch = traffic(chance, 40)
        everything += batch
        worker.count(batch)
        digests = text_hash(redis_client, keys.routes(""))
        route = f"/blog/p{round_ % 10}-x"
        if route in digests:
            retire(redis_client, "", [Move(route, digests[route], "/blog/:name")])
        mover.step(time.time())
    while mover.step(time.time()):
        pass
    totals: dict[str, int] = {}
    for digest in text_hash(redis_client, keys.routes("")).values():
        for name in ("::statuses", ":service", ":connect", ":mix"):
            for field, value in text_hash(redis_client, keys.total("", digest, name)).items():
                if not field.startswith(("max_", "last_s")):
                    totals[name + field] = totals.get(name + field, 0) + int(value)
    reference = Reference(NOW_S, lambda path: "/one")
    reference.add_all(everything)
    wanted = reference.hashes()
    one = keys.digest("/one")
    assert totals == {
        name + field: int(value)
        for name in ("::statuses", ":service", ":connect", ":mix")
        for field, value in wanted[keys.total("", one, name)].items()
        if not field.startswith(("max_", "last_s"))
    }


def test_a_parents_rare_children_become_one_row(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    worker.count(requests_for([f"/blog/post-{number}-x" for number in range(70)] * 2, app="shop"))
    worker.count(requests_for(["/blog/popular"] * 200 + ["/about"] * 3, app="shop"))
    worker.tend()
    for app in ("", "shop"):
        assert table(redis_client, app) == {"/blog/:name": 140, "/blog/popular": 200, "/about": 3}
        (learned,) = learned_templates(redis_client, app).items()
        assert learned[0] == "/blog/:name"
        assert learned[1].by == "worker"


def test_old_rows_of_paths_that_do_not_exist_are_merged(redis_client: redis.Redis) -> None:
    # As an earlier version left them: each has a row.
    count(redis_client, [requests_for([f"/scan/{number}/x.php" for number in range(40)], 404)])
    count(redis_client, [requests_for(["/", "/about", "/about"])])
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/"]))
    worker.tend()
    assert table(redis_client) == {"(not found)": 40, "/": 2, "/about": 2}
    assert len(frequent_paths(redis_client, "", keys.digest("(not found)"))) > 0


def test_a_path_that_grows_busy_under_a_template_gets_its_row_back(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    endpoints = [f"/api/get-{number}-things" for number in range(60)]
    worker.count(requests_for(endpoints))
    worker.tend()
    assert table(redis_client) == {"/api/:name": 60}
    worker.count(requests_for(endpoints[:5] * 150))
    worker.tend()
    worker.count(requests_for(endpoints[:5] * 3))
    worker.tend()
    found = table(redis_client)
    assert found == {"/api/:name": 60 + 750} | dict.fromkeys(endpoints[:5], 3)
    assert all_requests(redis_client) == sum(found.values())


def test_what_an_operator_merged_stays_merged_however_busy(redis_client: redis.Redis) -> None:
    retire(redis_client, "", [], {"/shop/:page": LearnedTemplate("operator", NOW_S, is_pattern=True)})
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/shop/cart"] * 400 + ["/shop/list"]))
    worker.tend()
    worker.count(requests_for(["/shop/cart"]))
    assert table(redis_client) == {"/shop/:page": 402}


def test_templates_are_bounded_and_those_without_a_row_make_place(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending, "TEMPLATES_MAX", 3)
    worker = HealingWorker(redis_client)
    learned = {f"/old{number}/:name": LearnedTemplate("worker", NOW_S) for number in range(3)}
    retire(redis_client, "", [], learned | {"/kept/:name": LearnedTemplate("operator", NOW_S)})
    worker.count(requests_for(["/old1/x"] * 30 + [f"/blog/{word}-post" for word in WORDS[:60]]))
    worker.tend()
    assert learned_templates(redis_client, "").keys() == {"/old1/:name", "/kept/:name", "/blog/:name"}
    assert table(redis_client) == {"/old1/:name": 30, "/blog/:name": 60}


def test_a_forgotten_template_is_not_learned_again_and_new_routes_get_rows(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    posts = [f"/blog/post-{number}-x" for number in range(60)]
    worker.count(requests_for(posts))
    worker.tend()
    assert forget(redis_client, "", ["/blog/:name", "/never/:name"], NOW_S) == 1
    worker.count(requests_for(posts))
    worker.tend()
    assert table(redis_client) == {"/blog/:name": 60} | dict.fromkeys(posts, 1)


def test_a_scanner_for_an_hour_leaves_the_app_as_it_is(redis_client: redis.Redis) -> None:
    chance = random.Random(7)
    worker = HealingWorker(redis_client)
    routes = [f"/{area}/{view}" for area in ("shop", "cart", "user", "help") for view in "abcdefghij"]
    worker.count(requests_for(routes))
    counted = dict.fromkeys(routes, 1)
    used: list[int] = []
    number = 0
    for minute in range(60):
        messages = []
        for route in chance.choices(routes, k=100):
            counted[route] += 1
            line = router_line(route, service_ms=20, status=chance.choice((200, 200, 404, 500)))
            messages.append(router_message(line, NOW_S - 3_600 + minute * 60, id=f"r.{number}"))
        for _ in range(334):
            number += 1
            path = f"/{chance.choice(('wp', 'admin', 'cgi-bin', 'x/y'))}/{number:x}-{chance.random():.6f}.php"
            line = router_line(path, service_ms=1, status=chance.choice((404, 404, 404, 403, 400, 405)))
            messages.append(router_message(line, NOW_S - 3_600 + minute * 60, id=f"s.{number}"))
        chance.shuffle(messages)
        worker.count(messages)
        worker.tend(1)
        used.append(int(redis_client.info("memory")["used_memory"]))
    found = table(redis_client)
    assert {route: found.get(route) for route in routes} == counted
    assert len(found) < 60
    assert sum(found.values()) == all_requests(redis_client) == 40 + 60 * 434
    assert used[-1] - used[10] < 2_000_000, "Redis grows with the scanner"


def test_scanner_paths_that_are_answered_make_place_for_real_ones(redis_client: redis.Redis) -> None:
    # A page that answers every path with 200 tells nothing of what exists.
    worker = HealingWorker(redis_client)
    real = [f"/real/{name}" for name in "abcdefgh"]
    for minute in range(20):
        junk = [f"/x{minute}q{number}/y-{number}.php" for number in range(300)]
        worker.count(requests_for([*junk, *real * 5]))
        worker.tend(2)
    found = table(redis_client)
    assert {route: found.get(route) for route in real} == dict.fromkeys(real, 100)
    assert len(found) <= 502
    assert sum(found.values()) == all_requests(redis_client) == 20 * 340
    assert OTHER in found or "/:name" in str(sorted(found))


def test_two_workers_that_tend_at_once_lose_nothing(redis_client: redis.Redis) -> None:
    workers = [HealingWorker(redis_client) for _ in range(2)]
    posts = [f"/blog/post-{number}-x" for number in range(80)]
    for worker in workers:
        worker.count(requests_for(posts))
    for worker in workers:
        worker.tender._look()
    for worker in workers:
        worker.count(requests_for(posts[:9]))
        worker.tend()
    assert table(redis_client) == {"/blog/:name": 178}


def test_the_sum_over_all_routes_never_falls_while_rows_merge(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    posts = [f"/blog/{word}-post" for word in WORDS]
    worker.count(requests_for(posts))
    before = all_time(redis_client, "", [keys.ALL_ROUTES])[keys.ALL_ROUTES][0].statuses
    worker.tender._next_moves_s = float("inf")
    worker.tender._look()
    # The rows are retired, and most of their figures are still to be moved.
    assert redis_client.llen(keys.ROUTE_MOVES) == len(posts) == before["200"]
    assert all_time(redis_client, "", [keys.ALL_ROUTES])[keys.ALL_ROUTES][0].statuses == before
    worker.tend()
    assert all_time(redis_client, "", [keys.ALL_ROUTES])[keys.ALL_ROUTES][0].statuses == before
