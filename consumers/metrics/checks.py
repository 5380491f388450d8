"""What `metrics` finds in the settings, for the release phase."""

from __future__ import annotations

from app.checks import Check
from app.settings import Settings


def _routes(settings: Settings) -> str:
    rules = len(settings.route_rules)
    if settings.route_templates == "raw":
        return "paths as they are" + (", so `routes:` of the file says nothing" if rules else "")
    return f"{rules} rule(s) of your own, then ids become templates"


CHECKS: tuple[tuple[str, Check], ...] = (("routes", _routes),)
