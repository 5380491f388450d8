"""One clause of a `when`: `code H12 > 5 per minute` in its parts. Pure; linear in a text that is bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.masking import safe_repr

CHARS_MAX = 300
"""Of a whole `when`."""

Operator = Literal["", ">", "<"]
Unit = Literal["", "%", "ms", "s", "m", "h", "d", "x", "/min", "/s"]
Versus = Literal["", "yesterday", "usual"]

VALUE_MAX = 1e9

_OPERATOR = re.compile(r"[<>=!]=?")
_NUMBER = re.compile(r"[0-9]{1,9}(?:,[0-9]{3}(?![0-9]))?(?:\.[0-9]{1,6})?(?![0-9.])")
_SPAN = re.compile(r"([0-9]{1,7}) ?([a-z]{1,10})")
_UNITS: dict[str, Unit] = {
    "": "",
    **dict.fromkeys(("%", "percent", "pct"), "%"),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("x", "times"), "x"),
    **dict.fromkeys(("/min", "/minute", "/m", "perminute", "permin", "aminute", "eachminute"), "/min"),
    **dict.fromkeys(("/s", "/sec", "/second", "persecond", "persec", "asecond"), "/s"),
}
_VERSUS: dict[str, Versus] = {"yesterday": "yesterday", "usual": "usual", "usually": "usual"}
_FILLERS = frozenset({"the", "than", "as", "of"})
_SAME = str.maketrans({"≥": ">=", "≤": "<=", "×": "x", "\N{NO-BREAK SPACE}": " "})  # noqa: RUF001

UNITS_KNOWN = "%, ms, s, /min, and x yesterday or x usual"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause, in lower case. `p95 > 3x usual`: words ("p95",), value 3, unit "x", versus "usual"."""

    text: str
    """As written, but for spaces and case."""
    words: tuple[str, ...]
    """Before the operator; without one, all of them."""
    operator: Operator = ""
    or_equal: bool = False
    value: float = 0.0
    unit: Unit = ""
    versus: Versus = ""

    @property
    def per_min(self) -> float | None:
        """The value, if it is a rate."""
        return {"/min": self.value, "/s": self.value * 60}.get(self.unit)

    @property
    def share(self) -> float:
        """The value of a percentage."""
        return float(f"{self.value / 100:.10g}")


def clauses(text: str) -> list[str]:
    """What `and` joins, in lower case, with single spaces. Raises ValueError."""
    if len(text) > CHARS_MAX:
        raise ValueError(f"is too long: {CHARS_MAX} characters at most")
    parts = " ".join(text.translate(_SAME).lower().replace("&&", " and ").split()).split(" and ")
    if not all(part.strip() for part in parts) or any("and" in part.split() for part in parts):
        raise ValueError("is empty, or has an `and` with nothing on one side: write one like errors > 2%")
    return parts


def read_clause(text: str) -> Clause:
    """Raises ValueError, whose text quotes the clause and says what to write."""
    found = _OPERATOR.search(text)
    if found is None:
        return Clause(text, tuple(text.split()))
    operator = found[0]
    if operator not in (">", ">=", "<", "<="):
        raise ValueError(f"{safe_repr(text)}: write > or <, not {operator}")
    value, unit, versus = _amount(text, text[found.end() :].strip())
    return Clause(
        text,
        tuple(text[: found.start()].split()),
        ">" if operator[0] == ">" else "<",
        operator.endswith("="),
        value,
        unit,
        versus,
    )


def _amount(text: str, right: str) -> tuple[float, Unit, Versus]:
    number = _NUMBER.match(right)
    if number is None:
        if right.startswith("-"):
            raise ValueError(f"{safe_repr(text)}: a limit is never below 0")
        raise ValueError(f"{safe_repr(text)}: a number must follow, such as 2%, 800ms or 5/min")
    words = [word for word in right[number.end() :].split() if word not in _FILLERS]
    versus: Versus = ""
    if words and words[-1] in _VERSUS:
        versus = _VERSUS[words.pop()]
    unit = _UNITS.get("".join(words))
    if unit is None:
        raise ValueError(f"{safe_repr(text)}: {_no_unit(words)}")
    if (unit == "x") != bool(versus):
        raise ValueError(f"{safe_repr(text)}: to compare, write 3x yesterday or 3x usual")
    value = float(number[0].replace(",", ""))
    return value, unit, versus


def _no_unit(words: list[str]) -> str:
    if "for" in words:
        return "how long it must hold is a key of its own, `for`: for: 5m"
    if "or" in words:
        return "conditions are joined by `and` alone: write two rules for what one of two may be"
    if any(word[-1] in ",;&" for word in words):
        return "conditions are joined by `and`: errors > 2% and requests > 10/min"
    return f"{safe_repr(' '.join(words))} is no unit; there are {UNITS_KNOWN}"


def short_span(text: str) -> str:
    """`5m` of `5 minutes`, `30d` of `30 days`; anything else as it is."""
    found = _SPAN.fullmatch(text.lower())
    unit = _UNITS.get(found[2]) if found else None
    return f"{found[1]}{unit}" if found and unit in ("s", "m", "h", "d") else text


def plain(value: float) -> str:
    """A number as one writes it in a rule: `5`, `0.5`, `1200`."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
