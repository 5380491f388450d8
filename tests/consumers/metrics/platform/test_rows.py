"""From the platform's messages to what an app's events are in Redis."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from app.message import RouterMessage
from app.platform.facts import Event
from app.store import keys, queries
from app.store.apply import Changes, apply
from app.store.bounds import APPS_MAX, OTHER
from app.store.claims import offsets_claim
from app.store.event_rows import EVENT_TIMES, TABLES
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from consumers.metrics.platform import rows as rows_module
from servers.messages import router_line, router_message
from tests.consumers.metrics.test_aggregate import ROUTE_OF, EveryName
from tests.support.platform_events import GROUP, R14, contents, moments, stored
from tests.support.stored import text_hash

NOW_S = time.time() // 60 * 60
_numbers = itertools.count()


def said(
    line: str, at_s: float = NOW_S, procid: str = "api", app: str = "shop", **more: Any
) -> RouterMessage:
    """What the platform says about an app, or about a dyno."""
    of = {"app_name": "app" if procid == "api" else "heroku", "procid": procid, "app": app}
    return router_message(line, at_s, **of | {"id": f"f.{next(_numbers)}"} | more)


def request(app: str = "shop") -> RouterMessage:
    return router_message(router_line("/"), NOW_S, app=app, id=f"f.{next(_numbers)}")


def count(
    store: redis.Redis, platform: Sequence[RouterMessage], router: Sequence[RouterMessage] = ()
) -> Changes:
    """One batch of a worker."""
    changes = Aggregator(ROUTE_OF, Admission(store, 500)).changes(router, int(NOW_S), platform)
    at = int(store.hget(keys.positions(GROUP), "0") or 0)
    claim = offsets_claim(keys.positions(GROUP), [(0, at, at + 1, at > 0)])
    assert apply(store, GROUP, claim, changes, 500)
    return changes


def deploy(
    at_s: float, version: int = 42, commit: str = "9154a1d2", app: str = "shop"
) -> list[RouterMessage]:
    """A release, and what is said with it."""
    dyno: dict[str, Any] = {"procid": "web.1", "app": app}
    return [
        said(f"Release v{version} created by user a@example.com", at_s, app=app),
        said(f"Deploy {commit} by user a@example.com", at_s, app=app),
        said("Restarting", at_s + 0.5, **dyno),
        said("State changed from up to starting", at_s + 0.6, **dyno),
        said("Stopping all processes with SIGTERM", at_s + 1, **dyno),
        said("Process exited with status 143", at_s + 3, **dyno),
        said("Starting process with command `bundle exec puma --token secret`", at_s + 9, **dyno),
        said("State changed from starting to up", at_s + 20, **dyno),
    ]


def test_a_release_is_there_with_its_deploy_and_its_dynos(redis_client: redis.Redis) -> None:
    changes = count(redis_client, deploy(NOW_S - 60), [request()])
    assert changes.totals == {"messages": 1, "platform_messages": 8}
    found = queries.events(redis_client, "shop", None, NOW_S)
    (release,) = found.releases
    assert (release.version, release.commit, release.at_ms) == (42, "9154a1d2", (NOW_S - 60) * 1000)
    assert release.up_ms == (NOW_S - 40) * 1000
    assert len(found.rows) == 6
    assert not any("secret" in row.text for row in found.rows)
    assert text_hash(redis_client, keys.group(GROUP))["platform_messages"] == "8"
    assert text_hash(redis_client, keys.APPS) == {"shop": "1"}


def test_a_batch_may_have_no_router_line_at_all(redis_client: redis.Redis) -> None:
    changes = count(redis_client, [said("State changed from starting to up", procid="worker.1")])
    assert changes.totals == {"platform_messages": 1}
    assert (changes.rows, changes.apps) == ([], {"shop": 0})
    assert text_hash(redis_client, keys.APPS) == {"shop": "0"}


@pytest.mark.parametrize("seed", range(5))
def test_it_does_not_matter_how_the_messages_are_split_and_ordered(
    redis_client: redis.Redis, seed: int
) -> None:
    chance = random.Random(seed)
    messages = [
        *deploy(NOW_S - 4_000, 41, "8154a1d2"),
        *deploy(NOW_S - 60),
        *(said(R14, NOW_S - at * 21, "web.2") for at in range(90)),
    ]
    count(redis_client, messages)
    whole, read = contents(redis_client, "shop"), queries.events(redis_client, "shop", None, NOW_S)
    assert [release.commit for release in read.releases] == ["9154a1d2", "8154a1d2"]
    assert next(row.count for row in read.rows if row.dyno == "web.2") == 90
    redis_client.flushall()
    chance.shuffle(messages)
    while messages:
        size = chance.randint(1, 30)
        count(redis_client, messages[:size])
        del messages[:size]
    assert contents(redis_client, "shop") == whole
    assert queries.events(redis_client, "shop", None, NOW_S) == read


def test_the_same_messages_in_other_frames_are_the_same_events(redis_client: redis.Redis) -> None:
    messages = [*deploy(NOW_S - 60), *(said(R14, NOW_S - at * 21, "web.2") for at in range(EVENT_TIMES))]
    count(redis_client, messages)
    whole = contents(redis_client, "shop")
    for _ in range(2):
        count(redis_client, [{**message, "id": f"other.{next(_numbers)}"} for message in messages])
    assert contents(redis_client, "shop") == whole


@pytest.mark.parametrize(
    ("timestamp", "received_s", "at_s"),
    [
        (None, NOW_S, NOW_S),
        ("2092-01-01T00:00:00+00:00", NOW_S, NOW_S),
        ("no time", NOW_S, NOW_S),
        ("", NOW_S - 50, NOW_S - 50),
        ("1969-12-31T23:59:59+00:00", NOW_S - 50, NOW_S - 50),
    ],
)
def test_where_the_clock_is_broken_the_arrival_counts(
    redis_client: redis.Redis, timestamp: str | None, received_s: float, at_s: float
) -> None:
    stamped: dict[str, Any] = {} if timestamp is None else {"timestamp": timestamp}
    count(redis_client, [said("Build started by user x", received_at=int(received_s * 1000), **stamped)])
    (row,) = queries.events(redis_client, "shop", None, NOW_S).rows
    assert row.at_ms == at_s * 1000


@pytest.mark.parametrize(("ahead_ms", "is_own"), [(3_600_000, True), (3_600_001, False)])
def test_a_message_may_be_an_hour_ahead_of_its_arrival(
    redis_client: redis.Redis, ahead_ms: int, is_own: bool
) -> None:
    at_ms = int(NOW_S * 1000)
    count(redis_client, [said("Build started by user x", NOW_S, received_at=at_ms - ahead_ms)])
    ((row,),) = [stored(redis_client, "shop", "actions")]
    assert row.event.at_ms == (at_ms if is_own else at_ms - ahead_ms)


def test_what_is_older_than_all_that_is_kept_is_left_out(redis_client: redis.Redis) -> None:
    count(redis_client, [said("Build started by user x", NOW_S - 40 * 86_400)])
    assert [stored(redis_client, "shop", table) for table in TABLES] == [[], [], []]
    assert text_hash(redis_client, keys.group(GROUP)) == {"platform_messages": "1"}


def test_what_says_nothing_that_is_kept_is_counted(redis_client: redis.Redis) -> None:
    lines = [said("", procid="web.1"), said("what an app prints", procid="x y"), said("  ")]
    odd: list[Any] = [{**said("x"), "procid": value} for value in (None, 7, ["api"])]
    changes = count(redis_client, [*lines, *odd, said("Build started by user x")])
    assert changes.totals == {"platform_messages": 7, "platform_unread": 6}
    assert len(stored(redis_client, "shop", "actions")) == 1


def test_apps_beyond_their_number_share_one_place(redis_client: redis.Redis) -> None:
    redis_client.hset(keys.APPS, mapping={f"app{at}": 1 for at in range(APPS_MAX - 1)})
    apps = ("first", "second", "no app!", "")
    messages = [said("Scaled to web@3:Basic by user x", NOW_S - at, app=app) for at, app in enumerate(apps)]
    count(redis_client, messages)
    found = {
        app: len(moments(stored(redis_client, app, "actions"))) for app in ("first", "second", OTHER, "")
    }
    assert found == {"first": 1, "second": 0, OTHER: 3, "": 0}
    assert redis_client.hlen(keys.APPS) == APPS_MAX + 1


def test_whatever_is_in_a_message_does_no_harm(redis_client: redis.Redis) -> None:
    chance = random.Random(7)
    words = ("Release v", "9" * 400, " created", "\x00", "\ud800", "\u202e", "State changed from ", " to ")
    messages = [
        said("".join(chance.choices(words, k=chance.randint(1, 9))), procid=procid)
        for procid in ("api", "web.1", "web.1\x1b", "")
        for _ in range(100)
    ]
    changes = count(redis_client, messages)
    assert changes.totals["platform_messages"] == 400
    assert "refused" not in text_hash(redis_client, keys.group(GROUP))
    for row in queries.events(redis_client, "shop", None, NOW_S).rows:
        assert row.text.isprintable()
        assert row.dyno.isprintable()


def test_the_cursor_tells_which_message_is_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = [0]
    places: list[int] = []

    def parse(message: RouterMessage) -> Event | None:
        places.append(cursor[0])
        return None

    monkeypatch.setattr(rows_module, "parse", parse)
    Aggregator(ROUTE_OF, EveryName(), cursor).changes(
        [request(), request()], int(NOW_S), [said("a"), said("b")]
    )
    assert (places, cursor[0]) == ([3, 4], 0)


def test_events_of_one_app_cost_others_nothing(redis_client: redis.Redis) -> None:
    """A flood of one leaves what the others have."""
    count(redis_client, deploy(NOW_S - 60, app="blog"))
    before = contents(redis_client, "blog")
    line = "State changed from starting to up"
    count(redis_client, [said(line, NOW_S - at, f"web.{at}") for at in range(3_000)])
    assert contents(redis_client, "blog") == before
    found = queries.events(redis_client, "", None, NOW_S)
    assert [release.version for release in found.releases] == [42]
