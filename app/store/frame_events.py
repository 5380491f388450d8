"""What a frame brings beside router lines: losses that the sender reports, and dead letters.

Written once per frame, so that a retry counts no loss twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import orjson
import redis

from app.store.dead_letters import DEAD_LETTERS_LUA, NewLetter, arguments
from app.store.keys import LOSSES, WINDOWS, loss_window
from app.store.settle import read_lua

GUARD_SETS = ("tailrace:asides:new", "tailrace:asides:old")
"""Two generations, each a set."""

GUARDS_REMEMBERED = 20_000
"""Guards kept per generation, of two: a frame is known again while at least this many newer ones
with something beside have come. 40,000 guards of 16 bytes take 3 MB of Redis at most."""

GUARD_S = 900
"""Without a further one they go after this long; Logplex gives up a frame within about 15 s."""

_KEEP = DEAD_LETTERS_LUA + read_lua("frame_events.lua")
_LOSS_WINDOW = WINDOWS[1]


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that never arrived, as their sender says: `code` is L10, L12 or L13."""

    code: str
    dropped: int


def guard_of(frame_id: str) -> bytes:
    """What is in one of GUARD_SETS once what came beside the frame's router lines is kept.

    A digest, because senders choose the id and its length.
    """
    return hashlib.blake2b(frame_id.encode(), digest_size=16).digest()


def keep(
    store: redis.Redis,
    frame_id: str,
    app: str,
    losses: Sequence[Loss],
    letters: Sequence[NewLetter],
    now_s: int,
) -> bool:
    """Writes it all, or nothing if this frame's were written before; True for the first time.

    A Redis that is full takes it too: counters and guards are bounded, and of letters it keeps
    those for which older ones make room. The others are counted as dropped.

    Raises redis.RedisError when nothing was written.
    """
    by_code: dict[str, int] = {}
    for loss in losses:
        by_code[loss.code] = by_code.get(loss.code, 0) + loss.dropped
    length_s, kept_s = _LOSS_WINDOW
    start_s = now_s // length_s * length_s
    done = store.register_script(_KEEP)(
        keys=[*GUARD_SETS, LOSSES, loss_window(length_s, start_s)],
        args=[
            *(guard_of(frame_id), GUARDS_REMEMBERED, GUARD_S, app),
            *(orjson.dumps(by_code), start_s + length_s + kept_s),
            *arguments(letters, len(letters)),
        ],
    )
    return bool(done)


def losses_by_app(store: redis.Redis) -> dict[str, int]:
    """Messages lost before they came here, by app, of all time."""
    found = cast(dict[bytes, bytes], store.hgetall(LOSSES))
    return {name.decode(): int(value) for name, value in found.items()}
