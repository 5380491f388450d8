"""Durations as people write them: `90s`, `15m`, `24h`, `7d`, `1w`. Pure."""

from __future__ import annotations

import re

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"([0-9]{1,7})([smhdw])")


def seconds_of(text: str) -> int:
    """Raises ValueError for anything but a whole number with s, m, h, d or w."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("must be a number with s, m, h, d or w, such as 15m or 24h")
    return int(found[1]) * _UNITS_S[found[2]]
