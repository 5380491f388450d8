"""All families of /metrics, in the order in which it gives them."""

from __future__ import annotations

from drain.monitoring.families import alerts, health, intake, platform, requests
from drain.monitoring.family import Family

FAMILIES: tuple[Family, ...] = (
    *intake.FAMILIES,
    *requests.FAMILIES,
    *platform.FAMILIES,
    *health.FAMILIES,
    *alerts.FAMILIES,
)
