"""Sums of a few windows of each of many rows, for what looks every few seconds: Redis hands the windows out
as they are, and they are summed up here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import redis

from app.store import keys
from app.store.queries.spanned import Row
from app.store.queries.spans import Window
from app.store.queries.stored_events import checked
from app.store.queries.windows import by_chunk
from app.store.schema import Field
from app.store.sums import Sums, sums_of
from app.store.window_values import Values, unpacked

WINDOWS_AT_ONCE = 10_000
"""Of one round trip: a window is some 70 bytes, but one full of invented latencies is 2 kB."""


def window_sums(
    store: redis.Redis, rows: Sequence[Row], parts: Sequence[Sequence[Window]]
) -> dict[Row, list[Sums | None]]:
    """Row -> the sums of the windows of each part, None where it had no request in it; rows without any are
    left out. A window may be in several parts. Rows are read in their order. Raises redis.RedisError."""
    windows = sorted(set(chain.from_iterable(parts)))
    if not windows:
        return {}
    chunks = by_chunk(windows)
    # A row's answers come in this order, which is that of `chunks`.
    at_once = max(1, WINDOWS_AT_ONCE // len(windows))
    found: dict[Row, list[Sums | None]] = {}
    for at in range(0, len(rows), at_once):
        pipeline = store.pipeline(transaction=False)
        some = rows[at : at + at_once]
        for app, digest in some:
            prefix = keys.windows(app, digest)
            for name, numbers in chunks:
                pipeline.hmget(prefix + name, numbers)
        answers = iter(pipeline.execute(raise_on_error=False))
        for row in some:
            values = _values(windows, chunks, answers)
            if values:
                found[row] = [_sums(values[window] for window in part if window in values) for part in parts]
    return found


def _values(
    windows: Sequence[Window], chunks: Sequence[tuple[str, list[int]]], answers: Iterator[object]
) -> Mapping[Window, Values]:
    """The windows of one row that are there."""
    found: dict[Window, Values] = {}
    packed = chain.from_iterable(checked(next(answers)) or [None] * len(numbers) for _, numbers in chunks)
    for window, value in zip(windows, packed, strict=True):
        if value is not None:
            with contextlib.suppress(ValueError):  # Something else is under the chunk's name.
                found[window] = unpacked(value)
    return found


def _sums(windows: Iterable[Values]) -> Sums | None:
    total: dict[Field, int] = {}
    for window in windows:
        for field, count in window.items():
            total[field] = total.get(field, 0) + count
    return sums_of(total) if total else None
