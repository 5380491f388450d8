"""What the platform says of dynos, add-ons and releases, as series for Prometheus. Pure.

All are gauges: what was said last, and what was counted in the last hour. Where nothing is said any more, the
series end, as those of a target that is gone. A measure of its own is a metric of its own, so that sums over
dynos mean something; what add-ons log is one metric, because only the sender knows what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.metrics_core import Metric

from app.escaping import prometheus_label as label
from app.platform.release import Release
from app.store.queries import AddonRow, DynoRuntime
from app.store.queries.names import AppName
from drain.monitoring.families import platform
from drain.monitoring.family import GaugeFamily

MB = 1 << 20
"""Bytes. A guess: Heroku does not say which MB it means, and sizes of memory are powers of two mostly."""

DYNO_STALE_S = 300
"""Memory and load that are older than this are not told: a running dyno says them every 20 s (documented)."""

ADDON_STALE_S = 900
"""As for dynos. How often add-ons log theirs is not documented; once a minute or so is a guess."""

MEASURES_MAX = 200
"""Series of add-ons of one app."""

MEASURES: Mapping[str, GaugeFamily] = {
    "memory_mb": platform.DYNO_MEMORY,
    "rss_mb": platform.DYNO_RSS,
    "swap_mb": platform.DYNO_SWAP,
    "quota_mb": platform.DYNO_QUOTA,
    "load_1m": platform.DYNO_LOAD_1M,
    "load_5m": platform.DYNO_LOAD_5M,
    "load_15m": platform.DYNO_LOAD_15M,
}
"""Field of DynoRuntime -> its family."""


def dyno_families(dynos: Mapping[AppName, DynoRuntime], now_s: float) -> Iterator[Metric]:
    """`dynos`: those of the last hour, already bounded."""
    up, sampled = platform.DYNO_UP.metric(), platform.DYNO_SAMPLED.metric()
    measures = {name: family.metric() for name, family in MEASURES.items()}
    restarts, crashes = platform.DYNO_RESTARTS.metric(), platform.DYNO_CRASHES.metric()
    errors = platform.DYNO_MEMORY_ERRORS.metric()
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
    samples = platform.ADDON_SAMPLE.metric()
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
    info, at = platform.RELEASE_INFO.metric(), platform.RELEASE_AT.metric()
    for app, release in releases.items():
        version = f"v{release.version}" if release.version else ""
        info.add_metric([label(app), version, label(release.commit)], 1)
        at.add_metric([label(app)], release.at_ms / 1000)
    yield from (info, at)
