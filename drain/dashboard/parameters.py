"""The query parameters of the API, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from app.store.keys import ALL_ROUTES

ALL_TIME = "all"

SPANS_S: dict[str, int | None] = {
    "5m": 300,
    "1h": 3_600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
    ALL_TIME: None,
}
"""`window` -> seconds; None: all time."""

OLD_NAMES = {"ever": ALL_TIME}
"""Names of windows that are accepted still, and what they are called now."""

WINDOWS = (*SPANS_S, *OLD_NAMES)

DEFAULT_WINDOW = "1h"
APP_PATTERN = "[A-Za-z0-9_-]{0,64}"
DIGEST_PATTERN = f"[0-9a-f]{{64}}|{ALL_ROUTES}"
RUN_PATTERN = "[A-Za-z0-9._:+-]{1,100}"


@dataclass(slots=True)
class BadParameter(Exception):
    """A parameter has an invalid value or an unknown name; `allowed` says what is valid."""

    parameter: str
    value: str
    allowed: list[str] | str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is asked for, checked; those that the endpoint does not take have their defaults."""

    app: str = ""
    window: str = DEFAULT_WINDOW
    """The name of the span."""
    span_s: int | None = SPANS_S[DEFAULT_WINDOW]
    """None for all time."""
    route: str = ALL_ROUTES
    """A digest, or `all`."""
    run: str = ""


def read(
    names: Sequence[str], arguments: MultiDict[str, str], in_path: Mapping[str, str] | None = None
) -> Parameters:
    """The parameters of these names (those of the OpenAPI document) from the query and the path.

    Raises BadParameter, also for a name that is not one of them: a misspelt one must not give other
    figures.
    """
    in_path = in_path or {}
    known = [QUERY_NAMES[name] for name in names if name in QUERY_NAMES]
    for name in arguments:
        if name not in known:
            raise BadParameter(name[:80], arguments[name], known, is_known=False)
    app = _matching(arguments.get("app", ""), APP_PATTERN, "app", _AN_APP)
    window = _window(arguments.get("window", DEFAULT_WINDOW), without_all_time="series_window" in names)
    digest = _matching(in_path.get("digest", ALL_ROUTES), DIGEST_PATTERN, "digest", _A_DIGEST)
    route = _matching(arguments.get("route", digest), DIGEST_PATTERN, "route", _A_DIGEST)
    run = _matching(in_path["run"], RUN_PATTERN, "run", _A_RUN) if "run" in in_path else ""
    return Parameters(app, window, SPANS_S[window], route, run)


QUERY_NAMES = {"app": "app", "window": "window", "series_window": "window", "route": "route"}
"""Parameters of the query: name in the document -> name in the query. All others are in the path."""

_AN_APP = "an app's name as in GET /api/apps, or empty for all apps together"
_A_DIGEST = "a digest of 64 hex digits as in GET /api/routes, or `all`"
_A_RUN = "the id of a run as in GET /api/replay"


def _window(value: str, *, without_all_time: bool) -> str:
    timed = [name for name, span_s in SPANS_S.items() if span_s]
    allowed = timed if without_all_time else list(WINDOWS)
    if value not in allowed:
        raise BadParameter("window", value, allowed)
    return OLD_NAMES.get(value, value)


def _matching(value: str, pattern: str, parameter: str, allowed: str) -> str:
    if not re.fullmatch(pattern, value):
        raise BadParameter(parameter, value, allowed)
    return value
