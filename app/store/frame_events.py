"""Frame events: what a frame reports beside its router lines, losses above all, and its dead letters.

Recorded once per frame, so that a retry counts no loss twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import orjson
import redis

from app.store.bounds import APPS_MAX, OTHER
from app.store.dead_letters import DEAD_LETTERS_LUA, NewDeadLetter, arguments
from app.store.keys import FRAME_EVENTS, LOSSES, REPORTS, WINDOWS, loss_window, report_window
from app.store.settle import read_lua

MARKERS_REMEMBERED = 20_000
"""Markers kept in each of two generations: a frame is recognised until at least this many newer frames with
events have come. 40,000 markers of 16 bytes take 3 MB of Redis at most."""

MARKER_KEPT_S = 900
"""Markers expire this long after the last one; Logplex gives up on a frame within about 15 s."""

_RECORD = DEAD_LETTERS_LUA + read_lua("frame_events.lua")
_LOSS_WINDOW = WINDOWS[1]


IDENTITIES_MAX = 100
"""Losses of one frame that are recognised when another frame reports them again: each takes a marker."""

OTHER_DRAIN = "other_drain"
"""The kind of report that counts messages lost by a drain that is not known here."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that never arrived, as their sender says: `code` is L10, L12 or L13."""

    code: str
    dropped: int
    app: str | None = None
    """Whose messages these were; None: the sender's."""
    identity: str = ""
    """Of a loss that several frames may report, 16 characters; empty for one that comes once."""


@dataclass(frozen=True, slots=True)
class Report:
    """Something that the sender reports and that is no loss of an app that is known here."""

    kind: str
    """L11, L14, L15, a code of losses that gives no number, `(other)`, or OTHER_DRAIN."""
    count: int


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
    reports: Sequence[Report] = (),
) -> bool:
    """Records all events of a frame, or nothing if they were recorded before; True the first time.

    A loss with an identity counts once, whichever frames report it.

    This works on a full Redis too: counters and markers are bounded, and dead letters are kept as far as
    older ones make room. The others are counted as dropped.

    Raises redis.RedisError when nothing was written.
    """
    length_s, kept_s = _LOSS_WINDOW
    start_s = now_s // length_s * length_s
    counted = {"losses": _grouped(losses, app), "reports": _summed(reports)}
    done = store.register_script(_RECORD)(
        keys=[
            *(*FRAME_EVENTS, LOSSES, loss_window(length_s, start_s)),
            *(REPORTS, report_window(length_s, start_s)),
        ],
        args=[
            *(marker_of(frame_id), MARKERS_REMEMBERED, MARKER_KEPT_S, app),
            *(orjson.dumps(counted), start_s + length_s + kept_s, APPS_MAX, OTHER),
            *arguments(letters, len(letters)),
        ],
    )
    return bool(done)


def _grouped(losses: Sequence[Loss], app: str) -> list[tuple[str, str, int, str]]:
    """(code, app, messages, identity): each loss that can be recognised, and the sums of the others."""
    sums: dict[tuple[str, str, str], int] = {}
    recognised = set(islice(dict.fromkeys(loss.identity for loss in losses if loss.identity), IDENTITIES_MAX))
    seen: set[str] = set()
    for loss in losses:
        identity = loss.identity if loss.identity in recognised else ""
        if identity in seen:
            continue
        if identity:
            seen.add(identity)
        key = (loss.code, app if loss.app is None else loss.app, identity)
        sums[key] = sums.get(key, 0) + loss.dropped
    return [(code, whose, messages, identity) for (code, whose, identity), messages in sums.items()]


def _summed(reports: Sequence[Report]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for report in reports:
        sums[report.kind] = sums.get(report.kind, 0) + report.count
    return sums
