"""The latest release of each app, as `find_release` knows it, whatever else was said since."""

from __future__ import annotations

import time

import redis

from app.platform.facts import Event
from app.store import keys, queries
from servers.figures import SeenRequest, fill
from tests.support.platform_events import add, over_memory, released, scaled, up

NOW_S = time.time()
AT_MS = int(NOW_S * 1000) - 420_000


def deploy(at_ms: int, commit: str = "9154a1d2") -> Event:
    return Event("deploy", at_ms, f"Deploy {commit}", commit=commit)


def test_each_app_has_its_own_and_all_have_the_newest(redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(NOW_S, app=app) for app in ("shop", "api", "blog")], NOW_S)
    shop = [released(AT_MS - 1_000, 41), deploy(AT_MS, "9154a1d2"), released(AT_MS, 42), up(AT_MS + 30_000)]
    add(redis_client, {"shop": shop, "api": [released(AT_MS - 5_000, 7)]}, NOW_S)
    found = queries.latest_releases(redis_client, ["shop", "api", "blog", ""])
    assert {app: (release.version, release.commit) for app, release in found.items()} == {
        "shop": (42, "9154a1d2"),
        "api": (7, ""),
    }
    newest = queries.latest_release(redis_client, "")
    assert newest is not None
    assert (newest.app, newest.version) == ("shop", 42)
    assert queries.latest_release(redis_client, "blog") is None
    as_found = queries.find_release(redis_client, "shop", 0, NOW_S)
    assert as_found is not None
    assert (as_found.version, as_found.text, as_found.at_ms) == (42, found["shop"].text, found["shop"].at_ms)


def test_many_other_events_since_do_not_hide_it(redis_client: redis.Redis) -> None:
    since = [scaled(AT_MS + 1_000 * at, f"web@{at}:Standard-1X") for at in range(1, 300)]
    since += [over_memory(AT_MS + 1_000 * at, f"web.{at}") for at in range(1, 300)]
    add(redis_client, {"shop": [released(AT_MS, 42), deploy(AT_MS), *since]}, NOW_S)
    found = queries.latest_releases(redis_client, ["shop"])["shop"]
    assert (found.version, found.commit) == (42, "9154a1d2")


def test_a_release_whose_commands_failed_is_none(redis_client: redis.Redis) -> None:
    running = Event("command", AT_MS, "Running release v43 commands", version=43, state="started")
    failed = Event("command", AT_MS + 9_000, "Release v43 command failed", version=43, state="failed")
    add(redis_client, {"shop": [released(AT_MS - 60_000, 42), deploy(AT_MS, "bad"), running, failed]}, NOW_S)
    found = queries.latest_releases(redis_client, ["shop"])["shop"]
    as_found = queries.find_release(redis_client, "shop", 0, NOW_S)
    assert found.version == 42
    assert as_found is not None
    assert as_found.version == 42


def test_another_programs_key_is_passed_over(redis_client: redis.Redis) -> None:
    redis_client.set(keys.events("shop", "releases"), "x")
    add(redis_client, {"api": [released(AT_MS, 7)]}, NOW_S)
    assert list(queries.latest_releases(redis_client, ["shop", "api"])) == ["api"]
