"""The query parameters of the API, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from app.durations import seconds_of
from app.store.keys import ALL_ROUTES
from app.store.queries import Span, read_span
from app.store.queries.changes import OFFSETS_S, Earlier
from app.store.queries.release_comparison import WINDOW_S as COMPARED_S
from app.store.queries.spans import FINE_S, SPAN_MAX_S
from app.timespec import BadTime, iso, parse_time_ms

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
"""Old names of windows that are still accepted -> new names."""

WINDOWS = (*SPANS_S, *OLD_NAMES)

DEFAULT_WINDOW = "1h"

CLOCKS_DIFFER_S = 60
"""So much later than now a `to` may be: the clock of who asks may be ahead. It counts as now."""

ROUNDED_TO_S = FINE_S
"""Times that count from now, such as `1h`, are multiples of so many seconds."""

APP_PATTERN = "[A-Za-z0-9_-]{0,64}"
DIGEST_PATTERN = f"[0-9a-f]{{64}}|{ALL_ROUTES}"
RUN_PATTERN = "[A-Za-z0-9._:+-]{1,100}"
RELEASE_PATTERN = "v?[1-9][0-9]{0,8}"

LATEST = 0
"""In place of a version: the latest release."""

COMPARED_SPANS = ("from", "to", "with_from", "with_to")
"""Beginning and end of one span, and of the other, that are compared in place of a release."""


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
    """The name of the span; empty where `from` and `to` give one."""
    span: Span | None = Span(3_600)
    """None: all time."""
    route: str = ALL_ROUTES
    """A digest, or `all`."""
    run: str = ""
    compare: Earlier | None = None
    """What the span is compared with."""
    by_app: bool = False
    """Whether equal routes of several apps are told apart."""
    release: int = LATEST
    """The version of the release that is asked about."""
    window_s: int = COMPARED_S
    """How much before and after it, in seconds."""
    spans: tuple[Span, Span] | None = None
    """Two spans that are compared, in place of a release."""


def read_parameters(
    names: Sequence[str],
    arguments: MultiDict[str, str],
    in_path: Mapping[str, str] | None = None,
    now_s: float = 0.0,
) -> Parameters:
    """The parameters of these names (those of the OpenAPI document) from the query and the path.
    `now_s`: what relative times count from, Unix s.

    Raises BadParameter, also for a name that is not one of them: a misspelt one must not give other
    figures.
    """
    in_path = in_path or {}
    known = [QUERY_NAMES[name] for name in names if name in QUERY_NAMES]
    for name in arguments:
        if name not in known:
            raise BadParameter(name[:80], arguments[name], known, is_known=False)
    app = _matching(arguments.get("app", ""), APP_PATTERN, "app", _AN_APP)
    if "release" in names:
        return _comparison(app, arguments, now_s)
    window, span = _span(arguments, names, now_s)
    digest = _matching(in_path.get("digest", ALL_ROUTES), DIGEST_PATTERN, "digest", _A_DIGEST)
    route = _matching(arguments.get("route", digest), DIGEST_PATTERN, "route", _A_DIGEST)
    run = _matching(in_path["run"], RUN_PATTERN, "run", _A_RUN) if "run" in in_path else ""
    compare = _compare(arguments.get("compare", ""))
    return Parameters(app, window, span, route, run, compare, _by_app(arguments.get("by", "")))


QUERY_NAMES = {
    "app": "app",
    "window": "window",
    "series_window": "window",
    "from": "from",
    "to": "to",
    "step": "step",
    "route": "route",
    "compare": "compare",
    "by": "by",
    "release": "release",
    "length": "window",
    "with_from": "with_from",
    "with_to": "with_to",
}
"""Parameters of the query: name in the document -> name in the query. All others are in the path."""

_AN_APP = "an app's name as in GET /api/apps, or empty for all apps together"
_A_DIGEST = "a digest of 64 hex digits as in GET /api/routes, or `all`"
_A_RUN = "the id of a run as in GET /api/replay"


_A_TIME = "a time such as 2026-11-23T10:00Z, 10:00Z (today), 1h (ago), now, or Unix seconds"
_A_STEP = "a length such as 10s, 1m or 1h"


def _span(arguments: Mapping[str, str], names: Sequence[str], now_s: float) -> tuple[str, Span | None]:
    """The name of the window, or none, and the span. Raises BadParameter."""
    step_s = _step(arguments.get("step", ""))
    if "from" not in arguments and "to" not in arguments:
        window = _window(arguments.get("window", DEFAULT_WINDOW), without_all_time="series_window" in names)
        seconds = SPANS_S[window]
        return window, None if seconds is None else Span(seconds, step_s=step_s)
    if "window" in arguments:
        raise BadParameter("window", arguments["window"], "not together with `from` and `to`")
    if "from" not in arguments:
        raise BadParameter("from", "", f"{_A_TIME}; `to` needs it")
    start, end = arguments["from"], arguments.get("to", "now")
    from_s, until_s = _time_s("from", start, now_s), _time_s("to", end, now_s)
    if from_s > now_s:
        raise BadParameter("from", start, f"a time in the past: it is {iso(int(now_s) * 1000)} now")
    if until_s > now_s + CLOCKS_DIFFER_S:
        raise BadParameter("to", end, f"`now` or a time in the past: it is {iso(int(now_s) * 1000)} now")
    if until_s <= from_s:
        raise BadParameter("to", end, "a time after `from`")
    if from_s < int(now_s) - SPAN_MAX_S - ROUNDED_TO_S:
        raise BadParameter("from", start, "at most 31 days ago: older figures are in `window=all` alone")
    if end != "now":
        return "", Span(until_s - from_s, until_s, step_s)
    if _is_relative(start):
        return "", Span(max(FINE_S, until_s - from_s), step_s=step_s)
    # It begins where it says, and goes on.
    until_s += ROUNDED_TO_S
    return "", Span(until_s - from_s, until_s, step_s)


def _comparison(app: str, arguments: Mapping[str, str], now_s: float) -> Parameters:
    """What is compared: the spans around a release, or two spans. Raises BadParameter."""
    given = [name for name in COMPARED_SPANS if name in arguments]
    if not given:
        window = arguments.get("window", "")
        try:
            window_s = read_span(window) if window else COMPARED_S
        except ValueError as fault:
            raise BadParameter("window", window, str(fault)) from None
        return Parameters(app, release=_release(arguments.get("release", "")), window_s=window_s)
    for name in ("release", "window"):
        if name in arguments:
            raise BadParameter(name, arguments[name], f"not together with `{given[0]}`")
    for name in COMPARED_SPANS:
        if name not in arguments:
            raise BadParameter(name, "", f"{_A_TIME}; `{given[0]}` needs it")
    starts_s, ends_s = (
        [_time_s(name, arguments[name], now_s) for name in some]
        for some in (COMPARED_SPANS[::2], COMPARED_SPANS[1::2])
    )
    for name, start_s, end_s in zip(COMPARED_SPANS[1::2], starts_s, ends_s, strict=True):
        if end_s <= start_s:
            raise BadParameter(name, arguments[name], "a time after the beginning of its span")
    one, other = (Span(end_s - start_s, end_s) for start_s, end_s in zip(starts_s, ends_s, strict=True))
    return Parameters(app, spans=(one, other))


def _release(value: str) -> int:
    if value in ("", "latest"):
        return LATEST
    if not re.fullmatch(RELEASE_PATTERN, value):
        raise BadParameter("release", value, "a version such as v42, or `latest`")
    return int(value.removeprefix("v"))


def _time_s(parameter: str, value: str, now_s: float) -> int:
    """Unix s. What counts from now is rounded, so that the same question has the same answer for a while."""
    if value.isascii() and value.isdecimal() and len(value) <= 12:
        return int(value)
    rounded_s = now_s // ROUNDED_TO_S * ROUNDED_TO_S
    try:
        return parse_time_ms(value, datetime.fromtimestamp(rounded_s, UTC)) // 1000
    except BadTime:
        raise BadParameter(parameter, value, _A_TIME) from None


def _is_relative(value: str) -> bool:
    try:
        seconds_of(value.removeprefix("-"))
    except ValueError:
        return value == "now"
    return True


def _step(value: str) -> int | None:
    if not value:
        return None
    try:
        step_s = seconds_of(value)
    except ValueError:
        step_s = 0
    if not FINE_S <= step_s <= SPAN_MAX_S:
        raise BadParameter("step", value, _A_STEP)
    return step_s


def _compare(value: str) -> Earlier | None:
    if not value:
        return None
    found = next((name for name in OFFSETS_S if name == value), None)
    if found is None:
        raise BadParameter("compare", value, list(OFFSETS_S))
    return found


def _by_app(value: str) -> bool:
    if value not in ("", "app"):
        raise BadParameter("by", value, ["app"])
    return value == "app"


def _window(value: str, *, without_all_time: bool) -> str:
    without = ALL_TIME if without_all_time else ""
    allowed = [name for name in WINDOWS if OLD_NAMES.get(name, name) != without]
    if value not in allowed:
        raise BadParameter("window", value, allowed)
    return OLD_NAMES.get(value, value)


def _matching(value: str, pattern: str, parameter: str, allowed: str) -> str:
    if not re.fullmatch(pattern, value):
        raise BadParameter(parameter, value, allowed)
    return value
