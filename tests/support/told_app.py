"""What the platform says of an app in some minutes, as facts: a release, dynos, and an add-on."""

from __future__ import annotations

from collections.abc import Iterator

from app.platform.facts import Event, Fact, Sample, Samples

RELEASED_AGO_S = 420
QUOTA_MB = 512.0
OVER_MB = 921.6
"""What web.3 takes: 180 %."""


def facts(now_s: float) -> list[Fact]:
    """v42 was deployed 7 min ago and its dynos came up; web.3 has R14 since then, and worker.1 crashed."""
    at_ms = int(now_s * 1000) - RELEASED_AGO_S * 1000
    return [
        Event("release", at_ms, "Release v42 created", version=42),
        Event("deploy", at_ms, "Deploy 9154a1d2", commit="9154a1d2"),
        *_restarted(at_ms),
        Event("state", at_ms + 40_000, "State changed from up to crashed", "worker.1", state="crashed"),
        Event("exit", at_ms + 40_000, "Process exited with status 137", "worker.1", status=137),
        *_sampled(at_ms, int(now_s * 1000)),
    ]


def _restarted(at_ms: int) -> Iterator[Event]:
    steps = ((2_000, "up", "down"), (4_000, "down", "starting"), (30_000, "starting", "up"))
    for dyno in ("web.1", "web.3", "worker.1"):
        for after_ms, before, state in steps:
            text = f"State changed from {before} to {state}"
            yield Event("state", at_ms + after_ms, text, dyno, state=state)


def _sampled(at_ms: int, now_ms: int) -> Iterator[Fact]:
    """Every 20 s, as log-runtime-metrics does, in two messages; R14 as often."""
    for ms in range(at_ms + 60_000, now_ms, 20_000):
        for dyno, memory in (("web.1", 256.0), ("web.3", OVER_MB)):
            yield Samples(ms, "dyno", dyno, "", _loads(memory / QUOTA_MB))
            yield Samples(ms, "dyno", dyno, "", _memory(memory))
        yield Event("error", ms, "Error R14 (Memory quota exceeded)", "web.3", code="R14")
        values = (Sample("active-connections", 15.0, ""), Sample("memory-total", 3_944_484.0, "kB"))
        yield Samples(ms, "heroku-postgres", "DATABASE", "postgresql-curly-12345", values)


def _loads(load: float) -> tuple[Sample, ...]:
    return tuple(Sample(f"load_avg_{minutes}m", load, "") for minutes in (1, 5, 15))


def _memory(memory: float) -> tuple[Sample, ...]:
    rss = min(memory, 500.0)
    values = {"total": memory, "rss": rss, "cache": 0.0, "swap": memory - rss, "quota": QUOTA_MB}
    return tuple(Sample(f"memory_{name}", value, "MB") for name, value in values.items())
