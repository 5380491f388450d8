"""The title of a message: what is wrong, in one line. Pure.

A judgement says it in a sentence of its own (`20.3 % of 1,240 requests failed, the limit is 2 %`); the title
takes what comes before the comma or semicolon, and adds which app and which routes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.alerts.board import AlertState, Incident
from app.alerts.condition import Family
from app.alerts.message import MessageKind
from app.escaping import escaped
from app.formatting import duration, plural, shortened

TITLE_CHARS = 200
ROUTE_CHARS = 60
CLAUSE_CHARS = 120
ROUTES_NAMED = 2
"""Of several, so many are named, and the others counted."""

_TITLE_END = re.compile(r"\. ")
_CLAUSE_END = re.compile(r"[,;] ")
_SHARE_FAILED = re.compile(r"(\S+ %) of [\d,]+ requests failed(?: in the last .*)?")
_SHARE_ANY = re.compile(r"(\S+ %) of [\d,]+ requests (.+)")

_OF_ROUTES: Mapping[Family, str] = {
    "failures": "requests to {routes} fail",
    "slowness": "requests to {routes} are slow",
    "traffic": "traffic to {routes} is not as it should be",
    "release": "{routes} are worse since the last release",
}
"""Of several routes together."""


def title_of(incident: Incident, kind: MessageKind, at_s: int) -> str:
    """On one line, at most TITLE_CHARS. `at_s`: the moment that was judged, Unix s."""
    what = "".join((subject_of(incident), what_is_wrong(incident)))
    if kind == "resolved" or incident.resolved_s is not None:
        ended_s = incident.resolved_s if incident.resolved_s is not None else at_s
        what = f"resolved after {duration(max(0, ended_s - incident.began_s))}: {what}"
    elif kind == "repeat":
        what = f"still, for {duration(max(0, at_s - incident.began_s))}: {what}"
    elif kind == "update":
        what = f"more: {what}"
    return shortened(what, TITLE_CHARS)


def subject_of(incident: Incident) -> str:
    """`shop: `, `Tailrace: `, or nothing for requests without an app's name."""
    if is_own(incident):
        return "Tailrace: "
    return f"{escaped(incident.app)}: " if incident.app else ""


def is_own(incident: Incident) -> bool:
    """Whether it is about Tailrace itself."""
    return any(state.subject.part for state in incident.alerts)


def what_is_wrong(incident: Incident) -> str:
    """`20.3 % of requests to /checkout fail`; of several routes `requests to /checkout, /cart and 3 more
    fail`."""
    if not incident.alerts:
        return "an alert"
    worst = leading(incident)
    alike = [state for state in firing(incident) if _is_alike(state, worst)] or [worst]
    routes = list(dict.fromkeys(state.subject.route for state in alike if state.subject.digest))
    whole = next((state for state in alike if not state.subject.digest), None)
    if len(routes) == 1:
        of_route = next(state for state in alike if state.subject.digest)
        return _said(of_route, routes)
    if whole is not None:
        said = _said(whole, [])
        return f"{said}: {named(routes)}" if routes and not is_own(incident) else said
    pattern = _OF_ROUTES.get(worst.family) if all(map(_is_as_its_family, alike)) else None
    if pattern:
        return pattern.format(routes=named(routes))
    return f"{_said(worst, [worst.subject.route])}; alerts on {plural(len(routes) - 1, 'other route')}"


def leading(incident: Incident) -> AlertState:
    """The worst of its alerts that fire; of one that is resolved, the worst of all."""
    return (firing(incident) or incident.alerts)[0]


def firing(incident: Incident) -> list[AlertState]:
    """Its alerts that fire; all of them once it is resolved."""
    if incident.resolved_s is not None:
        return list(incident.alerts)
    return [state for state in incident.alerts if not is_over(state)]


def is_over(state: AlertState) -> bool:
    """Whether it does not hold any more, while others of its incident do."""
    return state.ended_s is not None


def named(routes: Sequence[str]) -> str:
    """`/checkout, /cart and 3 more`."""
    shown = [shortened(escaped(route), ROUTE_CHARS) for route in routes]
    if len(shown) <= ROUTES_NAMED + 1:
        return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
    return f"{', '.join(shown[:ROUTES_NAMED])} and {len(shown) - ROUTES_NAMED} more"


def _is_alike(state: AlertState, worst: AlertState) -> bool:
    """Whether one sentence is true of both: where requests fail, others may only have been aborted."""
    if state.family != worst.family:
        return False
    is_same = state.judgement.measure == worst.judgement.measure
    return is_same or (_is_as_its_family(state) and _is_as_its_family(worst))


def _is_as_its_family(state: AlertState) -> bool:
    """Whether what is said of its whole family is true of it: aborted requests are no failures, nor are all
    that miss an objective."""
    measure = state.judgement.measure
    return state.family != "failures" or (measure is not None and measure.is_failing)


def _said(state: AlertState, routes: Sequence[str]) -> str:
    """What its judgement says, of these routes."""
    # Tailrace's own alerts have a title, a full stop, and an explanation.
    end = _TITLE_END if state.subject.part else _CLAUSE_END
    clause = shortened(escaped(end.split(state.judgement.text, maxsplit=1)[0]), CLAUSE_CHARS)
    if not clause:
        clause = f"{state.rule} fires"
    if state.subject.part:
        return clause
    to = f" to {named(routes)}" if routes else ""
    if failed := _SHARE_FAILED.fullmatch(clause):
        return f"{failed[1]} of requests{to} fail"
    if share := _SHARE_ANY.fullmatch(clause):
        return f"{share[1]} of requests{to} {share[2]}"
    return f"{clause} on {named(routes)}" if routes else clause
