"""The message log: one small interface, implemented on Redis Streams, on Apache Kafka and in memory.

`open_log` (open.py) gives the `MessageLog` that the settings name. The drain holds its `Writer`, each
consumer process a `Reader` of its group, and tools that look at the past a `History`.

Exactly once rests on the claim (app/store/claims.py): a reader hands out messages together with the
claim on their place in the log, and the store settles the claim (position, acknowledgement, the
memory of frames seen) in the same atomic step in Redis that applies what was computed from the
messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import redis

from app.log_status import LogAdvice, LogStatus
from app.message import BadValue, RouterMessage
from app.store.claims import Claim

TOPIC = "router"

PLATFORM_TOPIC = "platform"
"""What the platform itself says, in a log that has topics. It is a topic of its own because consumers of
`router` take each value for a router line (hone/heroku-replay-ratpack, whose consumers may read ours)."""

READ_TIMEOUT_S = 5.0
"""Of one answer to a consumer, which has 10 s to end when it is told to."""

Start = Literal["earliest", "latest"]
"""Where a group begins that the log does not know yet."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What the log did with one frame: what it has newly written, 0 for a frame it already had."""

    messages: int
    """Router lines."""
    duplicate: bool = False
    platform: int = 0
    """Messages of the platform."""


RecordEvents = Callable[[], bytes]
"""Called once a frame's values, if it has any, are written: records in Redis what else came with the frame,
within time limits of its own. Returns the marker that now stands for these events in Redis
(app/store/frame_events.py); empty if there was nothing to record."""


class Writer(Protocol):
    """Appends frames to the log; safe to call from many threads."""

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        """Returns once every value is acknowledged, and what `record_events` wrote is as safe in Redis as the
        settings require. The same frame may be appended again at any time. `platform`: the values of what
        the platform itself says in this frame.

        Raises NotDurable when that has not happened within `timeout_s`, and what `record_events` raises.
        """

    def check(self, timeout_s: float) -> None:
        """Raises NotDurable when the log cannot be written to now, within `timeout_s`."""

    def close(self) -> None:
        """Ends connections and threads."""


@dataclass(slots=True)
class Batch:
    """Router lines in log order, each for the first time, and the claim on their place in the log. Both
    `messages` and `platform` may be empty: the place moves on even so."""

    messages: list[RouterMessage]
    claim: Claim
    bad: list[BadValue] = field(default_factory=list)
    duplicates: int = 0
    """Messages left out because their frame had been sent before."""
    lost: int = 0
    """Messages that expired before this group read them; the claim counts them."""
    platform: list[RouterMessage] = field(default_factory=list)
    """What the platform itself said, in the same form: only for a group that reads it."""
    lease: str = ""
    """Key in Redis that reserves the batch until it expires. Whoever knows that its reader is dead may
    delete it. Empty if the log itself detects dead readers."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind: in messages not yet read."""

    messages: int
    whole_group: bool = False
    """True where the figure is the group's, not only that of this member's partitions."""


class Reader(Protocol):
    """One member of a consumer group. Not thread-safe: one loop owns it."""

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        """The next batch, or None when nothing came in time. About `max_messages`: some logs never
        split a frame. One batch at a time: settle or reject it before the next poll.

        Raises LogUnavailable when the log cannot be reached.
        """

    def settled(self, batch: Batch) -> None:
        """Says that the atomic step has recorded the batch's claim."""

    def rejected(self, batch: Batch) -> None:
        """Says that the atomic step refused the claim: rewind to the position in Redis."""

    def heartbeat(self) -> None:
        """Keeps the membership alive while a batch takes long (more than 5 s)."""

    def lag(self) -> Lag:
        """How far this member's share of the log is behind."""

    def close(self) -> None:
        """Leaves the group, so that others take over at once."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a log reaches: when the drain received its first and its last message, Unix ms."""

    first_ms: int
    last_ms: int
    dropped_until_ms: int = 0
    """Of the messages that were received before this time, the log has dropped some or all. 0: it has dropped
    none, so nothing was received before `first_ms`."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A part of a scan: the messages that may be wanted, and how many were looked at for them."""

    messages: list[RouterMessage]
    read: int
    """Those that were received within the times. Kafka has a retried frame twice, and both copies count."""


class History(Protocol):
    """Reads a window of the kept log, in about the order of arrival, outside of any group."""

    was_overtaken: bool
    """The log has dropped messages that `read` was about to give: it was read too slowly, or too late."""

    def reach(self) -> Reach | None:
        """How far the log reaches now; None where it is empty. Raises LogUnavailable."""

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        """Messages that the drain received from `from_ms` on and before `until_ms` (Unix ms),
        in chunks, each message once."""

    def estimate(self, from_ms: int, until_ms: int) -> int:
        """About how many messages `read` will give; for a progress bar."""

    def close(self) -> None:
        """Ends connections."""


class SearchableHistory(History, Protocol):
    """A past that single requests are searched in."""

    def scan(
        self,
        from_ms: int,
        until_ms: int,
        patterns: Sequence[re.Pattern[bytes]] = (),
        *,
        newest_first: bool = False,
    ) -> Iterator[Scanned]:
        """As `read`, but only messages whose JSON matches each of `patterns`, in the form of
        `app.message.encode`: app/log/scan.py says what a pattern may rest on. With `newest_first` in about
        the opposite order. Nothing else of this history may be read meanwhile. Raises LogUnavailable."""

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        """As `scan`, without an end: what was received from `from_ms` on, each message once, also where the
        log was unreachable meanwhile. Yields at least once a second, with nothing in it if there is nothing.
        Its thread ends once the iterator is closed or dropped. Nothing else of this history may be read
        meanwhile.
        """


@dataclass(frozen=True, slots=True)
class Ensured:
    """What `MessageLog.ensure` has found or made, in a few words."""

    text: str
    warnings: tuple[str, ...] = ()
    """What works but may lose frames: each says when and, where there is one, the command or setting
    that prevents it."""


class MessageLog(Protocol):
    """One log, as the settings name it. It connects to nothing and loads no client library until one
    of these is called."""

    advice: LogAdvice

    def writer(self) -> Writer:
        """The writer for one process; it connects when it is first used."""

    def reader(
        self, group: str, start: Start, *, rewind_to_store: bool, reads_platform: bool = False
    ) -> Reader:
        """A member of `group`; `start` counts only for a group that the log does not know yet. Its batches
        hold what the platform says only if it `reads_platform`.

        `rewind_to_store`: if Redis was restored from an older copy, as when a replica takes over, everything
        since then is read again, because that copy's figures do not include it. Without it, the group
        continues from the position that the log itself has recorded, a few seconds back at most: what was
        sent stays sent. A log in that same Redis is as old as the figures.

        Raises LogUnavailable where the log cannot be reached, TailraceError where it cannot be used.
        """

    def history(self, store: redis.Redis | None = None) -> SearchableHistory:
        """The kept log, to read a window of the past. Raises LogUnavailable.

        `store`: a log that is in the Redis of the figures is read over this client's connections; without
        it, over one of its own.
        """

    def ensure(self, groups: Sequence[str], timeout_s: float) -> Ensured:
        """Makes what is missing, where that is allowed, and looks at what a 2xx promises.

        Raises TailraceError with what stays missing and the fix, LogUnavailable where the log cannot
        be reached.
        """

    def status(self, store: redis.Redis, groups: Sequence[str]) -> LogStatus:
        """What the log knows of itself and of these groups, in one round trip. Raises redis.RedisError."""
