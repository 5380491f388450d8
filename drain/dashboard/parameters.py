"""The query parameters of the API, read and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    """What is asked for. `window` names the span, `span_s` is None for all time."""

    app: str
    window: str
    span_s: int | None


def read(arguments: MultiDict[str, str], *, without: str = "", further: Sequence[str] = ()) -> Parameters:
    """`app` and `window`, with their defaults. `without`: a window that is not available here.

    Raises BadParameter.
    """
    check_names(arguments, ("app", "window", *further))
    app = arguments.get("app", "")
    if not re.fullmatch(APP_PATTERN, app):
        raise BadParameter("app", app, "an app's name as in GET /api/apps, or empty for all apps together")
    window = arguments.get("window", DEFAULT_WINDOW)
    allowed = [name for name in WINDOWS if OLD_NAMES.get(name, name) != without]
    if window not in allowed:
        raise BadParameter("window", window, allowed)
    window = OLD_NAMES.get(window, window)
    return Parameters(app, window, SPANS_S[window])


def check_names(arguments: MultiDict[str, str], known: Sequence[str] = ()) -> None:
    """Raises BadParameter for an unknown name: a misspelt one must not give other figures."""
    for name in arguments:
        if name not in known:
            raise BadParameter(name[:80], arguments[name], list(known), is_known=False)


def read_digest(value: str, parameter: str) -> str:
    """The digest of a route, or `all`. Raises BadParameter."""
    if not re.fullmatch(DIGEST_PATTERN, value):
        raise BadParameter(parameter, value, "a digest of 64 hex digits as in GET /api/routes, or `all`")
    return value


def read_run(value: str) -> str:
    """The id of a replay's run. Raises BadParameter."""
    if not re.fullmatch(RUN_PATTERN, value):
        raise BadParameter("run", value, "the id of a run as in GET /api/replay")
    return value
