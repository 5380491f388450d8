"""The message log: one small interface, implemented on Apache Kafka and on Redis Streams.

The drain holds a `Writer`, each consumer process a `Reader` of its group, and tools that look at
the past a `History`. choose.py opens the one that the settings name.

Exactly once rests on the `Claim`: a reader hands out messages together with the claim on their
place in the log, and the store settles the claim (position, acknowledgement, the memory of
frames seen) in the same atomic step in Redis that applies what was computed from the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.message import RouterMessage

TOPIC = "router"
PARTITIONS = 32


@dataclass(frozen=True, slots=True)
class Appended:
    """What the log did with one frame: `messages` newly written; 0 for a frame it had already."""

    messages: int
    duplicate: bool = False


Beside = Callable[[], bytes]
"""Called when a frame's values are written, if it has any: writes to Redis what else came with the
frame. Returns the guard of the frame that is there since (app/store/frame_events.py); empty where nothing was
to be written."""


class Writer(Protocol):
    """Appends frames to the log; safe to call from many threads."""

    def append(
        self, frame_id: str, values: Sequence[bytes], timeout_s: float, beside: Beside | None = None
    ) -> Appended:
        """Returns once every value is acknowledged, and what `beside` wrote is as safe in Redis as the
        settings ask. The same frame may be sent again at will.

        Raises NotDurable when that has not happened within `timeout_s`, and what `beside` raises.
        """

    def check(self, timeout_s: float) -> None:
        """Raises NotDurable when the log cannot be written to now."""

    def close(self) -> None:
        """Ends connections and threads."""


Claim = dict[str, Any]
"""What `settle` in app/store/settle.lua checks and records; JSON."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value of the topic that cannot be processed, with the reason: for the dead letters."""

    value: bytes
    reason: str
    is_poison: bool = False
    """It held this group's workers; else it is no message, and so for every group."""


@dataclass(slots=True)
class Batch:
    """Messages in log order, each for the first time, and the claim on their place in the log."""

    messages: list[RouterMessage]
    claim: Claim
    bad: list[BadValue] = field(default_factory=list)
    duplicates: int = 0
    """Messages left out because their frame had been sent before."""
    lost: int = 0
    """Messages that expired on Kafka before this group read them; the claim counts them."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind: in messages not yet read."""

    messages: int
    whole_group: bool = False
    """True where the figure is the group's, not only that of this member's partitions."""


class Reader(Protocol):
    """One member of a consumer group. Not thread-safe: one loop owns it."""

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        """The next batch, or None when nothing came in time. About `max_messages`: a frame is
        never split in Redis. One batch at a time: settle or reject it before the next poll.

        Raises LogUnavailable when the log cannot be reached.
        """

    def settled(self, batch: Batch) -> None:
        """Says that the atomic step has recorded the batch's claim."""

    def rejected(self, batch: Batch) -> None:
        """Says that the atomic step refused the claim: go back to what Redis holds."""

    def heartbeat(self) -> None:
        """Keeps the membership alive while a batch takes long (more than 5 s)."""

    def lag(self) -> Lag:
        """How far this member's share of the log is behind."""

    def close(self) -> None:
        """Leaves the group, so that others take over at once."""


class History(Protocol):
    """Reads a window of the kept log, in about the order of arrival, outside of any group."""

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        """Messages that the drain received from `from_ms` on and before `until_ms` (Unix ms),
        in chunks, each message once."""

    def estimate(self, from_ms: int, until_ms: int) -> int:
        """About how many messages `read` will give; for a progress bar."""

    def close(self) -> None:
        """Ends connections."""
