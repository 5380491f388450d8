"""One line of a pane."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A line of text, escaped and as wide as the screen at most."""

    text: str
    style: str = ""
    value: str = ""
    """What Enter chooses, or copies; empty: nothing."""
