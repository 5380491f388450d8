"""Families of what the platform says: dynos, add-ons, releases. All are gauges; see platform_metrics.py."""

from __future__ import annotations

from drain.monitoring.family import Family, GaugeFamily

_DYNO = ("app", "dyno")


def _dyno(name: str, help: str, *further: str) -> GaugeFamily:
    return GaugeFamily(f"tailrace_dyno_{name}", help, (*_DYNO, *further))


DYNO_UP = _dyno("up", "1 if the last state that the platform logged is up, else 0")
DYNO_SAMPLED = _dyno("sampled_timestamp_seconds", "When memory or load was last logged")
DYNO_MEMORY = _dyno("memory_bytes", "Memory: resident, cache and swap")
DYNO_RSS = _dyno("memory_rss_bytes", "Resident memory")
DYNO_SWAP = _dyno("memory_swap_bytes", "Swap")
DYNO_QUOTA = _dyno("memory_quota_bytes", "Memory above which the platform logs R14")
DYNO_LOAD_1M = _dyno("load1", "Load average of a minute")
DYNO_LOAD_5M = _dyno("load5", "Load average of 5 minutes")
DYNO_LOAD_15M = _dyno("load15", "Load average of 15 minutes")
DYNO_RESTARTS = _dyno("restarts_last_hour", "How often it started in the last hour")
DYNO_CRASHES = _dyno("crashes_last_hour", "How often it crashed in the last hour")
DYNO_MEMORY_ERRORS = _dyno("memory_errors_last_hour", "R14 and R15 in the last hour", "code")

ADDON_SAMPLE = GaugeFamily(
    "tailrace_addon_sample",
    "What an add-on logged of itself last, in its own unit",
    ("app", "kind", "source", "addon", "measure", "unit"),
)

RELEASE_INFO = GaugeFamily(
    "tailrace_release_info", "The latest release of an app", ("app", "version", "commit")
)
RELEASE_AT = GaugeFamily(
    "tailrace_release_timestamp_seconds", "When the latest release of an app was", ("app",)
)

FAMILIES: tuple[Family, ...] = (
    *(DYNO_UP, DYNO_SAMPLED, DYNO_MEMORY, DYNO_RSS, DYNO_SWAP, DYNO_QUOTA),
    *(DYNO_LOAD_1M, DYNO_LOAD_5M, DYNO_LOAD_15M, DYNO_RESTARTS, DYNO_CRASHES, DYNO_MEMORY_ERRORS),
    *(ADDON_SAMPLE, RELEASE_INFO, RELEASE_AT),
)
