"""Where two answers differ: the common form of all comparisons here. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Where in an answer: names of keys and indexes, from the top."""


@dataclass(slots=True)
class Differences:
    """Between the baseline's first answer and another one. Places are those of the first answer, so that two
    other answers can be compared in where they differ from it."""

    names: dict[tuple[Path, str], str] = field(default_factory=dict)
    """(path, how it differs) -> the key under which it is counted."""
    closed: set[Path] = field(default_factory=set)
    """Nothing at or below these was compared, because the two answers differ in their structure there."""
    is_cut: bool = False
    """An answer was too long to be compared as a whole."""

    def add(self, path: Path, how: str, name: str, *, closes: bool = False) -> None:
        """Notes a difference. `closes`: nothing below it can be compared."""
        self.names[path, how] = name
        if closes:
            self.closed.add(path)

    def beyond(self, other: Differences) -> set[str]:
        """The keys that differ here, but not in the other comparison. What that one could not see does not
        count."""
        return {
            name
            for (path, how), name in self.names.items()
            if (path, how) not in other.names and not other.hides(path)
        }

    def hides(self, path: Path) -> bool:
        """Whether nothing is known about this place."""
        closed = self.closed
        return bool(closed) and any(path[:length] in closed for length in range(len(path) + 1))
