"""What the platform says, as series: right names, nothing stale, nothing without bound."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client.metrics_core import Metric

from app.platform.release import Release
from app.store.queries import AddonRow, AddonValue, DynoRuntime
from drain.dashboard.platform_metrics import (
    ADDON_STALE_S,
    DYNO_STALE_S,
    MEASURES_MAX,
    addon_families,
    dyno_families,
    release_families,
)
from tests.app.cli.top.samples import runtime

NOW_S = 1_764_122_700.0
Series = dict[tuple[str, tuple[str, ...]], float]


def series(families: Iterable[Metric]) -> Series:
    """Name and labels -> value."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def sampled(ago_s: float = 20, share: float = 1.8, **further: object) -> DynoRuntime:
    return runtime(share, sampled_ms=int((NOW_S - ago_s) * 1000), **further)


def test_memory_is_in_bytes_and_each_measure_is_a_metric_of_its_own() -> None:
    found = series(dyno_families({("shop", "web.3"): sampled(restarts=4, r14=57, r15=2)}, NOW_S))
    web = ("shop", "web.3")
    assert found == {
        ("tailrace_dyno_up", web): 1,
        ("tailrace_dyno_sampled_timestamp_seconds", web): NOW_S - 20,
        ("tailrace_dyno_memory_bytes", web): pytest.approx(1.8 * 512 * 2**20),
        ("tailrace_dyno_memory_rss_bytes", web): 500 * 2**20,
        ("tailrace_dyno_memory_swap_bytes", web): pytest.approx((1.8 * 512 - 500) * 2**20),
        ("tailrace_dyno_memory_quota_bytes", web): 512 * 2**20,
        ("tailrace_dyno_load1", web): 2.456,
        ("tailrace_dyno_load5", web): 1.06,
        ("tailrace_dyno_load15", web): 0.99,
        ("tailrace_dyno_restarts_last_hour", web): 4,
        ("tailrace_dyno_crashes_last_hour", web): 0,
        ("tailrace_dyno_memory_errors_last_hour", (*web, "R14")): 57,
        ("tailrace_dyno_memory_errors_last_hour", (*web, "R15")): 2,
    }


def test_a_value_that_is_not_said_any_more_has_no_series() -> None:
    found = series(dyno_families({("shop", "web.3"): sampled(DYNO_STALE_S + 1, state="down")}, NOW_S))
    assert found["tailrace_dyno_up", ("shop", "web.3")] == 0
    assert not [name for name, _ in found if "memory_bytes" in name or "load" in name or "sampled" in name]
    assert series(dyno_families({("shop", "web.3"): DynoRuntime()}, NOW_S)) == {}
    partial = series(
        dyno_families({("", "web.1"): DynoRuntime(sampled_ms=int(NOW_S * 1000), load_1m=0.5)}, NOW_S)
    )
    assert {name for name, _ in partial} == {
        "tailrace_dyno_sampled_timestamp_seconds",
        "tailrace_dyno_load1",
        "tailrace_dyno_memory_errors_last_hour",
    }


def addon(app: str, count: int, ago_s: float = 60) -> AddonRow:
    at_ms = int((NOW_S - ago_s) * 1000)
    values = [AddonValue(f"measure-{at}", "kB", float(at), at_ms, None, None, None) for at in range(count)]
    return AddonRow(app, "heroku-postgres", "DATABASE", "postgresql-curly-12345", values)


def test_add_ons_keep_their_own_names_and_units_in_a_bounded_number() -> None:
    found = series(addon_families([addon("shop", 2)], NOW_S))
    names = ("shop", "heroku-postgres", "DATABASE", "postgresql-curly-12345")
    assert found == {
        ("tailrace_addon_sample", (*names, "measure-0", "kB")): 0,
        ("tailrace_addon_sample", (*names, "measure-1", "kB")): 1,
    }
    many = series(addon_families([addon("shop", 10 * MEASURES_MAX), addon("api", 3)], NOW_S))
    assert len(many) == MEASURES_MAX + 3
    assert series(addon_families([addon("shop", 2, ADDON_STALE_S + 1)], NOW_S)) == {}


def test_the_latest_release_of_each_app_has_its_version_and_its_time() -> None:
    releases = {
        "shop": Release("shop", 42, 1_764_122_280_000, "deploy", "v42: deploy 9154a1d2", commit="9154a1d2"),
        "api": Release("api", 0, 1_764_122_281_500, "deploy", "deploy"),
    }
    assert series(release_families(releases)) == {
        ("tailrace_release_info", ("shop", "v42", "9154a1d2")): 1,
        ("tailrace_release_info", ("api", "", "")): 1,
        ("tailrace_release_timestamp_seconds", ("shop",)): 1_764_122_280,
        ("tailrace_release_timestamp_seconds", ("api",)): 1_764_122_281.5,
    }


def test_hostile_names_cannot_make_series_of_their_own() -> None:
    evil = 'web.1"} 1\ntailrace_redis_up 7\n'
    found = series(dyno_families({("shop", evil): sampled()}, NOW_S))
    assert all("\n" not in text for _, labels in found for text in labels)
