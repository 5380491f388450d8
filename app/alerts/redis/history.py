"""Incidents as they were told: those that are open, and those that ended within the last 31 days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import redis

from app.alerts.board import Board, Incident
from app.alerts.message import Message
from app.alerts.redis.board import board_of
from app.alerts.redis.stored import decoded
from app.store import keys, replies

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Told:
    """An incident, and the last message that was made of it."""

    incident: Incident
    message: Message | None = None
    """None: it was not told, because it was silenced, or too short."""


def read_board_and_open(store: redis.Redis) -> tuple[Board, list[Told]]:
    """The board, and its incidents as they were told, in no order. Raises redis.RedisError."""
    pipeline = store.pipeline(transaction=False)
    pipeline.hgetall(keys.ALERT_BOARD)
    pipeline.hgetall(keys.ALERTS_TOLD)
    found, told = pipeline.execute()
    board = board_of(found)
    return board, [
        Told(incident, decoded(Message, told.get(incident.id.encode())))
        for incident in board.incidents.values()
    ]


def read_history(
    store: redis.Redis, from_s: float, to_s: float, app: str = "", *, most: int = 200
) -> list[Told]:
    """Those that ended and overlap the span (Unix s), the newest first, `most` at most; of one app, or with
    "" of all. Raises redis.RedisError."""
    ids = replies.text_list(store.zrangebyscore(keys.ALERT_HISTORY_ENDS, from_s, "+inf"))
    ids.reverse()
    found: list[Told] = []
    for start in range(0, len(ids), _PAGE):
        texts = cast(Sequence[bytes | None], store.hmget(keys.ALERT_HISTORY, ids[start : start + _PAGE]))
        read = (decoded(Told, text) for text in texts)
        found += [told for told in read if told is not None and _is_in(told.incident, to_s, app)]
        if len(found) >= most:
            break
    return found[:most]


def _is_in(incident: Incident, to_s: float, app: str) -> bool:
    return bool(incident.alerts) and incident.began_s <= to_s and app in ("", incident.app)
