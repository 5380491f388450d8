"""Frame events: the losses that a frame reports, and its dead letters.

Recorded once per frame, so that a retry counts no loss twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import redis

from app.store.dead_letters import DEAD_LETTERS_LUA, NewDeadLetter, arguments
from app.store.keys import FRAME_EVENTS, LOSSES, WINDOWS, loss_window
from app.store.settle import read_lua

MARKERS_REMEMBERED = 20_000
"""Markers kept in each of two generations: a frame is recognised until at least this many newer frames with
events have come. 40,000 markers of 16 bytes take 3 MB of Redis at most."""

MARKER_KEPT_S = 900
"""Markers expire this long after the last one; Logplex gives up on a frame within about 15 s."""

_RECORD = DEAD_LETTERS_LUA + read_lua("frame_events.lua")
_LOSS_WINDOW = WINDOWS[1]


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that never arrived, as their sender says: `code` is L10, L12 or L13."""

    code: str
    dropped: int


def marker_of(frame_id: str) -> bytes:
    """The entry in FRAME_EVENTS that says the frame's events are recorded.

    A digest, because senders choose the id and its length.
    """
    return hashlib.blake2b(frame_id.encode(), digest_size=16).digest()


def record_once(
    store: redis.Redis,
    frame_id: str,
    app: str,
    losses: Sequence[Loss],
    letters: Sequence[NewDeadLetter],
    now_s: int,
) -> bool:
    """Records all events of a frame, or nothing if they were recorded before; True the first time.

    This works on a full Redis too: counters and markers are bounded, and dead letters are kept as far as
    older ones make room. The others are counted as dropped.

    Raises redis.RedisError when nothing was written.
    """
    by_code: dict[str, int] = {}
    for loss in losses:
        by_code[loss.code] = by_code.get(loss.code, 0) + loss.dropped
    length_s, kept_s = _LOSS_WINDOW
    start_s = now_s // length_s * length_s
    done = store.register_script(_RECORD)(
        keys=[*FRAME_EVENTS, LOSSES, loss_window(length_s, start_s)],
        args=[
            *(marker_of(frame_id), MARKERS_REMEMBERED, MARKER_KEPT_S, app),
            *(orjson.dumps(by_code), start_s + length_s + kept_s),
            *arguments(letters, len(letters)),
        ],
    )
    return bool(done)
