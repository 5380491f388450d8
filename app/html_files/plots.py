"""Plots as coordinates: 0 to 100 across and down. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what stands there."""

    at: float
    text: str


def polylines(
    points: Iterable[tuple[float, float | None]], begin: float, end: float, top: float
) -> list[str]:
    """The points of SVG polylines, from `begin` at the left to `end`, from 0 at the bottom to `top`: one for
    each run of values without a gap (None)."""
    pieces: list[list[str]] = [[]]
    for at, value in points:
        if value is not None:
            pieces[-1].append(f"{100 * (at - begin) / (end - begin):.2f},{100 - 100 * value / top:.2f}")
        elif pieces[-1]:
            pieces.append([])
    return [" ".join(piece) for piece in pieces if piece]


def time_ticks(texts: Sequence[str]) -> list[Tick]:
    """These texts, spread over an axis from its beginning to its end."""
    return [Tick(100 * at / max(1, len(texts) - 1), text) for at, text in enumerate(texts)]


def round_up(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least 1."""
    if value <= 1:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))
