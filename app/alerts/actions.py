"""What to do about an incident: a few short sentences with commands in backticks. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from app.alerts.board import AlertState, Incident
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
PLAIN_CHARS = 200
ACTION_CHARS = 1_000
"""No target cuts what is as short as this: of a command that is cut in its middle, a shell would take other
parts for quoted than are."""

_REQUESTS: Mapping[Family, str] = {
    "failures": "{see}: `{requests} {flags}{since}`. See where: `{requests} {flags}{since} --group-by dyno`.",
    "slowness": "See what is slow: `{report}{since} --sort p95`. What is slow together: "
    "`{requests}{since} --slower-than {slower} --group-by dyno`.",
    "traffic": "Compare with yesterday: `{report} --since 1h --compare day`. Where requests are missing "
    "though the app runs, see whether its logs still come here: `heroku drains{on}`.",
    "memory": "See which dynos: `python -m app top{app} --by dyno --sort memory`. A restart gives time, "
    "not a fix: `heroku ps:restart{dyno}{on}`.",
    "release": "See what became worse: `python -m app compare{app} --release {version}`.",
    "intake": "The page's warnings say what was refused, of whom and why. `python -m app config` shows the "
    "settings in force.",
    "tailrace": "See the page's warnings, and the log of its processes.",
}
_OF_A_DYNO = "See why, in its last lines: `heroku logs -n 500 -d {name}{on}`."
_SLOW_OR_FAILED = (
    "See what fails: `{requests} --failed{since}`. See what is slow: `{report}{since} --sort p95`."
)


def action_of(incident: Incident, release: Release | None) -> str:
    """What to do; the condition's own advice where it has any."""
    if not incident.alerts:
        return ""
    worst = leading(incident)
    if worst.judgement.action:
        return shortened(escaped(worst.judgement.action), OWN_CHARS)
    app = incident.app if _is_plain(incident.app) else ""
    last = _rollback(incident, release, app)
    said = _advice(worst, incident, release, app, _route(incident)) + last
    return said if len(said) <= ACTION_CHARS else _advice(worst, incident, release, app, "") + last


def _advice(worst: AlertState, incident: Incident, release: Release | None, app: str, route: str) -> str:
    of_app = f" --app {shlex.quote(app)}" if app else ""
    dyno = shlex.quote(worst.judgement.dyno) if _is_plain(worst.judgement.dyno) else ""
    measure = worst.judgement.measure
    return _pattern(worst, dyno).format(
        app=of_app,
        requests=f"python -m app requests{of_app}{route}",
        report=f"python -m app report{of_app}{route}",
        see="See what fails" if measure is None or measure.is_failing else "See which",
        flags="--failed" if measure is None else measure.flags,
        since=f" --from {_minute(incident.began_s)}",
        on=f" -a {shlex.quote(app)}" if app else "",
        dyno=f" {dyno}" if dyno else "",
        name=dyno,
        slower=f"{max(1, round(worst.judgement.limit or 1_000))}ms",
        version=f"v{release.version}" if release and release.version else "latest",
    )


def _pattern(worst: AlertState, dyno: str) -> str:
    if worst.family == "failures" and worst.judgement.measure is None:
        return _OF_A_DYNO if dyno else _SLOW_OR_FAILED
    return _REQUESTS[worst.family]


def _route(incident: Incident) -> str:
    """The flag for the one route that it is about, as a shell takes it. A route that could not be written in
    backticks, or is too long, has none."""
    routes = {(state.subject.digest, state.subject.route) for state in incident.alerts}
    if len(routes) != 1:
        return ""
    ((digest, route),) = routes
    return f" --route {shlex.quote(route)}" if digest and _is_plain(route) and route[0] in "/(" else ""


def _rollback(incident: Incident, release: Release | None, app: str) -> str:
    """A hint, where a release precedes closely that may be the cause. It names the version to go back to: who
    rolls back a second time would be back at the cause."""
    family = leading(incident).family
    if release is None or family not in ("failures", "slowness", "memory", "release"):
        return ""
    after_s = incident.began_s - release.at_ms // 1000
    if not 0 <= after_s <= CLOSE_S or release.cause not in MAY_BE_ROLLED_BACK:
        return ""
    version = f"v{release.version}" if release.version else "the release"
    of_app, on = (f" {flag} {shlex.quote(app)}" if app else "" for flag in ("--app", "-a"))
    compare = f"`python -m app compare{of_app} --release {version if release.version else 'latest'}`"
    looked = "" if family == "release" else f" Is it {version}? {compare} tells."
    before = f" v{release.version - 1}" if release.version > 1 else ""
    return f"{looked} If {version} is the cause, go back: `heroku rollback{before}{on}`."


def _is_plain(text: str) -> bool:
    return bool(text) and text.isprintable() and "`" not in text and len(text) <= PLAIN_CHARS


def _minute(at_s: int) -> str:
    """As the command line takes it."""
    return f"{iso((at_s - 60) * 1000)[:16]}Z"
