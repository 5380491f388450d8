"""Facts of the platform, as its lines say them, for tests of what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping

from app.platform.facts import Event, Sample, Samples


def samples(dyno: str, at_s: float, **values: float) -> Samples:
    """Of log-runtime-metrics."""
    measured = tuple(Sample(name, value, "MB" if "memory" in name else "") for name, value in values.items())
    return Samples(int(at_s * 1000), "dyno", dyno, "", measured)


def memory(dyno: str, at_s: float, mb: float) -> Samples:
    return samples(dyno, at_s, memory_total=mb)


def state(dyno: str, at_s: float, name: str) -> Event:
    return Event("state", int(at_s * 1000), "", dyno=dyno, state=name)


def addon(at_s: float, values: Mapping[str, float], name: str = "postgresql-curly-1") -> Samples:
    """Of a Postgres add-on."""
    measured = tuple(Sample(measure, value, "kB") for measure, value in values.items())
    return Samples(int(at_s * 1000), "heroku-postgres", "DATABASE", name, measured)


def r14(dyno: str, at_s: float) -> Event:
    return Event("error", int(at_s * 1000), "Error R14 (Memory quota exceeded)", dyno=dyno, code="R14")
