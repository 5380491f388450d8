"""The states and measured values of a batch, as parts of platform rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.platform.facts import Fact
from app.store.platform_rows import Part


def gauge_parts(facts: Sequence[Fact], now_s: int) -> list[Part]:
    """Of the facts of one app. `now_s` (Unix s) decides which windows are still kept."""
    return []
