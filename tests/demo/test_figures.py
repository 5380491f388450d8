"""What the page of a demo shows: a healthy app, its last hour, and a replay with one slower route."""

from __future__ import annotations

import json
import re
import statistics
import urllib.request
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
import redis

from app.platform.facts import Event
from app.platform.joined import joined
from app.platform.lines import parse
from app.router_line import milliseconds, timestamp_ms
from app.router_line import parse as parse_line
from app.settings import Settings
from app.store.keys import digest
from demo import __main__ as demo_main
from servers import history
from servers.platform_story import (
    APP,
    FIRST_VERSION,
    LEAKING_DYNO,
    RELEASES_A_CYCLE,
    SLOWER_PATH,
    SLOWER_TIMES,
    Story,
)
from servers.processes import ROOT, Process, Processes, wait_until
from servers.shop_target import SLOWER
from tests.support.stored import text_hash

NOW_S = 1_800_000_000
MINUTES = 60
RATE = 50


def ask(demo: Process, path: str) -> Any:
    """What the API of the running demo answers."""
    address = re.search(r"open (\S+)/\n", demo.output)
    password = re.search(r"password: (\S+)\n", demo.output)
    assert address is not None
    assert password is not None
    login = {"Authorization": f"Basic {b64encode(f'demo:{password[1]}'.encode()).decode()}"}
    with urllib.request.urlopen(
        urllib.request.Request(address[1] + path, headers=login), timeout=20
    ) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_a_demo_shows_the_hour_before_it_and_a_replay_with_one_slower_route(
    processes: Processes, demo_command: list[str]
) -> None:
    demo = processes.start_command("demo", [*demo_command, "--rate", str(RATE)], ROOT)
    demo.wait_for_output("simulated requests of the last 60 minutes", 120)

    def has_an_hour() -> bool:
        return bool(ask(demo, "/api/routes?window=1h")["total"]["count"] > RATE * 0.7 * 3_600)

    wait_until(has_an_hour, "hour of requests", 60)
    total = ask(demo, "/api/routes?window=1h")["total"]
    assert total["service"]["p50"] < total["service"]["p95"] < 1_000
    assert 0 < total["error_rate"] < 0.01
    assert total["statuses"]["404"] > 100

    def routes() -> dict[str, Any]:
        return {route["route"]: route for route in ask(demo, "/api/replay/live")["routes"]}

    wait_until(lambda: routes().get(SLOWER, {"sent": 0})["sent"] >= 40, "replayed searches", 120)
    found = routes()
    assert found[SLOWER]["p50_change"]["share"] > 0.4
    # The others are as the original, but for what a busy machine adds to each.
    assert found["/products/:id"]["p50_change"]["share"] < 0.4
    assert sum(route["status_changed"] for route in found.values()) <= 0.02 * sum(
        route["sent"] for route in found.values()
    )

    def judged() -> list[Any]:
        return [run for run in ask(demo, "/api/replay")["runs"] if run["info"].get("verdict")]

    wait_until(lambda: bool(judged()), "a replay with a verdict", 120)
    run = ask(demo, f"/api/replay/{judged()[0]['id']}")
    rows = {route["route"]: route for route in run["routes"]}
    assert rows[SLOWER]["p95_change"]["share"] > 0.4
    crossed = {found["route"] for found in run["result"]["findings"] if found["state"] == "crossed"}
    assert crossed <= {SLOWER, ""}
    assert run["total"]["answered"] == run["total"]["sent"] > RATE * 20
    assert "A replay with thresholds: python -m app replay --from 35s --speed 2 --to http" in demo.output


def test_the_replay_with_thresholds_sends_no_more_of_a_demo_with_more_traffic() -> None:
    def sample(rate: float) -> float:
        flags = demo_main._gate_flags(rate, "http://127.0.0.1:1")
        return float(flags[flags.index("--sample") + 1])

    assert [sample(rate) for rate in (0, 20, 100, 200, 1_000)] == [1, 1, 1, 0.5, 0.1]


@pytest.fixture
def counted(redis_client: redis.Redis, redis_url: str) -> int:
    """How many requests of an hour were counted into Redis."""
    return history.fill(redis_client, Settings(redis_url=redis_url), rate=5, minutes=MINUTES, until_s=NOW_S)


def test_the_history_counts_as_a_workers_own_figures(redis_client: redis.Redis, counted: int) -> None:
    assert 5 * 0.65 * 3_600 < counted < 5 * 3_600
    assert redis_client.hget("tailrace:group:metrics", "messages") == str(counted).encode()
    assert {"/", "/products/:id", "/search", "/checkout"} <= set(text_hash(redis_client, "routes"))
    statuses = text_hash(redis_client, f"{digest('/products/:id')}::statuses")
    assert int(statuses["404"]) / int(statuses["200"]) == pytest.approx(0.025, abs=0.02)
    # Nothing is left that is not a figure: no position, no message for the replay.
    assert redis_client.keys("*positions*") == []
    assert redis_client.keys("tailrace:log*") == []


def test_the_history_is_newest_first_and_has_no_step_to_the_traffic_of_now() -> None:
    batches = [batch for batch, _ in history.batches(100, 30, NOW_S)]
    newest = [max(message["timestamp"] for message in batch) for batch in batches]
    assert all(later > earlier for later, earlier in pairwise(newest))
    assert history.requests_s(100, 0) == 100
    counts = [len(batch) / 60 for batch in batches]
    assert counts[0] == pytest.approx(100, rel=0.1)
    assert all(abs(one - other) < 15 for one, other in pairwise(counts))
    assert min(counts) < 80


def test_the_platform_tells_of_the_same_hour() -> None:
    told = [message for _, platform in history.batches(1, MINUTES, NOW_S) for message in platform]
    assert len({message["id"] for message in told}) == len(told)
    assert {message["app"] for message in told} == {APP}
    events = [(message["id"], fact) for message in told if isinstance(fact := parse(message), Event)]
    found = joined(events, APP).releases
    first = FIRST_VERSION + 1
    assert [release.version for release in found] == list(range(first, first + 3 * RELEASES_A_CYCLE))
    assert [release.cause for release in found] == ["deploy", "deploy", "rollback", "config"] * 3
    assert all(release.up_ms and release.up_ms - release.at_ms < 30_000 for release in found)
    assert all((NOW_S - 3_600) * 1000 <= release.at_ms < NOW_S * 1000 for release in found)
    for code in ("R14", "R15"):
        assert {event.dyno for _, event in events if event.code == code} == {LEAKING_DYNO}
    assert not any(event.user for _, event in events)


def test_the_bad_release_makes_its_route_slower_and_no_other() -> None:
    story = Story(2, NOW_S - 3_600)
    medians: dict[tuple[str, bool], list[float]] = {}
    for batch, _ in history.batches(20, MINUTES, NOW_S):
        for message in batch:
            line = parse_line(message["msg"])
            assert line is not None
            if line.path in (SLOWER_PATH, "/products") and line.method == "GET" and not line.code:
                at_ms = timestamp_ms(message["timestamp"])
                assert at_ms is not None
                is_slower = bool(story.slower(at_ms / 1000))
                medians.setdefault((line.path, is_slower), []).append(milliseconds(line.service) or 0)
    found = {key: statistics.median(values) for key, values in medians.items()}
    assert found[SLOWER_PATH, True] / found[SLOWER_PATH, False] == pytest.approx(SLOWER_TIMES, rel=0.15)
    assert found["/products", True] / found["/products", False] == pytest.approx(1, rel=0.15)


def test_a_failure_of_the_router_is_never_the_same_one_twice() -> None:
    lines = [message["msg"] for batch, _ in history.batches(100, 10, NOW_S) for message in batch]
    failed = [line for line in lines if " code=" in line]
    assert len(set(failed)) == len(failed)
    assert 0.0005 < len(failed) / len(lines) < 0.005
