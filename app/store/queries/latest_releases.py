"""The latest release of each app, for what asks often: four round trips, whatever is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import redis

from app.platform.joined import Identified, joined
from app.platform.release import Release
from app.store import keys, replies
from app.store.event_rows import ACTIONS, RELEASES, SLOT_MAX_MS, unpack
from app.store.queries.stored_events import apps_with_events, checked

NEWEST_READ = 12
"""Rows of an app: a release and what explains it are two or three of the newest."""

ACTIONS_READ = 24
"""Rows of what was done since then: whether the commands of a release failed is among them."""

Rows = list[Identified]


def latest_release(store: redis.Redis, app: str) -> Release | None:
    """The latest of one app, or with "" of all. As `latest_releases`."""
    found = latest_releases(store, [app] if app else apps_with_events(store)).values()
    return max(found, key=lambda release: (release.at_ms, release.version, release.app), default=None)


def latest_releases(store: redis.Redis, apps: Sequence[str]) -> dict[str, Release]:
    """App -> its latest release; those without one are left out. When its dynos were up is not known here:
    `find_release` knows. Raises redis.RedisError."""
    made = _newest(store, RELEASES, dict.fromkeys(apps, 0), NEWEST_READ)
    since_ms = {app: min(event.at_ms for _, event in rows) for app, rows in made.items() if rows}
    done = _newest(store, ACTIONS, since_ms, ACTIONS_READ)
    found = {app: joined([*made[app], *done[app]], app).releases for app in since_ms}
    return {app: releases[-1] for app, releases in found.items() if releases}


def _newest(store: redis.Redis, table: str, since_ms: Mapping[str, int], most: int) -> dict[str, Rows]:
    """The newest rows of this table of each app, at most so many, since then (Unix ms)."""
    pipeline = store.pipeline(transaction=False)
    for app, from_ms in since_ms.items():
        low = (from_ms - SLOT_MAX_MS) * 1000
        pipeline.zrevrangebyscore(keys.events(app, table), "+inf", low, start=0, num=most)
    ids = [replies.text_list(checked(answer) or []) for answer in pipeline.execute(raise_on_error=False)]
    known = [(app, some) for app, some in zip(since_ms, ids, strict=True) if some]
    for app, some in known:
        pipeline.hmget(keys.event_facts(app, table), some)
    found: dict[str, Rows] = {app: [] for app in since_ms}
    for (app, some), answer in zip(known, pipeline.execute(raise_on_error=False), strict=True):
        for identity, row in zip(some, checked(answer) or [], strict=False):
            found[app] += _events(identity, row)
    return found


def _events(identity: str, row: bytes | None) -> Iterator[Identified]:
    """The events of a row, each under an id of its own."""
    if row is None:
        return
    with contextlib.suppress(ValueError):  # Something else is under the table's name.
        stored = unpack(replies.text(row))
        for at_ms in stored.times_ms:
            yield f"{identity}.{at_ms}", replace(stored.event, at_ms=at_ms)
