"""Numbers as the reports write them. Pure."""

from __future__ import annotations


def arrow(before: str, after: str) -> str:
    """`334 → 478 ms`: a common unit is said once."""
    return f"{without_unit(before, after)} → {after}"


def without_unit(text: str, other: str) -> str:
    """The text without its unit, where the other one has the same."""
    bare, _, unit = text.rpartition(" ")
    return bare if bare and other.endswith(f" {unit}") else text


def signed(value: float) -> str:
    """`+43`, `+9.5`, `+1,274`; a minus is a true one."""
    text = f"{value:+,.{0 if abs(value) >= 9.95 else 1}f}"
    return text.removesuffix(".0").replace("-", "\N{MINUS SIGN}")


def share(value: float) -> str:
    """Three significant digits, four near 100: `5 %`, `0.163 %`, `99.95 %`."""
    percent = 100 * value
    if 0 < percent < 0.01:
        return "<0.01 %"
    digits = 2 if percent < 10 or 99 <= percent < 100 else 1 if percent < 100 else 0
    text = f"{percent:,.{3 if percent < 1 else digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"
