"""What `metrics` finds in the settings, for the release phase."""

from __future__ import annotations

from app.checks import Check
from app.settings import Settings


def _routes(settings: Settings) -> str:
    rules = len(settings.route_rules)
    if settings.route_templates == "raw":
        return "raw paths" + ("; `routes:` in the YAML file has no effect" if rules else "")
    return f"{rules} pattern(s) of your own; ids in other paths become :id"


CHECKS: tuple[tuple[str, Check], ...] = (("routes", _routes),)
