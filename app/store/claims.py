"""Claims: a batch's place in its log, for `settle` in settle.lua to check and record.

Exactly once rests on them. A claim goes to Redis as JSON with the effects of its batch, and both are
written in one step or neither. A log whose position is a number in each partition makes an
OffsetsClaim; one that keeps its messages in Redis, with acknowledgements, an EntriesClaim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

Span = tuple[int, int, int, bool]
"""Of one partition: its number; the offset that Redis must hold, of the first message; the offset
after the last; whether the reader knows that Redis did hold one. If it did and does not any more,
Redis was cleared."""


class SeenFrames(TypedDict):
    """What a batch adds to the memory of frames of one partition."""

    key: str
    turn: bool
    """The newer of its two generations is full: it becomes the older one first."""
    frames: dict[str, str]
    """Block of a frame -> hex of the bits of its lines that were read."""


class OffsetsClaim(TypedDict):
    """The group's position in Redis, a hash of partition -> offset, moves over the batch."""

    kind: Literal["offsets"]
    positions: str
    """Key of that hash, see `positions` in keys.py."""
    spans: list[Span]
    seen: list[SeenFrames]
    totals: NotRequired[str]
    """Key of the group's totals; there where `lost` is."""
    lost: NotRequired[int]
    """Messages that expired before the batch."""


class EntriesClaim(TypedDict):
    """The entries of a stream that the batch is made of are acknowledged."""

    kind: Literal["entries"]
    stream: str
    meta: str
    """Key of the log's own counts."""
    gone: str
    """Key of a hash: entry -> its messages, of those that the bound trimmed while the group held them."""
    settled: str
    """Key of a sorted set: what the group has settled, see settle.lua."""
    group: str
    consumer: str
    lease: str
    """Key that is there as long as nobody has taken this consumer's entries over."""
    lease_ms: int
    ids: list[str]
    messages: int


Claim = OffsetsClaim | EntriesClaim
"""Every kind that settle.lua knows; it refuses any other."""


def offsets_claim(
    positions: str,
    spans: Sequence[Span],
    seen: Sequence[SeenFrames] = (),
    *,
    totals: str = "",
    lost: int = 0,
) -> OffsetsClaim:
    """The claim on a span of offsets in each partition; `totals` is needed where messages are lost."""
    claim = OffsetsClaim(kind="offsets", positions=positions, spans=list(spans), seen=list(seen))
    if lost:
        claim["totals"] = totals
        claim["lost"] = lost
    return claim


def entries_claim(
    *,
    stream: str,
    meta: str,
    gone: str,
    settled: str,
    group: str,
    consumer: str,
    lease: str,
    lease_ms: int,
    ids: Sequence[str],
    messages: int,
) -> EntriesClaim:
    """The claim on entries of a stream, oldest first, in which there are so many messages."""
    return EntriesClaim(
        kind="entries",
        stream=stream,
        meta=meta,
        gone=gone,
        settled=settled,
        group=group,
        consumer=consumer,
        lease=lease,
        lease_ms=lease_ms,
        ids=list(ids),
        messages=messages,
    )
