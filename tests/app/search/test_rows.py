"""In which row of the page's table a line counts: the same as the metrics worker has counted it in."""

from __future__ import annotations

import time

import redis

from app.message import RouterMessage
from app.router_line import parse
from app.routes import route_namer
from app.search.rows import plain_row_names, read_row_names
from app.settings import Settings
from app.store.bounds import NOT_FOUND, OTHER
from app.store.route_table import LearnedTemplate, retire
from servers.messages import router_line
from tests.consumers.metrics.tables import HealingWorker, requests_for, table


def counted(
    messages: list[RouterMessage], store: redis.Redis, app: str, settings: Settings
) -> dict[str, int]:
    """Row -> lines, by the rows that a search finds."""
    row_of = read_row_names(store, app, settings)
    rows: dict[str, int] = {}
    for message in messages:
        line = parse(message["msg"])
        assert line is not None
        row = row_of(line)
        rows[row] = rows.get(row, 0) + 1
    return rows


def test_a_search_counts_in_the_rows_of_the_page(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client)
    settings = Settings()
    messages = requests_for([f"/products/{number}" for number in range(30)] + ["/cart"] * 40, app="shop")
    messages += requests_for(["/.env"] * 3 + ["/wp.php"], 404, app="shop")
    messages += requests_for(["/cart"] * 2, 404, app="shop")
    posts = requests_for([f"/blog/post-{number}-x" for number in range(60)], app="shop")
    worker.count(messages)
    worker.count(posts)
    worker.tend()
    assert table(redis_client, "shop") == {"/products/:id": 30, "/cart": 42, NOT_FOUND: 4, "/blog/:name": 60}
    assert counted(messages + posts, redis_client, "shop", settings) == table(redis_client, "shop")
    assert counted(messages + posts, redis_client, "", settings) == table(redis_client)


def test_patterns_that_were_merged_into_and_rules_are_heeded(redis_client: redis.Redis) -> None:
    settings = Settings(route_rules=("/users/:name",))
    worker = HealingWorker(redis_client, route_of=route_namer(settings), rules=settings.route_rules)
    messages = requests_for(["/de/cart", "/fr/cart", "/users/jane"])
    worker.count(messages)
    retire(redis_client, "", [], {"/:locale/cart": LearnedTemplate("operator", 1, is_pattern=True)})
    more = requests_for(["/it/cart", "/users/joe"])
    worker.count(more)
    assert counted(more, redis_client, "", settings) == {"/:locale/cart": 1, "/users/:name": 1}


def test_a_full_table_has_other_and_one_with_room_takes_a_route_in(redis_client: redis.Redis) -> None:
    worker = HealingWorker(redis_client, routes_max=2)
    worker.count(requests_for(["/a"] * 5 + ["/b"] * 5))
    new = requests_for(["/c"])
    assert counted(new, redis_client, "", Settings(routes_max=2)) == {OTHER: 1}
    assert counted(new, redis_client, "", Settings(routes_max=3)) == {"/c": 1}


def test_raw_paths_have_neither_templates_nor_not_found(redis_client: redis.Redis) -> None:
    settings = Settings(route_templates="raw")
    HealingWorker(redis_client).count(requests_for(["/a"]))
    assert counted(requests_for(["/products/7"], 404), redis_client, "", settings) == {"/products/7": 1}


def test_nothing_counted_yet_and_no_redis_give_the_routes_own_names(redis_client: redis.Redis) -> None:
    line = parse(router_line("/products/7", status=404))
    assert line is not None
    assert read_row_names(redis_client, "", Settings())(line) == "/products/:id"
    assert plain_row_names(Settings())(line) == "/products/:id"
    assert plain_row_names(Settings())(line._replace(path="")) == ""


def test_names_of_very_many_paths_do_not_fill_the_memory(redis_client: redis.Redis) -> None:
    HealingWorker(redis_client).count(requests_for(["/a"]))
    row_of = read_row_names(redis_client, "", Settings())
    line = parse(router_line("/x"))
    assert line is not None
    started_s = time.process_time()
    for number in range(25_000):
        row_of(line._replace(path=f"/page-{'abcdefghij'[number % 10]}/x{number}y"))
    assert len(row_of._known) <= 20_000
    assert time.process_time() - started_s < 20
