"""Samples as they must be at the end, worked out in plain Python: each is a line that was sent, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis

from app.store import keys, queries
from servers.processes import wait_until
from tests.end_to_end.frames import Frame
from tests.support.reference import pairs_of
from tests.support.sample_reference import SampleReference

IsNotFound = Callable[[str, str], bool]
"""Of an app's route: it counts in `(not found)`."""


def check_samples(store: redis.Redis, made: Sequence[Frame], now_s: float, is_not_found: IsNotFound) -> None:
    wait_until(lambda: not store.llen(keys.journal("metrics")), "end of the journal", 60)
    reference = SampleReference(now_s, is_not_found=is_not_found)
    for frame in made:
        reference.add_all(frame.messages)
    assert reference.differences(store) == []


def check_query(store: redis.Redis, made: Sequence[Frame], now_s: float) -> None:
    """What the API gives are requests that were sent, and the slowest is the slowest of its app."""
    lines = [(pairs_of(message["msg"]), message["app"]) for frame in made for message in frame.messages]
    sent = {pairs["request_id"]: app for pairs, app in lines}
    times = {
        pairs["request_id"]: float(pairs["service"][:-2]) for pairs, _ in lines if pairs["status"] != "101"
    }
    for app in ("", "shop"):
        found = queries.samples(store, app, keys.ALL_ROUTES, None, now_s + 60)
        assert found.slowest
        assert found.failed
        assert found.slowest[0].service_ms == max(times[id] for id in times if app in ("", sent[id]))
        for sample in found.slowest + found.failed:
            assert sent[sample.request_id] == sample.app
            assert not app or sample.app == app
