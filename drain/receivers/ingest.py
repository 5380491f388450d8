"""From a frame to durable messages: appended to the log, then its losses and dead letters to Redis.

It knows neither HTTP nor any sender's protocol: receivers parse, and the command line requeues the same way.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

import redis

from app.errors import NotDurable
from app.log import Writer
from app.redis_memory import is_out_of_memory
from app.store import frame_events
from app.store.dead_letters import VALUE_MAX_BYTES, Kind, NewDeadLetter, dead_letter, enforce_limit
from app.store.frame_events import Loss, Report, marker_of
from drain.instruments import Instruments
from drain.receivers.frame import Frame, SyslogMessage
from drain.receivers.losses import losses_and_reports
from drain.receivers.messages import encode_messages
from drain.receivers.users import masked, without_users

REJECTS_KEPT_EACH = 50
"""Rejects of one frame that get a dead letter each; the others share one."""

MESSAGE_MAX_BYTES = 900_000
"""Under what Kafka takes by default (1,048,588 bytes a batch), whatever it is packed in."""


def ingest(
    frame: Frame,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
    timeout_s: float,
    tokens: Mapping[str, str],
    *,
    keep_users: bool = False,
) -> int:
    """Returns once all that the frame holds is safe, and counts it: how many messages of the platform the log
    has no topic for, which are not kept. `tokens`: DRAIN_TOKENS, which says whose
    a loss is. Unless `keep_users`, nothing that is stored says who made a release.

    Raises MalformedFrame for a body that is broken from its first byte, NotDurable when it is not
    safe in time: the same frame may then be sent again.
    """
    deadline_s = time.monotonic() + timeout_s
    if frame.broken and not frame.message_count:
        instruments.malformed.labels("body").inc()
        raise frame.broken
    values, too_large = values_of(frame)
    platform: list[bytes] = []
    if frame.platform:
        said = frame.platform if keep_users else without_users(frame.platform)
        platform, more = _encoded(said, frame)
        too_large += more
    dead_letters = _dead_letters(frame, too_large, keep_users=keep_users)
    left_out = 0
    if values or platform or frame.notices or dead_letters:
        left_out = _append(
            frame, values, platform, dead_letters, writer, store, instruments, deadline_s, tokens
        )
    _count(frame, len(too_large), instruments)
    return left_out


def values_of(frame: Frame) -> tuple[list[bytes], list[bytes]]:
    """The frame's router lines as JSON, and those that are too large for the log."""
    return _encoded(frame.messages, frame)


def _encoded(messages: Sequence[SyslogMessage], frame: Frame) -> tuple[list[bytes], list[bytes]]:
    """Messages of the frame as JSON, and the texts of those that are too large for the log."""
    values = encode_messages(messages, frame.id, frame.app, int(time.time() * 1000))
    if not values or max(map(len, values)) <= MESSAGE_MAX_BYTES:
        return values, []
    fitting = [value for value in values if len(value) <= MESSAGE_MAX_BYTES]
    too_large = [
        message.msg for message, value in zip(messages, values, strict=True) if len(value) > MESSAGE_MAX_BYTES
    ]
    return fitting, too_large


def _append(
    frame: Frame,
    values: list[bytes],
    platform: list[bytes],
    dead_letters: list[NewDeadLetter],
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
    deadline_s: float,
    tokens: Mapping[str, str],
) -> int:
    def record_events() -> bytes:
        if not frame.notices and not dead_letters:
            return b""
        losses, reports = losses_and_reports(frame, tokens)
        if _write_events(frame, losses, reports, dead_letters, store):
            for loss in losses:
                instruments.lost.labels(loss.code).inc(loss.dropped)
        return marker_of(frame.id)

    started_s = time.monotonic()
    try:
        appended = writer.append(frame.id, values, deadline_s - started_s, record_events, platform=platform)
    except NotDurable as fault:
        if is_out_of_memory(fault.__cause__):
            # It may be full of dead letters from before they were limited; then the retry finds room.
            with contextlib.suppress(redis.RedisError):
                enforce_limit(store)
        raise
    if values or platform:
        instruments.append_s.observe(time.monotonic() - started_s)
        instruments.router_messages.inc(appended.messages)
        if appended.platform:
            instruments.platform_messages.inc(appended.platform)
        if appended.duplicate:
            instruments.duplicates.inc()
    return 0 if appended.duplicate else len(platform) - appended.platform


def _write_events(
    frame: Frame,
    losses: list[Loss],
    reports: list[Report],
    dead_letters: list[NewDeadLetter],
    store: redis.Redis,
) -> bool:
    """Losses, reports and dead letters, to Redis; False where this frame's were recorded before.

    Raises NotDurable if Redis does not accept them.
    """
    now_s = int(time.time())
    try:
        return frame_events.record_once(store, frame.id, frame.app, losses, dead_letters, now_s, reports)
    except redis.RedisError as fault:
        raise NotDurable(
            f"Redis did not accept the frame's losses and dead letters: {type(fault).__name__}"
        ) from fault


def _dead_letters(frame: Frame, too_large: list[bytes], *, keep_users: bool) -> list[NewDeadLetter]:
    def letter(kind: Kind, reason: str, value: bytes) -> NewDeadLetter:
        return dead_letter(kind, frame.receiver, reason, value, frame.app)

    def unread(kind: Kind, reason: str, value: bytes) -> NewDeadLetter:
        if not keep_users:
            value = masked(value[:VALUE_MAX_BYTES]) + value[VALUE_MAX_BYTES:]
        return letter(kind, reason, value)

    kept, further = frame.rejects[:REJECTS_KEPT_EACH], frame.rejects[REJECTS_KEPT_EACH:]
    dead_letters = [unread("line", reject.reason, reject.raw) for reject in kept]
    if further:
        together = b"".join(reject.framed for reject in further)
        dead_letters.append(unread("body", f"{len(further)} further messages like these", together))
    dead_letters += [letter("line", "too large for the log", line) for line in too_large]
    if frame.broken:
        dead_letters.append(unread("body", str(frame.broken), frame.rest))
    return dead_letters


def _count(frame: Frame, too_large: int, instruments: Instruments) -> None:
    instruments.frames.inc()
    instruments.messages.inc(frame.message_count)
    instruments.bytes.inc(frame.size_bytes)
    if frame.broken:
        instruments.malformed.labels("rest").inc()
    if frame.uncounted_newlines:
        instruments.malformed.labels("newline").inc(frame.uncounted_newlines)
    if frame.rejects or too_large:
        instruments.malformed.labels("line").inc(len(frame.rejects) + too_large)
    if frame.declared_count is not None and frame.declared_count != frame.message_count:
        instruments.miscounted.inc()
