"""States and samples in the atomic step: exactly once, in any order, and bounded."""

from __future__ import annotations

import pytest
import redis

from app.platform.facts import Event, Sample, Samples
from app.store import keys
from servers.figures import fill_facts

NOW_S = 4_102_444_800 // 3_600 * 3_600 + 1_800
"""Far ahead, so that Redis expires nothing of it by its own clock."""


def memory(dyno: str, at_s: float, mb: float, unit: str = "MB") -> Samples:
    return Samples(int(at_s * 1000), "dyno", dyno, "", (Sample("memory_total", mb, unit),))


def state(dyno: str, at_s: float, name: str) -> Event:
    return Event("state", int(at_s * 1000), "", dyno=dyno, state=name)


def test_a_dyno_is_in_the_platforms_table_of_names_and_not_in_that_of_requests(store: redis.Redis) -> None:
    fill_facts(store, "shop", [memory("web.1", NOW_S, 512), state("run.1234", NOW_S, "up")], NOW_S)
    assert store.zrange(keys.names("shop", "runtime"), 0, -1) == [b"web.1"]
    assert store.zrange(keys.names("shop", "one-offs"), 0, -1) == [b"run.1234"]
    assert store.zrange(keys.names("shop", "processes"), 0, -1) == [b"run", b"web"]
    assert not store.exists(keys.names("shop", "dynos"))


@pytest.mark.parametrize("kind", ["runtime", "one-offs", "processes", "addons"])
def test_keys_of_gauges_count_as_figures(kind: str) -> None:
    for app in ("", "shop"):
        digest = keys.name_digest(kind, "web.1")
        for key in (
            keys.windows(app, digest) + "60:0",
            keys.total(app, digest, keys.LATEST),
            keys.names(app, kind),
        ):
            assert keys.FIGURES_PATTERN.match(key.encode())
