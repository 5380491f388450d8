"""What came before, in bounded memory: the newest names, in two generations."""

from __future__ import annotations

from typing import Generic, TypeVar

Name = TypeVar("Name", bytes, str)


class Seen(Generic[Name]):
    """Knows a name again until at least `limit` newer ones have come."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._new: set[Name] = set()
        self._old: set[Name] = set()

    def is_new(self, name: Name) -> bool:
        """Notes the name, and says whether it is new."""
        if name in self._new or name in self._old:
            return False
        if len(self._new) >= self._limit:
            self._old, self._new = self._new, set()
        self._new.add(name)
        return True
