"""What the platform says of dynos, add-ons and releases, as series for Prometheus. Pure.

All are gauges: what was said last, and what was counted in the last hour. Where nothing is said any more, the
series end, as those of a target that is gone. A measure of its own is a metric of its own, so that sums over
dynos mean something; what add-ons log is one metric, because only the sender knows what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.escaping import prometheus_label as label
from app.platform.release import Release
from app.store.queries import AddonRow, DynoRuntime
from app.store.queries.names import AppName

MB = 1 << 20
"""Bytes. A guess: Heroku does not say which MB it means, and sizes of memory are powers of two mostly."""

DYNO_STALE_S = 300
"""Memory and load that are older than this are not told: a running dyno says them every 20 s (documented)."""

ADDON_STALE_S = 900
"""As for dynos. How often add-ons log theirs is not documented; once a minute or so is a guess."""

MEASURES_MAX = 200
"""Series of add-ons of one app."""


def dyno_families(dynos: Mapping[AppName, DynoRuntime], now_s: float) -> Iterator[Metric]:
    """`dynos`: those of the last hour, already bounded."""
    labels = ["app", "dyno"]

    def gauge(name: str, meaning: str, *further: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"tailrace_dyno_{name}", meaning, labels=[*labels, *further])

    up = gauge("up", "1 if the last state that the platform logged is up, else 0")
    sampled = gauge("sampled_timestamp_seconds", "When memory or load was last logged")
    measures = {
        "memory_mb": gauge("memory_bytes", "Memory: resident, cache and swap"),
        "rss_mb": gauge("memory_rss_bytes", "Resident memory"),
        "swap_mb": gauge("memory_swap_bytes", "Swap"),
        "quota_mb": gauge("memory_quota_bytes", "Memory above which the platform logs R14"),
        "load_1m": gauge("load1", "Load average of a minute"),
        "load_5m": gauge("load5", "Load average of 5 minutes"),
        "load_15m": gauge("load15", "Load average of 15 minutes"),
    }
    restarts = gauge("restarts_last_hour", "How often it started in the last hour")
    crashes = gauge("crashes_last_hour", "How often it crashed in the last hour")
    errors = gauge("memory_errors_last_hour", "R14 and R15 in the last hour", "code")
    for names, runtime in dynos.items():
        values = list(map(label, names))
        if runtime.state:
            up.add_metric(values, runtime.state == "up")
            restarts.add_metric(values, runtime.restarts)
            crashes.add_metric(values, runtime.crashes)
        if runtime.r14 or runtime.r15 or runtime.sampled_ms is not None:
            errors.add_metric([*values, "R14"], runtime.r14)
            errors.add_metric([*values, "R15"], runtime.r15)
        if runtime.sampled_ms is None or runtime.sampled_ms / 1000 < now_s - DYNO_STALE_S:
            continue
        sampled.add_metric(values, runtime.sampled_ms / 1000)
        for name, family in measures.items():
            value: float | None = getattr(runtime, name)
            if value is not None:
                family.add_metric(values, value * MB if name.endswith("_mb") else value)
    yield from (up, sampled, *measures.values(), restarts, crashes, errors)


def addon_families(addons: Iterable[AddonRow], now_s: float) -> Iterator[Metric]:
    """At most MEASURES_MAX of each app."""
    samples = GaugeMetricFamily(
        "tailrace_addon_sample",
        "What an add-on logged of itself last, in its own unit",
        labels=["app", "kind", "source", "addon", "measure", "unit"],
    )
    room: dict[str, int] = {}
    for row in addons:
        for value in row.values:
            left = room.setdefault(row.app, MEASURES_MAX)
            if left and value.latest_ms / 1000 >= now_s - ADDON_STALE_S:
                room[row.app] = left - 1
                names = (row.app, row.kind, row.source, row.addon, value.name, value.unit)
                samples.add_metric(list(map(label, names)), value.latest)
    yield samples


def release_families(releases: Mapping[str, Release]) -> Iterator[Metric]:
    """`releases`: the latest of each app."""
    info = GaugeMetricFamily(
        "tailrace_release_info", "The latest release of an app", labels=["app", "version", "commit"]
    )
    at = GaugeMetricFamily(
        "tailrace_release_timestamp_seconds", "When the latest release of an app was", labels=["app"]
    )
    for app, release in releases.items():
        version = f"v{release.version}" if release.version else ""
        info.add_metric([label(app), version, label(release.commit)], 1)
        at.add_metric([label(app)], release.at_ms / 1000)
    yield from (info, at)
