"""How alerts by rules themselves are: whether anything judges, and which targets take no messages. Pure.

app/alerts writes what is read here: its board and its account of targets (app/alerts/redis).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class FailingTarget:
    """A target that did not take the last message that it was to have."""

    name: str
    given_up: int
    """Messages that it never took, all in all."""
    given_up_s: int
    """The last of them, Unix s."""
    reason: str


@dataclass(frozen=True, slots=True)
class AlertingHealth:
    """What health says of alerts."""

    judged_s: int | None = None
    """When rules were judged last, Unix s; None: never."""
    failing_targets: list[FailingTarget] = field(default_factory=list)


def alerting_health(board: bytes | None, targets: Mapping[bytes, bytes]) -> AlertingHealth:
    """`board`: the field keys.ALERT_BOARD_ITSELF; `targets`: all of keys.ALERT_TARGETS. What is not readable,
    such as a later version's, is left out."""
    at_s = _object(board).get("at_s")
    return AlertingHealth(
        judged_s=at_s if isinstance(at_s, int) and at_s > 0 else None,
        failing_targets=sorted(_failing(targets), key=lambda target: target.name),
    )


def _failing(targets: Mapping[bytes, bytes]) -> Iterator[FailingTarget]:
    for name, text in targets.items():
        found = _object(text)
        given_up, given_up_s = found.get("given_up"), found.get("given_up_s")
        delivered_s = found.get("delivered_s") or 0
        if isinstance(given_up, int) and isinstance(given_up_s, int) and given_up_s > delivered_s:
            yield FailingTarget(
                name.decode("utf-8", "replace"), given_up, given_up_s, str(found.get("reason", ""))
            )


def _object(text: bytes | None) -> dict[str, Any]:
    try:
        found = orjson.loads(text or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
