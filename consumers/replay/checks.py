"""What a live replay needs, for the release phase."""

from __future__ import annotations

from app.checks import Check
from consumers.replay.live import check

CHECKS: tuple[tuple[str, Check], ...] = (("replay", check),)
