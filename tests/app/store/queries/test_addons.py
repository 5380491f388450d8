"""Add-ons in a span: latest values, and what was measured, from a real Redis."""

from __future__ import annotations

import pytest
import redis

from app.platform.facts import Sample, Samples
from app.store import queries
from app.store.bounds import ADDONS_MAX, MEASURES_MAX
from servers.figures import fill_facts
from tests.support.platform_facts import addon

DAY_S = 86_400


def test_an_addon_has_each_of_its_measures_with_its_unit(redis_client: redis.Redis, now_s: float) -> None:
    at_ms = int((now_s - 60) * 1000)
    values = (Sample("db_size", 90755887, "bytes"), Sample("index-cache-hit-rate", 0.99997, ""))
    facts = [
        Samples(at_ms, "heroku-postgres", "DATABASE", "postgresql-curly-1", values),
        Samples(
            at_ms - 60_000, "heroku-postgres", "DATABASE", "postgresql-curly-1", (Sample("db_size", 1, ""),)
        ),
        Samples(at_ms, "heroku-redis", "REDIS", "redis-oval-2", (Sample("hit-rate", 0.5, ""),)),
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    found = queries.addons(redis_client, "shop", queries.Span(3_600), now_s)
    assert [(row.app, row.kind, row.source, row.addon) for row in found.rows] == [
        ("shop", "heroku-postgres", "DATABASE", "postgresql-curly-1"),
        ("shop", "heroku-redis", "REDIS", "redis-oval-2"),
    ]
    size, rate = found.rows[0].values
    assert (size.name, size.unit, size.latest, size.latest_ms) == ("db_size", "bytes", 90755887, at_ms)
    assert (size.lowest, size.highest, size.average) == (1, 90755887, 45377900)
    assert (rate.name, rate.unit, rate.latest, rate.average) == ("index-cache-hit-rate", "", 0.99997, 0.99997)
    assert found.rows[0].values_left_out == 0
    assert found.left_out == 0


@pytest.mark.parametrize("seconds", [300, 3_600, DAY_S, 31 * DAY_S])
def test_a_spark_has_the_average_of_each_step(redis_client: redis.Redis, now_s: float, seconds: int) -> None:
    facts = [addon(now_s - at_s, {"load-avg-1m": 2.5}) for at_s in range(10, 5 * 3_600, 240)]
    fill_facts(redis_client, "shop", facts, now_s)
    found = queries.addons(redis_client, "shop", queries.Span(seconds), now_s)
    (load,) = found.rows[0].values
    assert {value for value in load.spark if value is not None} == {2.5}
    assert load.spark[-1] == 2.5
    steps = (found.to_s - found.from_s) / found.step_s
    assert abs(len(load.spark) - steps) <= 2


def test_an_addon_that_logged_nothing_in_the_span_is_not_in_it(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill_facts(redis_client, "shop", [addon(now_s - 5 * 3_600, {"size": 1})], now_s)
    assert queries.addons(redis_client, "shop", queries.Span(3_600), now_s).rows == []
    assert len(queries.addons(redis_client, "shop", None, now_s).rows) == 1
    past = queries.Span(7_200, int(now_s) - 4 * 3_600)
    assert len(queries.addons(redis_client, "shop", past, now_s).rows) == 1


def test_addons_of_all_apps_stand_side_by_side(redis_client: redis.Redis, now_s: float) -> None:
    for app in ("shop", "blog", ""):
        fill_facts(redis_client, app, [addon(now_s - 60, {"size": 1})], now_s)
    found = queries.addons(redis_client, "", queries.Span(3_600), now_s)
    assert [row.app for row in found.rows] == ["", "blog", "shop"]


def test_what_is_beyond_the_bounds_is_said(redis_client: redis.Redis, now_s: float) -> None:
    many = {f"measure-{at}": 1.0 for at in range(MEASURES_MAX + 7)}
    facts = [addon(now_s - 60, many, f"pg-{at:02}") for at in range(ADDONS_MAX + 3)]
    fill_facts(redis_client, "shop", facts, now_s)
    found = queries.addons(redis_client, "shop", queries.Span(3_600), now_s)
    assert len(found.rows) == ADDONS_MAX
    assert found.left_out == 1
    assert {len(row.values) for row in found.rows} == {MEASURES_MAX}
    assert {row.values_left_out for row in found.rows} == {7}
