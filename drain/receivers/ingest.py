"""From a body to durable messages: parse, append to the log, then what came beside. No HTTP here."""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.errors import NotDurable
from app.log import Writer
from app.redis_memory import is_out_of_memory
from app.store.dead_letters import NewLetter, dead_letter, hold_bound
from app.store.frame_events import Loss, guard_of, keep
from drain.instruments import Instruments
from drain.receivers.logplex import Body, SyslogLine, read_body
from drain.receivers.messages import encode_lines

LETTERS_EACH = 50
"""Lines of one frame that get a dead letter each; further ones share one."""

FRAME_ID_MAX_CHARACTERS = 64
"""Logplex's are UUIDs, of 36."""

MESSAGE_MAX_BYTES = 900_000
"""Under what Kafka takes by default (1,048,588 bytes a batch), whatever it is packed in."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a request says beside its body."""

    frame_id: str
    app: str
    declared_count: int | None
    """`Logplex-Msg-Count`; None where it is missing or no number."""


def frame_id_of(header: str) -> str:
    """The frame's identity; a sender that gives none gets a new one, and no retry is known again.

    A long id is known by its digest, because thousands of them are remembered.
    """
    if not (header and header.isascii() and header.isprintable()):
        return uuid.uuid4().hex
    if len(header) > FRAME_ID_MAX_CHARACTERS:
        return hashlib.blake2b(header.encode(), digest_size=16).hexdigest()
    return header


def ingest(
    body: bytes,
    delivery: Delivery,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
    timeout_s: float,
) -> None:
    """Returns once all that the body holds is safe.

    Raises MalformedFrame for a body that is broken from its first byte, NotDurable when it is not
    safe in time: the same body may then be sent again.
    """
    deadline_s = time.monotonic() + timeout_s
    parsed = read_body(body)
    if parsed.broken and not parsed.frames:
        instruments.malformed.labels("body").inc()
        raise parsed.broken
    values, too_large = values_of(parsed.router, delivery)
    if values or has_frame_events(parsed, too_large):
        _append(parsed, values, too_large, delivery, writer, store, instruments, deadline_s)
    _count(parsed, len(body), too_large, delivery, instruments)


def _append(
    parsed: Body,
    values: list[bytes],
    too_large: list[bytes],
    delivery: Delivery,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
    deadline_s: float,
) -> None:
    def beside() -> bytes:
        if not has_frame_events(parsed, too_large):
            return b""
        if record_frame_events(parsed, too_large, delivery, store):
            for notice in parsed.notices:
                instruments.lost.labels(notice.code).inc(notice.dropped)
        return guard_of(delivery.frame_id)

    started = time.monotonic()
    try:
        appended = writer.append(delivery.frame_id, values, deadline_s - started, beside)
    except NotDurable as fault:
        if is_out_of_memory(fault.__cause__):
            # It may be full of letters from before they were bounded: then the retry finds room.
            with contextlib.suppress(redis.RedisError):
                hold_bound(store)
        raise
    if values:
        instruments.append_s.observe(time.monotonic() - started)
        instruments.router_lines.inc(appended.messages)
        if appended.duplicate:
            instruments.duplicates.inc()


def values_of(lines: Sequence[SyslogLine], delivery: Delivery) -> tuple[list[bytes], list[bytes]]:
    """The messages of the lines as JSON, and the lines that are too large for the log."""
    received_at = int(time.time() * 1000)
    values = encode_lines(lines, delivery.frame_id, delivery.app, received_at)
    if not values or max(map(len, values)) <= MESSAGE_MAX_BYTES:
        return values, []
    fitting = [value for value in values if len(value) <= MESSAGE_MAX_BYTES]
    too_large = [
        line.msg for line, value in zip(lines, values, strict=True) if len(value) > MESSAGE_MAX_BYTES
    ]
    return fitting, too_large


def has_frame_events(parsed: Body, too_large: list[bytes]) -> bool:
    """Whether there is something for `record_frame_events` to keep."""
    return bool(parsed.notices or parsed.bad or parsed.broken or too_large)


def record_frame_events(parsed: Body, too_large: list[bytes], delivery: Delivery, store: redis.Redis) -> bool:
    """Losses and dead letters, to Redis; False where this frame's were kept before.

    Raises NotDurable when Redis is unreachable.
    """
    losses = [Loss(notice.code, notice.dropped) for notice in parsed.notices]
    letters = _letters(parsed, too_large, delivery.app)
    if not losses and not letters:
        return True
    try:
        return keep(store, delivery.frame_id, delivery.app, losses, letters, int(time.time()))
    except redis.RedisError as fault:
        raise NotDurable(
            f"Redis did not store loss notices or dead letters: {type(fault).__name__}"
        ) from fault


def _letters(parsed: Body, too_large: list[bytes], app: str) -> list[NewLetter]:
    each, further = parsed.bad[:LETTERS_EACH], parsed.bad[LETTERS_EACH:]
    letters = [dead_letter("line", "drain", bad.reason, bad.raw, app) for bad in each]
    if further:
        together = b"".join(b"%d %s" % (len(bad.raw), bad.raw) for bad in further)
        letters.append(dead_letter("body", "drain", f"{len(further)} more lines like these", together, app))
    letters += [dead_letter("line", "drain", "too large for the log", line, app) for line in too_large]
    if parsed.broken:
        letters.append(dead_letter("body", "drain", str(parsed.broken), parsed.rest, app))
    return letters


def _count(
    parsed: Body, size: int, too_large: list[bytes], delivery: Delivery, instruments: Instruments
) -> None:
    instruments.frames.inc()
    instruments.lines.inc(parsed.frames)
    instruments.bytes.inc(size)
    if parsed.broken:
        instruments.malformed.labels("rest").inc()
    if parsed.bad or too_large:
        instruments.malformed.labels("line").inc(len(parsed.bad) + len(too_large))
    if delivery.declared_count is not None and delivery.declared_count != parsed.frames:
        instruments.miscounted.inc()
