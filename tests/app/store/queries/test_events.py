"""Events of a span: releases with what explains them, and all else, newest first and not too many."""

from __future__ import annotations

import time

import pytest
import redis

from app.platform.facts import Event
from app.store import apply as apply_module
from app.store import keys, queries, replies
from app.store.bounds import APPS_MAX
from app.store.event_rows import TABLES
from app.store.queries import stored_events
from app.store.queries.events import RELEASES_MAX, ROWS_MAX
from app.store.queries.spans import Span
from tests.support.platform_events import add, over_memory, released, scaled, up

NOW_S = int(time.time())
NOW_MS = NOW_S * 1000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def deployed(at_ms: int, commit: str = "9154a1d2") -> Event:
    return Event("deploy", at_ms, f"Deploy {commit}", commit=commit)


def changed(at_ms: int, before: str, after: str, dyno: str = "web.1") -> Event:
    return Event("state", at_ms, f"State changed from {before} to {after}", dyno, state=after)


def exited(at_ms: int, status: int = 143, dyno: str = "web.1") -> Event:
    return Event("exit", at_ms, f"Process exited with status {status}", dyno, status=status)


def switch_over(at_ms: int, dyno: str = "web.1") -> list[Event]:
    return [
        changed(at_ms + 1_000, "up", "starting", dyno),
        exited(at_ms + 3_000, dyno=dyno),
        changed(at_ms + 20_000, "starting", "up", dyno),
    ]


def last(minutes: int) -> Span:
    return Span(minutes * 60)


def ended(minutes_ago: int, minutes: int) -> Span:
    return Span(minutes * 60, NOW_S - minutes_ago * 60)


def test_nothing_was_said(redis_client: redis.Redis) -> None:
    found = queries.events(redis_client, "shop", None, NOW_S)
    assert (found.releases, found.rows, found.left_out, found.kept_from_ms) == ([], [], 0, None)
    assert queries.find_release(redis_client, "shop", 0, NOW_S) is None
    assert queries.events(redis_client, "", last(60), NOW_S).rows == []


def test_a_release_comes_with_its_deploy_and_the_rest_is_newest_first(redis_client: redis.Redis) -> None:
    at_ms = NOW_MS - 10 * MINUTE_MS
    said = [
        *(released(at_ms, 42), deployed(at_ms), *switch_over(at_ms)),
        *(scaled(NOW_MS - 5 * MINUTE_MS), exited(NOW_MS - 2 * MINUTE_MS, 0, "scheduler.1")),
    ]
    add(redis_client, {"shop": said}, NOW_S)
    found = queries.events(redis_client, "shop", last(60), NOW_S)
    (release,) = found.releases
    assert (release.version, release.commit, release.at_ms) == (42, "9154a1d2", at_ms)
    assert (release.app, release.cause, release.up_ms) == ("shop", "deploy", at_ms + 20_000)
    assert [(row.kind, row.dyno, row.at_ms) for row in found.rows] == [
        ("exit", "scheduler.1", NOW_MS - 2 * MINUTE_MS),
        ("scale", "", NOW_MS - 5 * MINUTE_MS),
        ("state", "web.1", at_ms + 20_000),
        ("exit", "web.1", at_ms + 3_000),
        ("state", "web.1", at_ms + 1_000),
    ]
    assert found.rows[0].status == 0
    assert found.rows[1].names == ("web@3:Standard-1X",)
    assert {row.app for row in found.rows} == {"shop"}
    assert len({row.id for row in found.rows}) == 5
    assert queries.events(redis_client, "blog", last(60), NOW_S).rows == []


@pytest.mark.parametrize("ends_after_ms", [5_000, 500, 1])
def test_what_explains_a_release_may_lie_beyond_the_span(
    redis_client: redis.Redis, ends_after_ms: int
) -> None:
    """Its deploy, its commands, its dynos and the next release."""
    at_ms = (NOW_S - 7_200) * 1000 - ends_after_ms
    said = [
        Event("command", at_ms - 30_000, "Running release v42 commands", version=42, state="started"),
        *(deployed(at_ms - 30_000), released(at_ms, 42), *switch_over(at_ms)),
        released(at_ms + HOUR_MS, 43),
    ]
    add(redis_client, {"shop": said}, NOW_S)
    for span in (ended(120, 60), Span(10, NOW_S - 7_200)):
        (release,) = queries.events(redis_client, "shop", span, NOW_S).releases
        assert (release.version, release.commit) == (42, "9154a1d2")
        assert (release.up_ms, release.next_ms) == (at_ms + 20_000, at_ms + HOUR_MS)
        (of_all,) = queries.events(redis_client, "", span, NOW_S).releases
        assert (of_all.commit, of_all.up_ms) == (release.commit, release.up_ms)
    later = queries.events(redis_client, "shop", ended(119, 1), NOW_S)
    assert later.releases == []
    assert [row.kind for row in later.rows] == ["state", "exit", "state"][: len(later.rows)]


def test_a_span_has_the_events_from_its_first_to_before_its_last_moment(redis_client: redis.Redis) -> None:
    end_ms = NOW_MS - HOUR_MS
    add(
        redis_client,
        {"shop": [up(end_ms - 60_000 + at, f"web.{at}") for at in (-1, 0, 59_999, 60_000)]},
        NOW_S,
    )
    found = queries.events(redis_client, "shop", Span(60, NOW_S - 3_600), NOW_S)
    assert [row.dyno for row in found.rows] == ["web.59999", "web.0"]
    assert (found.from_s, found.to_s) == (NOW_S - 3_660, NOW_S - 3_600)


def test_an_event_whose_clock_is_a_little_ahead_is_there_already(redis_client: redis.Redis) -> None:
    add(redis_client, {"shop": [up(NOW_MS + 1_500), released(NOW_MS + 1_500, 2)]}, NOW_S)
    found = queries.events(redis_client, "shop", last(1), NOW_S)
    assert len(found.rows) == len(found.releases) == 1


def test_an_error_that_goes_on_is_one_row_until_it_ends(redis_client: redis.Redis) -> None:
    going = [NOW_MS - at * 21_000 for at in range(300)]
    earlier = [NOW_MS - 5 * HOUR_MS - at * 21_000 for at in range(10)]
    said = [over_memory(at_ms) for at_ms in (*going, *earlier)] + [over_memory(going[7], "web.2")]
    add(redis_client, {"shop": said}, NOW_S)
    found = queries.events(redis_client, "shop", None, NOW_S)
    assert [(row.dyno, row.count, row.at_ms, row.until_ms) for row in found.rows] == [
        ("web.1", 300, going[-1], going[0]),
        ("web.2", 1, going[7], going[7]),
        ("web.1", 10, earlier[-1], earlier[0]),
    ]
    assert found.rows[0].code == "R14"


def test_a_crash_loop_is_a_row_for_each_sentence_and_a_few_restarts_are_not(
    redis_client: redis.Redis,
) -> None:
    crashes = [NOW_MS - at * 5 * MINUTE_MS for at in range(40)]
    said = [event for at_ms in crashes for event in (changed(at_ms, "up", "crashed"), exited(at_ms - 5, 1))]
    restarts = [NOW_MS - 12 * HOUR_MS + at * 5 * MINUTE_MS for at in range(3)]
    add(redis_client, {"shop": said + [up(at_ms, "web.2") for at_ms in restarts]}, NOW_S)
    rows = queries.events(redis_client, "shop", None, NOW_S).rows
    assert [(row.state or row.status, row.count, row.at_ms, row.until_ms) for row in rows] == [
        ("crashed", 40, crashes[-1], crashes[0]),
        (1, 40, crashes[-1] - 5, crashes[0] - 5),
        *(("up", 1, at_ms, at_ms) for at_ms in reversed(restarts)),
    ]


def test_two_starts_within_a_minute_are_two_events(redis_client: redis.Redis) -> None:
    at_ms = NOW_MS // MINUTE_MS * MINUTE_MS - MINUTE_MS
    add(redis_client, {"shop": [up(at_ms + 1_000), up(at_ms + 40_000)]}, NOW_S)
    rows = queries.events(redis_client, "shop", None, NOW_S).rows
    assert [(row.at_ms, row.until_ms, row.count) for row in rows] == [
        (at_ms + 40_000, at_ms + 40_000, 1),
        (at_ms + 1_000, at_ms + 1_000, 1),
    ]
    assert len({row.id for row in rows}) == 2


# --- all apps together -----------------------------------------------------------------------


def test_of_all_apps_each_has_its_own_releases(redis_client: redis.Redis) -> None:
    at_ms = NOW_MS - MINUTE_MS
    said = {
        app: [released(at_ms + at, 7), deployed(at_ms + at, f"{at:07}"), *switch_over(at_ms + at)]
        for at, app in enumerate(("shop", "blog", "", "(other)"))
    }
    add(redis_client, said, NOW_S)
    found = queries.events(redis_client, "", last(60), NOW_S)
    assert [(release.app, release.commit) for release in found.releases] == [
        *(("(other)", "0000003"), ("", "0000002"), ("blog", "0000001"), ("shop", "0000000"))
    ]
    assert [row.app for row in found.rows] == ["(other)", "", "blog", "shop"] * 3
    assert found.left_out == 0


def test_an_app_without_any_request_is_known(redis_client: redis.Redis) -> None:
    add(redis_client, {"worker-only": [up(NOW_MS)]}, NOW_S)
    assert [found.name for found in queries.apps(redis_client).apps] == ["worker-only"]
    (row,) = queries.overview(redis_client, last(60), NOW_S).apps
    assert (row.app, row.figures.count) == ("worker-only", 0)


def test_many_apps_cost_few_round_trips_and_a_bounded_number_of_rows(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_events, "ROWS_READ", 600)
    apps = [f"app{number}" for number in range(60)]
    said = {app: [up(NOW_MS - at * MINUTE_MS, f"web.{at}") for at in range(30)] for app in apps}
    add(redis_client, said, NOW_S)
    redis_client.config_resetstat()
    found = queries.events(redis_client, "", last(60), NOW_S)
    stats = redis_client.info("commandstats")
    assert stats["cmdstat_hmget"]["calls"] == len(apps)
    assert stats["cmdstat_zrevrangebyscore"]["calls"] == len(apps)
    assert len(found.rows) == ROWS_MAX
    assert len(found.rows) + found.left_out == 60 * 30
    # Each app's newest ten were read; of these 600 the newest 500 are shown.
    assert min(row.at_ms for row in found.rows) >= NOW_MS - 9 * MINUTE_MS
    assert {row.app for row in found.rows} == set(apps)


def test_apps_with_few_events_leave_their_share_to_the_others(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_events, "ROWS_READ", 100)
    said = {f"app{number}": [up(NOW_MS - number)] for number in range(20)}
    said["busy"] = [up(NOW_MS - at * MINUTE_MS, f"web.{at}") for at in range(200)]
    add(redis_client, said, NOW_S)
    found = queries.events(redis_client, "", None, NOW_S)
    assert len([row for row in found.rows if row.app == "busy"]) == 80
    assert found.left_out == 120


def test_as_many_apps_as_there_may_be_are_read_with_at_least_a_row_each(redis_client: redis.Redis) -> None:
    add(redis_client, {f"app{number}": [up(NOW_MS - number)] for number in range(APPS_MAX)}, NOW_S)
    found = queries.events(redis_client, "", last(60), NOW_S)
    assert [row.app for row in found.rows] == [f"app{number}" for number in range(ROWS_MAX)]
    assert found.left_out == APPS_MAX - ROWS_MAX


# --- many ------------------------------------------------------------------------------------


def test_of_many_releases_and_rows_the_newest_are_there_and_the_others_counted(
    redis_client: redis.Redis,
) -> None:
    releases = [released(NOW_MS - at * HOUR_MS, 400 - at) for at in range(300)]
    dynos = [up(NOW_MS - at * MINUTE_MS, f"web.{at}") for at in range(700)]
    add(redis_client, {"shop": [*releases, *dynos]}, NOW_S)
    found = queries.events(redis_client, "shop", None, NOW_S)
    assert [release.version for release in found.releases] == [400 - at for at in range(RELEASES_MAX)]
    assert [row.dyno for row in found.rows] == [f"web.{at}" for at in range(ROWS_MAX)]
    assert found.left_out == 100 + 200
    assert found.releases[0].next_ms is None
    assert found.releases[1].next_ms == NOW_MS


def test_how_far_back_events_go_is_said_of_the_spans_that_it_concerns(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_module, "EVENTS_MAX_BYTES", dict.fromkeys(TABLES, 3_000))
    said = [up(NOW_MS - at * MINUTE_MS, f"web.{at}") for at in range(60)]
    add(redis_client, {"shop": [*said, released(NOW_MS - 100 * MINUTE_MS, 1)]}, NOW_S)
    found = queries.events(redis_client, "shop", None, NOW_S)
    kept = len(found.rows)
    assert 5 < kept < 20
    assert found.kept_from_ms == NOW_MS - kept * MINUTE_MS + 1
    assert found.releases_kept_from_ms is None
    assert [release.version for release in found.releases] == [1]
    assert queries.events(redis_client, "shop", last(kept - 1), NOW_S).kept_from_ms is None
    assert queries.events(redis_client, "", None, NOW_S).kept_from_ms == found.kept_from_ms
    add(redis_client, {"shop": [released(NOW_MS - at * 1_000, 200 - at) for at in range(60)]}, NOW_S)
    found = queries.events(redis_client, "shop", None, NOW_S)
    oldest_ms = found.releases[-1].at_ms
    assert found.releases_kept_from_ms == oldest_ms - 999


def test_what_someone_else_has_under_a_key_is_passed_over(redis_client: redis.Redis) -> None:
    add(redis_client, {"shop": [up(NOW_MS), released(NOW_MS, 2)]}, NOW_S)
    (identity,) = replies.text_list(redis_client.zrange(keys.events("shop", "dynos"), 0, -1))
    redis_client.hset(keys.event_facts("shop", "dynos"), identity, b"\xff{")
    redis_client.set(keys.events("shop", "actions"), "mine")
    redis_client.set(keys.event_facts("blog", "dynos"), "mine")
    redis_client.zadd(keys.events("blog", "dynos"), {"x": NOW_MS * 1000})
    redis_client.hset(keys.APPS, "blog", 1)
    for app in ("shop", ""):
        found = queries.events(redis_client, app, None, NOW_S)
        assert [release.version for release in found.releases] == [2]
        assert found.rows == []
    assert queries.events(redis_client, "blog", None, NOW_S).rows == []


# --- one release -----------------------------------------------------------------------------


def test_a_release_is_found_by_its_version_and_the_latest_without_one(redis_client: redis.Redis) -> None:
    times = {version: NOW_MS - (10 - version) * HOUR_MS for version in (3, 4, 5)}
    said = [
        event for version, at_ms in times.items() for event in (released(at_ms, version), deployed(at_ms))
    ]
    add(redis_client, {"shop": [*said, *switch_over(times[4])]}, NOW_S)
    found = queries.find_release(redis_client, "shop", 4, NOW_S)
    assert found is not None
    assert (found.version, found.at_ms, found.commit) == (4, times[4], "9154a1d2")
    assert (found.up_ms, found.next_ms) == (times[4] + 20_000, times[5])
    latest = queries.find_release(redis_client, "shop", 0, NOW_S)
    assert latest is not None
    assert (latest.version, latest.up_ms, latest.next_ms) == (5, None, None)
    assert queries.find_release(redis_client, "shop", 6, NOW_S) is None
    assert queries.find_release(redis_client, "blog", 4, NOW_S) is None


def test_of_two_releases_of_a_version_the_latest_is_found(redis_client: redis.Redis) -> None:
    """An app that was destroyed and made again."""
    add(redis_client, {"shop": [released(NOW_MS - at * HOUR_MS, 2) for at in (5, 1)]}, NOW_S)
    found = queries.find_release(redis_client, "shop", 2, NOW_S)
    assert found is not None
    assert found.at_ms == NOW_MS - HOUR_MS


def test_of_all_apps_the_latest_release_is_found(redis_client: redis.Redis) -> None:
    add(redis_client, {"shop": [released(NOW_MS - 2, 9)], "blog": [released(NOW_MS - 1, 9)]}, NOW_S)
    found = queries.find_release(redis_client, "", 9, NOW_S)
    assert found is not None
    assert found.app == "blog"
