"""Faults of senders in Redis, as processes of `web` hand them over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import redis

from app.store.sender_faults import Batch, Kind, SenderKind, Tally, record


def record_faults(
    store: redis.Redis,
    faults: Mapping[tuple[Kind, SenderKind], Tally],
    tokens: Mapping[str, Tally],
    now_s: int,
) -> None:
    """What a process counts that has not handed anything over before."""
    record(store, Batch(secrets.token_hex(8), 1, faults, tokens), now_s)
