"""`python -m app routes`: what rows there are, and merging, dropping and forgetting."""

from __future__ import annotations

import orjson
import pytest
import redis

from app.store import keys
from tests.app.cli.commands import run_command
from tests.consumers.metrics.tables import HealingWorker, requests_for, table

POSTS = [f"/blog/post-{number}-x" for number in range(60)]


def command(redis_url: str, *words: str) -> tuple[int, str, str]:
    return run_command(redis_url, "routes", *words)


@pytest.fixture
def worker(redis_client: redis.Redis) -> HealingWorker:
    worker = HealingWorker(redis_client)
    worker.count(requests_for(["/de/cart", "/fr/cart", "/fr/cart", "/about"], app="shop"))
    worker.count(requests_for(["/.env"] * 3 + ["/wp.php"], 404, app="shop"))
    worker.count(requests_for(["/fr/cart"], app="blog"))
    return worker


def test_list_shows_rows_templates_and_frequent_paths(redis_url: str, worker: HealingWorker) -> None:
    worker.count(requests_for(POSTS, app="shop"))
    worker.tend()
    code, out, err = command(redis_url, "list", "--app", "shop")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "shop: 5 rows of at most 500"
    assert "most frequent in (not found): /.env 3, /wp.php 1" in out
    (row, learned) = [line.split() for line in out.splitlines() if line.startswith("/blog/:name")]
    assert row[1] == "60"
    assert learned[1] == "learned"
    code, out, _ = command(redis_url, "list", "--json")
    found = orjson.loads(out)
    assert code == 0
    assert {row["route"]: row["requests"] for row in found["rows"]} == {
        "/blog/:name": 60, "(not found)": 4, "/fr/cart": 3, "/de/cart": 1, "/about": 1
    }  # fmt: skip
    assert found["templates"]["/blog/:name"]["by"] == "worker"


def test_merge_joins_the_rows_of_every_app_and_keeps_new_paths_there(
    redis_url: str, redis_client: redis.Redis, worker: HealingWorker
) -> None:
    code, out, err = command(redis_url, "merge", "/:locale/cart")
    assert (code, out, err) == (0, "5 rows merged into /:locale/cart\n", "")
    assert table(redis_client, "shop") == {"/:locale/cart": 3, "/about": 1, "(not found)": 4}
    assert table(redis_client) == {"/:locale/cart": 4, "/about": 1, "(not found)": 4}
    assert table(redis_client, "blog") == {"/:locale/cart": 1}
    worker.count(requests_for(["/es/cart", "/de/cart"], app="shop"))
    assert table(redis_client, "shop")["/:locale/cart"] == 5
    assert redis_client.llen(keys.ROUTE_MOVES) == 0


def test_merge_and_drop_can_be_of_one_app_alone(
    redis_url: str, redis_client: redis.Redis, worker: HealingWorker
) -> None:
    assert command(redis_url, "merge", "/:locale/cart", "--app", "shop")[0] == 0
    assert table(redis_client)["/fr/cart"] == 3
    assert command(redis_url, "drop", "/about", "--app", "shop")[:2] == (0, "1 row added to (other)\n")
    assert table(redis_client, "shop") == {"/:locale/cart": 3, "(not found)": 4, "(other)": 1}
    worker.count(requests_for(["/about"], app="shop"))
    assert table(redis_client, "shop")["/about"] == 1


def test_forget_learned_gives_new_paths_rows_again(
    redis_url: str, redis_client: redis.Redis, worker: HealingWorker
) -> None:
    worker.count(requests_for(POSTS))
    worker.tend()
    assert command(redis_url, "forget-learned", "--all")[:2] == (0, "1 template forgotten\n")
    worker.count(requests_for(POSTS))
    worker.tend()
    assert table(redis_client)["/blog/post-7-x"] == 1
    assert "forgotten" in command(redis_url, "list")[1]
    assert command(redis_url, "merge", "/blog/:name")[0] == 0
    assert table(redis_client)["/blog/:name"] == 120


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["merge"], "give one pattern"),
        (["merge", "/a", "/b"], "give one pattern"),
        (["merge", "blog/:name"], "must start with /"),
        (["merge", "/*rest/x"], "may have a *rest only at its end"),
        (["merge", "/blog/name"], "a pattern has a :name or a *rest in it"),
        (["drop"], "give the routes"),
        (["forget-learned"], "give templates"),
        (["forget-learned", "/a", "--all"], "give templates"),
        (["list", "/a"], "takes no routes"),
    ],
)
def test_bad_usage_says_what_is_expected(redis_url: str, words: list[str], said: str) -> None:
    code, out, err = command(redis_url, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_what_is_not_there_is_said(redis_url: str, worker: HealingWorker) -> None:
    assert command(redis_url, "merge", "/nothing/:here")[::2] == (1, "no row matches /nothing/:here\n")
    code, out, err = command(redis_url, "drop", "/about", "/nothing")
    assert (code, out, err) == (1, "2 rows added to (other)\n", "/nothing: no such row\n")
    assert command(redis_url, "forget-learned", "/x/:name")[::2] == (1, "/x/:name: no such template\n")
    assert command(redis_url, "list", "--app", "nope")[0] == 1


def test_a_redis_that_is_unreachable_is_one_line() -> None:
    code, _, err = command("redis://:SECRET@127.0.0.1:1/0", "list")
    assert code == 1
    assert err.startswith("Redis at redis://********@127.0.0.1:1/0: ")
    assert err.count("\n") == 1
