"""The board in Redis. It is written with the messages and the history of a moment in one script (commit.lua):
all of that, or nothing.

A hash: `board` holds what is no alert and no incident, `alert <key>` and `incident <id>` hold one each, so
that a moment writes what it changed and no more. `sequence` counts deliveries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import orjson
import redis

from app.alerts.board import AlertState, Board, Incident
from app.alerts.engine import Step
from app.alerts.message import Message
from app.alerts.redis.lease import read_script
from app.alerts.redis.outbox import delivery_id, for_target
from app.alerts.redis.stored import decoded, encoded, fields_of
from app.store import keys
from app.store.bounds import (
    ALERT_FINDINGS_MAX,
    ALERT_HISTORY_MAX,
    ALERT_HISTORY_MAX_BYTES,
    ALERT_OUTBOX_MAX,
    ALERT_TARGETS_MAX,
    ALERTS_KEPT_S,
    ALERTS_OF_INCIDENT_MAX,
)
from app.store.settle import run_raw

VERSION = 1
"""Of the JSON. A later one may add fields: see stored.py."""

ALERT = "alert "
INCIDENT = "incident "
"""Stand before an alert's key and an incident's id."""

_BOARD = keys.ALERT_BOARD_ITSELF
_SEQUENCE = "sequence"
_PLAIN = tuple(field.name for field in fields(Board) if field.name not in ("alerts", "incidents"))
_COMMIT = read_script("outbox.lua", "commit.lua")


def read_board(store: redis.Redis) -> Board:
    """An empty one at first. What cannot be read (a later version's) is left out. Raises redis.RedisError."""
    return board_of(cast(Mapping[bytes, bytes], store.hgetall(keys.ALERT_BOARD)))


def board_of(found: Mapping[bytes, bytes]) -> Board:
    """The board that the fields of its hash are."""
    alerts: dict[str, AlertState] = {}
    incidents: dict[str, Incident] = {}
    for name, text in found.items():
        alert = decoded(AlertState, text) if name.startswith(ALERT.encode()) else None
        if alert is not None:
            alerts[alert.key] = alert
        incident = decoded(Incident, text) if name.startswith(INCIDENT.encode()) else None
        if incident is not None and incident.alerts:
            incidents[incident.id] = incident
    plain = fields_of(Board, found.get(_BOARD.encode()), _PLAIN)
    return Board(**plain, alerts=alerts, incidents=incidents)


def commit(
    store: redis.Redis,
    holder: str,
    step: Step,
    messages: Sequence[Message],
    *,
    shown: Sequence[Message] | None = None,
    before: Board | None = None,
    now_s: float | None = None,
) -> bool:
    """Stores the step's board, adds its incidents to the history and its messages to the outbox, once for
    each target that they name. False: this holder does not have the lease, or the board is no longer
    `before`, and nothing was written. Works on a full Redis, too. Raises redis.RedisError: then it was
    written, or not.

    `shown`: messages of whole incidents, for the page; None: they are what is told.
    `before`: the board that the step was made from, as it was read; None: whatever there is is replaced.
    `now_s`: Unix s, when waiting for targets begins; None: the board's moment.
    """
    at_s = step.board.at_s if now_s is None else now_s
    arguments = {
        "before": None if before is None else [before.at_s, before.evaluated_s],
        "board": dict(_changed(step.board, before or Board())),
        "names": [_BOARD, _SEQUENCE, *_names(step.board)],
        "told": {one.incident: encoded(bounded(one)) for one in (messages if shown is None else shown)},
        "open": list(step.board.incidents),
        "ended": [
            (incident.id, incident.resolved_s or step.board.at_s, encoded(_bounded_incident(incident)))
            for incident in step.resolved
        ],
        "deliveries": [
            (
                delivery_id(message, target),
                target,
                message.incident,
                message.kind,
                encoded(bounded(for_target(message, target))),
            )
            for message in messages
            for target in dict.fromkeys(message.to)
        ],
        "now_s": at_s,
        "kept_since_s": step.board.at_s - ALERTS_KEPT_S,
        "history_max": ALERT_HISTORY_MAX,
        "history_max_bytes": ALERT_HISTORY_MAX_BYTES,
        "outbox_max": ALERT_OUTBOX_MAX,
        "targets_max": ALERT_TARGETS_MAX,
    }
    names = (
        *(keys.ALERT_LEASE, keys.ALERT_BOARD, keys.ALERTS_TOLD, keys.ALERT_HISTORY),
        *(keys.ALERT_HISTORY_ENDS, keys.ALERT_OUTBOX, keys.ALERT_OUTBOX_MESSAGES, keys.ALERT_TARGETS),
    )
    answer: bytes = run_raw(store, _COMMIT, names, [holder, orjson.dumps(arguments)])
    return answer == b"written"


def bounded(message: Message) -> Message:
    """The message as it is stored: with so many findings at most."""
    more = len(message.findings) - ALERT_FINDINGS_MAX
    if more <= 0:
        return message
    return replace(
        message, findings=message.findings[:ALERT_FINDINGS_MAX], more_findings=message.more_findings + more
    )


def _bounded_incident(incident: Incident) -> Incident:
    return replace(incident, alerts=incident.alerts[:ALERTS_OF_INCIDENT_MAX], tellings=())


def _names(board: Board) -> Iterator[str]:
    yield from (ALERT + key for key in board.alerts)
    yield from (INCIDENT + incident for incident in board.incidents)


def _changed(board: Board, before: Board) -> Iterator[tuple[str, str]]:
    """Fields of the hash that differ, and always the board's own."""
    plain: dict[str, Any] = {name: getattr(board, name) for name in _PLAIN}
    yield _BOARD, encoded({"version": VERSION, **plain})
    for key, alert in board.alerts.items():
        if before.alerts.get(key) != alert:
            yield ALERT + key, encoded(alert)
    for incident_id, incident in board.incidents.items():
        if before.incidents.get(incident_id) != incident:
            yield INCIDENT + incident_id, encoded(incident)
