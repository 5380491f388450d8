"""Silencing from the page and by the API: nothing is sent of a rule until then, or again from now on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.alerts.defaults import rules_of
from app.alerts.redis.silences import add_silence, end_silence, silences
from app.alerts.silencing import UnknownRule, silence_for
from app.errors import TooManySilences
from app.store.bounds import SILENCES_MAX
from drain.dashboard.action import Action, Refused, bad_field
from drain.dashboard.endpoint import Schema, Source
from drain.dashboard.parameters import APP_PATTERN

_RULE: Schema = {"type": "string", "description": "the name of a rule in force; empty: every rule"}
_APP: Schema = {
    "type": "string",
    "pattern": f"^(?:{APP_PATTERN})$",
    "description": "an app's name; empty: every app",
}
_LENGTH: Schema = {
    "type": "string",
    "pattern": "^[0-9]{1,7}[smhdw]$",
    "description": "how long, such as 30m, 1h or 2d: from 60s to 31d",
}

_ANSWER: Schema = {
    "type": "object",
    "required": ["silences"],
    "properties": {
        "silences": {
            "type": "array",
            "description": "those in force now",
            "items": {"$ref": "#/components/schemas/Silence"},
        }
    },
}


def _silence(source: Source, body: Mapping[str, str], now_s: float) -> object:
    try:
        silence = silence_for(rules_of(source.settings), body["rule"], _app(body["app"]), body["for"], now_s)
    except UnknownRule as fault:
        raise Refused(404, "no such rule", {"rule": fault.name[:80], "allowed": fault.names}) from None
    except ValueError as fault:
        raise bad_field("for", body["for"], str(fault)) from None
    try:
        add_silence(source.store, silence, now_s)
    except TooManySilences:
        raise Refused(
            409, f"{SILENCES_MAX} silences are in force already: end one that is not needed"
        ) from None
    return {"silences": silences(source.store, now_s)}


def _end(source: Source, body: Mapping[str, str], now_s: float) -> object:
    # A rule that is no more may have a silence that still is.
    if not end_silence(source.store, body["rule"], _app(body["app"])):
        raise Refused(404, "no such silence", {"rule": body["rule"][:80], "app": body["app"]})
    return {"silences": silences(source.store, now_s)}


def _app(name: str) -> str:
    """Raises Refused."""
    if not re.fullmatch(APP_PATTERN, name):
        raise bad_field("app", name, "an app's name as in GET /api/apps, or empty for every app")
    return name


ACTIONS = (
    Action(
        "/api/alerts/silence",
        "Sends nothing of a rule for a while; it is judged and shown all the same. Replaces a silence of "
        "the same rule and app",
        {"rule": _RULE, "app": _APP, "for": _LENGTH},
        _ANSWER,
        _silence,
    ),
    Action(
        "/api/alerts/silence/end",
        "Ends a silence",
        {"rule": _RULE, "app": _APP},
        _ANSWER,
        _end,
    ),
)
