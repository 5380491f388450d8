"""What to do about an incident: a few short sentences with commands in backticks. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from app.alerts.board import Incident
from app.alerts.condition import Family
from app.alerts.titles import leading
from app.escaping import escaped
from app.formatting import shortened
from app.platform.release import Release
from app.timespec import iso

CLOSE_S = 1_800
"""A release that came so shortly before an incident began may be its cause."""

MAY_BE_ROLLED_BACK = frozenset(("deploy", "config", "other", ""))
"""Causes of releases: to roll back what scaled or added something would not undo it."""

OWN_CHARS = 500
ROUTE_CHARS = 200

_REQUESTS: Mapping[Family, str] = {
    "failures": "See what fails: `{requests} --failed{since}`. "
    "See where: `{requests} --failed{since} --group-by dyno`.",
    "slowness": "See what is slow: `{report}{since} --sort p95`. What is slow together: "
    "`{requests}{since} --slower-than 1s --group-by dyno`.",
    "traffic": "Compare with yesterday: `{report} --since 1h --compare day`. If the app runs, see whether "
    "its logs still come here: `heroku drains{on}`.",
    "memory": "See which dynos: `python -m app top{app} --by dyno --sort memory`. A restart gives time, "
    "not a fix: `heroku ps:restart{dyno}{on}`.",
    "release": "See what became worse: `python -m app compare{app} --release {version}`.",
    "intake": "The page's warnings say what was refused, of whom and why. `python -m app config` shows the "
    "settings in force.",
    "tailrace": "See the page's warnings, and the log of its processes.",
}


def action_of(incident: Incident, release: Release | None) -> str:
    """What to do; the condition's own advice where it has any."""
    if not incident.alerts:
        return ""
    worst = leading(incident)
    if worst.judgement.action:
        return shortened(escaped(worst.judgement.action), OWN_CHARS)
    app = incident.app if _is_plain(incident.app) else ""
    of_app = f" --app {shlex.quote(app)}" if app else ""
    route = _route(incident)
    dyno = worst.judgement.dyno if _is_plain(worst.judgement.dyno) else ""
    said = _REQUESTS[worst.family].format(
        app=of_app,
        requests=f"python -m app requests{of_app}{route}",
        report=f"python -m app report{of_app}{route}",
        since=f" --from {_minute(incident.began_s)}",
        on=f" -a {shlex.quote(app)}" if app else "",
        dyno=f" {shlex.quote(dyno)}" if dyno else "",
        version=f"v{release.version}" if release and release.version else "latest",
    )
    return f"{said}{_rollback(incident, release, of_app, app)}"


def _route(incident: Incident) -> str:
    """The flag for the one route that it is about, as a shell takes it. A route that could not be written in
    backticks, or is too long, has none."""
    routes = {(state.subject.digest, state.subject.route) for state in incident.alerts}
    if len(routes) != 1:
        return ""
    ((digest, route),) = routes
    return f" --route {shlex.quote(route)}" if digest and _is_plain(route) and route[0] in "/(" else ""


def _rollback(incident: Incident, release: Release | None, of_app: str, app: str) -> str:
    """A hint, where a release precedes closely that may be the cause."""
    family = leading(incident).family
    if release is None or family not in ("failures", "slowness", "memory", "release"):
        return ""
    after_s = incident.began_s - release.at_ms // 1000
    if not 0 <= after_s <= CLOSE_S or release.cause not in MAY_BE_ROLLED_BACK:
        return ""
    version = f"v{release.version}" if release.version else "the release"
    compare = f"`python -m app compare{of_app} --release {version if release.version else 'latest'}`"
    looked = "" if family == "release" else f" Is it {version}? {compare} tells."
    undo = f"`heroku rollback{f' -a {shlex.quote(app)}' if app else ''}`"
    return f"{looked} If {version} is the cause, go back: {undo}."


def _is_plain(text: str) -> bool:
    return bool(text) and text.isprintable() and "`" not in text and len(text) <= ROUTE_CHARS


def _minute(at_s: int) -> str:
    """As the command line takes it."""
    return f"{iso((at_s - 60) * 1000)[:16]}Z"
