"""In which row a route's lines count: its own, `(not found)`, a learned template, `(other)`."""

from __future__ import annotations

import itertools

import pytest
import redis

from app.store import keys
from app.store.bounds import NOT_FOUND_STATUSES, OTHER, PATHS_MAX
from app.store.route_table import LearnedTemplate, frequent_paths, retire
from tests.consumers.metrics.tables import HealingWorker, all_requests, requests_for, table

NOT_FOUND = keys.NOT_FOUND_ROUTE
WORDS = ["".join(letters) for letters in itertools.product("bcdfg", "aeiou", "klmnp", "aeiou", "rst")]


@pytest.mark.parametrize("status", sorted(NOT_FOUND_STATUSES))
def test_a_path_without_any_other_answer_is_no_route_yet(redis_client: redis.Redis, status: str) -> None:
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/wp-login.php", "/.env", "/.env"], status))
    assert table(redis_client) == {NOT_FOUND: 3}
    assert frequent_paths(redis_client, "", keys.digest(NOT_FOUND)) == {"/.env": 2, "/wp-login.php": 1}


@pytest.mark.parametrize("status", [200, 302, 401, 422, 429, 500, 503, ""])
def test_any_other_answer_makes_it_a_row(redis_client: redis.Redis, status: str | int) -> None:
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/new"], 404))
    worker.count(requests_for(["/new"], status))
    worker.count(requests_for(["/new"], 404))
    assert table(redis_client) == {NOT_FOUND: 1, "/new": 2}


def test_each_app_has_a_table_of_its_own(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/admin"], 200, "shop"))
    worker.count(requests_for(["/admin"], 404, "blog"))
    assert table(redis_client) == {"/admin": 2}
    assert table(redis_client, "shop") == {"/admin": 1}
    assert table(redis_client, "blog") == {NOT_FOUND: 1}


def test_the_most_frequent_paths_are_found_among_endless_others(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    for batch in range(30):
        paths = [f"/scan-{batch}-{number}-x.php" for number in range(300)]
        worker.count(requests_for([*paths, *["/wp-login.php"] * 40, *["/.env"] * 15], 404))
    paths_found = frequent_paths(redis_client, "", keys.digest(NOT_FOUND))
    assert list(paths_found)[:2] == ["/wp-login.php", "/.env"]
    assert len(paths_found) <= PATHS_MAX
    error = all_requests(redis_client) / (PATHS_MAX + 1)
    assert 1_200 - error <= paths_found["/wp-login.php"] <= 1_200
    assert table(redis_client) == {NOT_FOUND: 30 * 355}


def test_a_new_busy_route_gets_a_row_in_a_table_full_of_others(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    worker.count(requests_for([f"/{word}/x-y" for word in WORDS[:600]]))
    assert len(table(redis_client)) == 501
    for _ in range(50):
        worker.count(requests_for(["/checkout"]))
    worker.tend()
    assert table(redis_client)["/checkout"] == 50
    assert sum(table(redis_client).values()) == all_requests(redis_client) == 650


def test_the_least_used_row_of_the_longest_silence_makes_place(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client, routes_max=4)
    worker.count(requests_for(["/busy/once"] * 30, age_s=20 * 86_400))
    worker.count(requests_for(["/nightly"] * 30, age_s=20 * 3_600))
    worker.count(requests_for(["/usual"] * 9 + ["/rare"] * 2))
    worker.count(requests_for(["/new"]))
    worker.tend()
    assert table(redis_client) == {"/nightly": 30, "/usual": 9, "/rare": 2, "/new": 1, OTHER: 30}


def test_one_request_does_not_take_the_row_of_a_route_in_use(redis_client: redis.Redis) -> None:
    clock_s = [1e9]
    worker = HealingWorker(redis_client, routes_max=3, clock=lambda: clock_s[0])
    worker.count(requests_for(["/a"] * 5 + ["/b"] * 6 + ["/c"] * 7))
    for number in range(20):
        clock_s[0] += 10
        worker.count(requests_for([f"/junk{number}-x"]))
    worker.tend()
    assert table(redis_client) == {"/a": 5, "/b": 6, "/c": 7, OTHER: 20}
    # What keeps coming is as busy as the least used row after as many requests.
    for _ in range(8):
        clock_s[0] += 10
        worker.count(requests_for(["/new"]))
    worker.tend()
    assert table(redis_client) == {"/new": 4, "/b": 6, "/c": 7, OTHER: 20 + 5 + 4}


def test_a_worker_learns_from_what_another_one_merged(redis_client: redis.Redis) -> None:
    one, other = HealingWorker(redis_client), HealingWorker(redis_client)
    posts = [f"/blog/post-{number}-x" for number in range(60)]
    other.count(requests_for(posts))
    one.count(requests_for(posts))
    one.tend()
    assert table(redis_client) == {"/blog/:name": 120}
    other.count(requests_for([*posts[:5], "/blog/unseen-x"]))
    assert table(redis_client) == {"/blog/:name": 126}


def test_a_route_that_a_rule_names_is_never_learned_away(redis_client: redis.Redis) -> None:
    retire(redis_client, "", [], {"/blog/:name": LearnedTemplate("worker", 0)})
    worker = HealingWorker(redis_client, rules=["/blog/archive"])
    worker.count(requests_for(["/blog/archive", "/blog/a-post"]))
    worker.tend()
    assert table(redis_client) == {"/blog/archive": 1, "/blog/:name": 1}


def test_a_pattern_that_an_operator_merged_into_names_new_routes(redis_client: redis.Redis) -> None:
    retire(redis_client, "", [], {"/:shop/cart": LearnedTemplate("operator", 0, is_pattern=True)})
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/berlin/cart", "/paris/cart", "/paris/about"]))
    assert table(redis_client) == {"/:shop/cart": 2, "/paris/about": 1}
