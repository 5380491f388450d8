"""Dead letters by hand."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from app.store.dead_letters import AT_ONCE, DEAD_LETTERS_LUA, NewDeadLetter, arguments
from app.store.keys import DEAD_LETTERS

_KEEP = DEAD_LETTERS_LUA + "\nkeep_dead_letters(ARGV, 1)\n"


def add(store: redis.Redis, letters: Sequence[NewDeadLetter]) -> None:
    """Adds letters made by `dead_letter`, those that fit."""
    script = store.register_script(_KEEP)
    for at in range(0, len(letters), AT_ONCE):
        some = letters[at : at + AT_ONCE]
        script(args=arguments(some, len(some)))


def count(store: redis.Redis) -> int:
    """Letters kept now."""
    return store.xlen(DEAD_LETTERS)
