"""The atomic step, without anything to apply: for the replay worker, and as a base for apply.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import redis

from app.errors import StaleBatch
from app.store.claims import Claim


def read_lua(name: str) -> str:
    """The text of a script beside this file."""
    return (Path(__file__).parent / name).read_text("utf-8")


ENTRY_IDS_LUA = read_lua("entry_ids.lua")
SETTLE_LUA = ENTRY_IDS_LUA + read_lua("settle.lua")
_SETTLE_ONLY = SETTLE_LUA + "\nreturn settle(cjson.decode(ARGV[1]))\n"


def settle(store: redis.Redis, claim: Claim) -> bool:
    """Records the claim. False if Redis has been cleared since the reader checked.

    Raises StaleBatch if another process owns these messages now.
    """
    return read_answer(run_script(store, _SETTLE_ONLY, claim))


def run_script(store: redis.Redis, lua: str, *arguments: object) -> Any:
    """What a script answers; it is sent whole only when Redis does not know it yet."""
    return run_raw(store, lua, [], [orjson.dumps(argument) for argument in arguments])


def run_raw(store: redis.Redis, lua: str, keys: Sequence[str], arguments: Sequence[bytes | str | int]) -> Any:
    """What a script answers to keys and arguments as they are. Raises redis.RedisError."""
    return store.register_script(lua)(keys=keys, args=arguments)


def read_answer(answer: bytes) -> bool:
    """`settled` -> True, `fresh` -> False; raises StaleBatch for `stale`."""
    if answer == b"stale":
        raise StaleBatch("another worker of the group owns these messages now")
    return answer == b"settled"
