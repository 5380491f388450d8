"""Every kind of condition, registered once: a further one is its module and a line here."""

from __future__ import annotations

from app.alerts.conditions import counted, dynos, latency, never, own, release, silence, traffic
from app.alerts.conditions.kind import Kind

KINDS: tuple[Kind, ...] = (
    latency.KIND,
    counted.ERRORS,
    counted.ABORTED,
    counted.STATUS,
    counted.CODE,
    counted.CODES,
    traffic.KIND,
    silence.KIND,
    dynos.EVENTS,
    dynos.MEMORY,
    release.KIND,
    own.KIND,
    never.KIND,
)
"""`slo:` is one more, which has a key of its own (app/alerts/slo.py, burn.py)."""
