"""Redis's answers as types, and names that are no UTF-8, which never keep anybody from the others."""

from __future__ import annotations

import time

import pytest
import redis

from app.log.memory import MemoryLog
from app.store import keys, queries, replies
from app.store.poison import count_failure, poison_keys
from app.store.queries.all_time import all_time
from app.store.replay import run, runs
from app.store.workers import all_workers

BAD = b"caf\xe9"
READ = "caf\N{REPLACEMENT CHARACTER}"


def test_hashes_lists_and_numbers() -> None:
    assert replies.texts({b"a": b"1", BAD: BAD}) == {"a": "1", READ: READ}
    assert replies.counts({b"a": b"1", BAD: b"-2"}) == {"a": 1, READ: -2}
    assert replies.sketch({b"317": b"4"}) == {317: 4}
    assert replies.text_list([b"a", BAD]) == ["a", READ]
    assert replies.entries([(b"1-0", {b"raw": BAD})]) == [("1-0", {b"raw": BAD})]
    assert replies.present(["a", "b"], [None, BAD]) == {"b": BAD}
    assert (replies.number(None), replies.number(b"7"), replies.number(7)) == (0, 7, 7)
    assert (replies.text(None), replies.text(BAD)) == ("", READ)
    assert replies.json_object(b'{"m' + BAD + b'": 1}') == {"m" + READ: 1}


def test_what_is_no_number_is_said_and_not_guessed() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        replies.counts({b"a": b"many"})


def test_every_reader_takes_names_that_are_no_utf8(redis_client: redis.Redis) -> None:
    store, now_s = redis_client, time.time()
    minute_s = int(now_s) // 60 * 60
    digest = "0" * 64
    for key in (keys.APPS, keys.LOSSES, keys.COUNTS, keys.group("metrics"), keys.loss_window(60, minute_s)):
        store.hset(key, BAD, 3)
    store.hset(keys.routes(""), BAD, digest)
    store.hset(keys.total("", digest, ":mix"), mapping={b"count": 3, b"m:" + BAD: 3})
    for name in ("::statuses", ":dynos", ":hosts"):
        store.hset(keys.total("", digest, name), BAD, 3)
    store.hset(keys.WORKERS, BAD, b'{"id": "' + BAD + b'"}')
    count_failure(store, "metrics", "f.1")
    store.hset(keys.poison_counts("metrics"), BAD, 2)
    store.zadd(keys.REPLAY_RUNS, {BAD: 1})
    store.hset(keys.replay_run("r", "info"), "target", BAD)
    store.hset(keys.replay_run("r", "skipped"), BAD, 3)

    assert [app.name for app in queries.apps(store).apps] == [READ]
    health = queries.health(store, now_s, MemoryLog(store), routes_max=9)
    assert health.losses_ever == health.losses_last_hour == {READ: 3}
    assert health.groups[0].totals == {READ: 3}
    (row,) = queries.routes_table(store, "", None, now_s).routes
    assert (row.route, row.figures.methods, row.figures.statuses) == (READ, {READ: 3}, {READ: 3})
    detail = queries.route_detail(store, "", digest, None, now_s)
    assert detail is not None
    assert (detail.dynos, detail.hosts) == ({READ: 3}, {READ: 3})
    assert all_time(store, "", [keys.ALL_ROUTES])[keys.ALL_ROUTES][0].statuses == {READ: 3}
    assert queries.memory(store, MemoryLog(store)).keys > 10
    assert all_workers(store, int(now_s * 1000)) == []
    assert poison_keys(store, "metrics") == {READ}
    assert runs(store) == []
    found = run(store, "r")
    assert found is not None
    assert (found.info, found.figures.skipped) == ({"target": READ}, {READ: 3})
