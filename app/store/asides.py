"""What a frame brings beside router lines: losses that the sender reports, and dead letters.

Written once per frame, so that a retry counts no loss twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import orjson
import redis

from app.store.dead_letters import DEAD_LETTERS, DEAD_LETTERS_MAX
from app.store.keys import COUNTS, LOSSES, WINDOWS, loss_window
from app.store.settle import read_lua

GUARD_S = 900
"""A frame is known again for this long; Logplex gives it up within about 15 s."""

_KEEP = read_lua("asides.lua")


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that never arrived, as their sender says: `code` is L10, L12 or L13."""

    code: str
    dropped: int


def aside_key(frame_id: str) -> str:
    """The key that is there once what came beside a frame's router lines is kept."""
    return f"tailrace:aside:{frame_id}"


def keep(
    store: redis.Redis,
    frame_id: str,
    app: str,
    losses: Sequence[Loss],
    letters: Sequence[list[str]],
    now_s: int,
) -> bool:
    """Writes it all, or nothing if this frame's were written before; True for the first time.

    Raises redis.RedisError when it is not kept.
    """
    windows = [
        (loss.dropped, loss.code, loss_window(length_s, start), start + length_s + kept_s)
        for loss in losses
        for length_s, kept_s in WINDOWS[1:2]
        for start in (now_s // length_s * length_s,)
    ]
    script = store.register_script(_KEEP)
    done = script(
        keys=[aside_key(frame_id), LOSSES, DEAD_LETTERS, COUNTS],
        args=[GUARD_S, app, orjson.dumps(windows), orjson.dumps(letters), DEAD_LETTERS_MAX],
    )
    return bool(done)


def losses_by_app(store: redis.Redis) -> dict[str, int]:
    """Messages lost before they came here, by app, ever."""
    found = cast(dict[bytes, bytes], store.hgetall(LOSSES))
    return {name.decode(): int(value) for name, value in found.items()}
