"""`alerts:` of the YAML file, parsed into checked rules. Pure.

A rule has a `name`, and a `when` (app/alerts/when.py) or an `slo` (app/alerts/slo.py). `app` and `route` say
of what, `for` how long it must hold, `to` who is told, `repeat` how often, and `min_requests` what is too
few. docs/alerts.md has examples.
"""

from __future__ import annotations

import difflib
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Mapping
from typing import Any

from app.alerts.clause import CHARS_MAX, short_span
from app.alerts.condition import Condition
from app.alerts.conditions.burn import BurnRate
from app.alerts.defaults import DEFAULT_RULES
from app.alerts.rule import EACH, EVERY_RULE, MIN_REQUESTS, REPEAT_S, Rule
from app.alerts.slo import EXAMPLE, OVER_DEFAULT_S, Objective, parse_objective, parse_of, parse_over
from app.alerts.when import parse_when
from app.alerts.wording import span_of
from app.durations import seconds_of
from app.errors import BadSettings
from app.masking import safe_repr
from app.routes import compile_rules
from app.settings.readers import app_argument

KEYS = ("name", "app", "route", "when", "slo", "for", "to", "min_requests", "repeat")
SLO_KEYS = ("objective", "of", "over")

RULES_MAX = 100
NAME_MAX_CHARS = 64
ROUTE_MAX_CHARS = 500
TARGETS_MAX = 20
FOR_MAX_S = 86_400
REPEAT_MIN_S, REPEAT_MAX_S = 60, 7 * 86_400
MIN_REQUESTS_MAX = 1_000_000
FAULTS_MAX_CHARS = 400
"""Of one: what a person wrote may be long."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

_PLACEHOLDER = re.compile(r"\{[^/{}]*\}|<[^/<>]*>")
"""What stands for a segment in patterns of others."""

Fault = Callable[[str], None]
"""Records what is wrong with a rule; parsing continues, so that all faults are reported at once."""


def parse_alerts(entries: Any, targets: Collection[str] = ()) -> tuple[Rule, ...]:
    """`targets`: names that a target may have here. Whether the environment describes it is seen where all
    settings are known (checks.py). Raises BadSettings with every fault of every rule, ValueError if it is no
    list of rules."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError("must be a list of rules, such as {name: errors, when: errors > 2%}")
    if len(entries) > RULES_MAX:
        raise ValueError(f"has {len(entries)} rules: {RULES_MAX} at most")
    faults: list[str] = []
    rules: list[Rule] = []
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        found: list[str] = []
        rule = _rule(entry, targets, found.append)
        if rule.name and rule.name in seen:
            found.append(f"rule {seen[rule.name]} has the same name: names are those of one rule each")
        seen.setdefault(rule.name, number)
        rules.append(rule)
        label = f"rule {number} ({rule.name})" if rule.name else f"rule {number}"
        faults += [f"alerts: {label}: {text[:FAULTS_MAX_CHARS]}" for text in found]
    if faults:
        raise BadSettings(faults)
    return tuple(rules)


def _rule(entry: Mapping[Any, Any], targets: Collection[str], fault: Fault) -> Rule:
    _unknown_keys(entry, KEYS, "a rule", fault)
    conditions, of_route = _conditions(entry, fault)
    return Rule(
        name=_name(entry, fault),
        when=conditions,
        app=_app(entry, conditions, fault),
        route=_route(entry, of_route, conditions, fault),
        for_s=_seconds(entry, "for", 0, (0, FOR_MAX_S), fault),
        to=_targets(entry, targets, fault),
        min_requests=_min_requests(entry, fault),
        repeat_s=_repeat(entry, fault),
    )


def _unknown_keys(entry: Mapping[Any, Any], known: tuple[str, ...], what: str, fault: Fault) -> None:
    for key in entry:
        if key in known:
            continue
        name = str(key)
        nearest = difflib.get_close_matches(name.lower()[:NAME_MAX_CHARS], known, n=1)
        question = f" (did you mean {nearest[0]}?)" if nearest else ""
        fault(f"unknown key {safe_repr(name[:NAME_MAX_CHARS])}{question}; {what} has {', '.join(known)}")


def _name(entry: Mapping[Any, Any], fault: Fault) -> str:
    given = entry.get("name")
    name = "" if given is None else str(given)
    if isinstance(given, bool):
        fault("`name` must be in quotes: YAML reads on, off, yes and no as true and false")
        return ""
    if not name:
        fault("must have a `name`, such as checkout-errors")
    elif len(name) > NAME_MAX_CHARS or not _NAME.fullmatch(name):
        fault(
            f"`name` must be letters, digits, `-`, `_` and `.`, {NAME_MAX_CHARS} at most, "
            "because commands take it"
        )
        return ""
    if name == EVERY_RULE:
        fault(f"`name` cannot be {EVERY_RULE}: `alerts silence {EVERY_RULE}` means every rule")
    return name


def _conditions(entry: Mapping[Any, Any], fault: Fault) -> tuple[tuple[Condition, ...], str]:
    """And the route of an objective."""
    when, slo = entry.get("when"), entry.get("slo")
    if (when is None) == (slo is None):
        both = "has both" if when is not None else "has neither"
        fault(f"must have `when` or `slo`, and {both}: e.g. when: errors > 2%, or slo: {EXAMPLE}")
        return (), ""
    if slo is not None:
        return _objective(slo, fault)
    if not isinstance(when, str):
        # YAML 1.1 reads `off` as false.
        if when is False:
            return _conditions({**entry, "when": "never"}, fault)
        fault("`when` must be a text, such as errors > 2%")
        return (), ""
    try:
        conditions = parse_when(when)
        _switched_off(str(entry.get("name")), conditions, fault)
        return conditions, ""
    except ValueError as refused:
        fault(f"`when` {refused}" if len(when) > CHARS_MAX else f"`when`: {refused}")
        return (), ""


def _switched_off(name: str, conditions: tuple[Condition, ...], fault: Fault) -> None:
    """A fault where a rule that is meant to be off stays on: its name is misspelt."""
    known = [rule.name for rule in DEFAULT_RULES]
    if name in known or [one.text for one in conditions] != ["never"]:
        return
    if any(re.match(rf"{re.escape(one)}[-_.0-9]", name) for one in known):
        return  # A name of its own.
    if nearest := difflib.get_close_matches(name[:NAME_MAX_CHARS], known, n=1, cutoff=0.85):
        fault(f"`when: never` switches off nothing: did you mean the rule {nearest[0]}?")


def _objective(slo: Any, fault: Fault) -> tuple[tuple[Condition, ...], str]:
    if not isinstance(slo, Mapping):
        fault(f"`slo` must be like {EXAMPLE}")
        return (), ""
    _unknown_keys(slo, SLO_KEYS, "`slo`", lambda text: fault(f"`slo`: {text}"))
    faults: list[str] = []
    share, over_s, faster_ms, route = 0.999, OVER_DEFAULT_S, None, ""
    try:
        share = parse_objective(slo.get("objective"))
    except ValueError as refused:
        faults.append(f"`objective` {refused}")
    try:
        route, faster_ms = parse_of(str(slo.get("of") or ""))
    except ValueError as refused:
        faults.append(f"`of` {refused}")
    try:
        over_s = parse_over(slo["over"]) if "over" in slo else OVER_DEFAULT_S
    except ValueError as refused:
        faults.append(f"`over` {refused}")
    for text in faults:
        fault(f"`slo`: {text}")
    return (BurnRate(Objective(share, over_s, faster_ms)),), route


def _app(entry: Mapping[Any, Any], conditions: tuple[Condition, ...], fault: Fault) -> str:
    app = entry.get("app")
    if app is None or app == "":
        return ""
    try:
        name = app_argument(str(app))
    except ArgumentTypeError:
        fault("`app` must be an app's name: a-z, 0-9, - and _, 64 at most; without it, each app is asked")
        return ""
    if name in (EACH, "all"):
        fault(f"`app` {name} would be an app of that name: leave it out, then each app is asked")
    if any(condition.text == "refused" for condition in conditions):
        fault("`app` makes no sense here: a frame that is refused is of no app. Leave it out")
    return name


def _route(entry: Mapping[Any, Any], of_route: str, conditions: tuple[Condition, ...], fault: Fault) -> str:
    given = entry.get("route")
    route = "" if given is None else str(given).strip()
    if route and of_route and route != of_route:
        fault("`route` and the route in `of` differ: write one of them")
    route = route or of_route
    if not route:
        return ""
    if isinstance(given, list | Mapping) or len(route) > ROUTE_MAX_CHARS:
        fault(
            f"`route` must be one pattern such as /users/:id, or each; {ROUTE_MAX_CHARS} characters at most"
        )
        return ""
    if other := next((one.text for one in conditions if one.scope != "routes"), ""):
        fault(f"`route` makes no sense here: {other} is not known of a route. Leave it out")
    if route.lower() == EACH:
        return EACH
    if found := _PLACEHOLDER.search(route):
        fault(
            f"`route`: {safe_repr(found[0])} stands for itself: a pattern is written like /users/:id or "
            "/api/*rest"
        )
        return ""
    if "?" in route:
        fault("`route`: routes are paths without what follows the `?`")
        return ""
    try:
        compile_rules([route])
    except BadSettings as refused:
        reasons = "; ".join(text.removeprefix("routes: ") for text in refused.faults)
        fault(f"`route`: {reasons}; write a pattern as under `routes:`, or each for each route by itself")
    return route


def _targets(entry: Mapping[Any, Any], known: Collection[str], fault: Fault) -> tuple[str, ...]:
    given = entry.get("to")
    if given is None:
        return ()
    names = given if isinstance(given, list) else [part.strip() for part in str(given).split(",")]
    if (
        isinstance(given, Mapping)
        or not names
        or len(names) > TARGETS_MAX
        or not all(isinstance(name, str) and name for name in names)
    ):
        fault(
            f"`to` must be the name of a target, or a list of up to {TARGETS_MAX}; without it, all are told"
        )
        return ()
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name[:NAME_MAX_CHARS], known, n=1)
            meant = f": did you mean {nearest[0]}?" if nearest else "; targets are named under `targets:`"
            fault(f"`to`: no target is named {safe_repr(name[:NAME_MAX_CHARS])}{meant}")
    return tuple(dict.fromkeys(names))


def _min_requests(entry: Mapping[Any, Any], fault: Fault) -> int:
    value = entry.get("min_requests", MIN_REQUESTS)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MIN_REQUESTS_MAX:
        fault(f"`min_requests` must be a whole number from 1 to {MIN_REQUESTS_MAX:,}")
        return MIN_REQUESTS
    return value


def _repeat(entry: Mapping[Any, Any], fault: Fault) -> int:
    value = entry.get("repeat")
    # YAML 1.1 reads `off` and `no` as false.
    if value is False or str(value).strip().lower() in ("never", "0"):
        return 0
    return _seconds(entry, "repeat", REPEAT_S, (REPEAT_MIN_S, REPEAT_MAX_S), fault)


def _seconds(entry: Mapping[Any, Any], key: str, default: int, bounds: tuple[int, int], fault: Fault) -> int:
    value = entry.get(key)
    if value is None:
        return default
    if value == 0 and not isinstance(value, bool) and bounds[0] == 0:
        return 0
    low, high = bounds
    try:
        seconds = seconds_of(short_span("".join(str(value).split()).lower()))
    except ValueError as refused:
        or_never = ", or never" if key == "repeat" else ""
        fault(f"`{key}` {refused}{or_never}")
        return default
    if not low <= seconds <= high:
        fault(f"`{key}` must be from {span_of(low)} to {span_of(high)}")
        return default
    return seconds
