"""A look into a window before it is replayed: is there anything to send, and do the routes exist? Pure.

It ends with the first request that would be sent, so it costs next to nothing, unless nothing can be sent:
then it has read the whole window, and says why.
"""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.formatting import number, plural
from app.message import RouterMessage
from app.paths import literal
from consumers.replay.choice.policy import ReplayPolicy, prepare
from consumers.replay.choice.target import Target
from consumers.replay.request import Request

NAMES_MAX_S = 10.0
"""How long it looks for routes that the user has named, once there is something to send."""

NAMES_MAX = 1_000
"""Apps, and routes, that are remembered."""

NAMES_SHOWN = 10


@dataclass(slots=True)
class FirstLook:
    """What a window has, as far as it was read."""

    lines: int = 0
    can_send: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    """Why lines are not sent -> lines."""
    methods: Counter[str] = field(default_factory=Counter)
    """Of the requests that are left out for their method."""
    apps: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    """Of the requests of the app."""
    unseen: frozenset[str] = frozenset()
    """Routes that the user has named, and that were not found."""
    is_whole: bool = False
    """The whole window was read."""


def look_at(
    chunks: Iterable[Sequence[RouterMessage]],
    request_of: Callable[[RouterMessage], Request | None],
    app: str,
    targets: Sequence[Target],
    policy: ReplayPolicy,
    clock: Callable[[], float] = time.monotonic,
) -> FirstLook:
    """Reads until there is something to send, and every route that the user has named was found, or
    NAMES_MAX_S are over. Raises as `prepare` does."""
    look = FirstLook()
    # A name with percent-escapes is in the policy in both spellings; one of them is enough.
    named = {name: literal(name) for name in policy.only_routes | policy.exclude_routes}
    unseen = set(named.values())
    ends_s = clock() + NAMES_MAX_S
    for chunk in chunks:
        for message in chunk:
            look.lines += 1
            _count(look.apps, message["app"])
            if app and message["app"] != app:
                continue
            request = request_of(message)
            if request is None:
                look.reasons["no-path"] += 1
                continue
            _count(look.routes, request.route)
            unseen.discard(named.get(request.route, ""))
            found = [job for target in targets if isinstance(job := prepare(request, target, policy), str)]
            look.reasons.update(found[:1])
            if "method" in found:
                _count(look.methods, request.method)
            look.can_send |= not found
        look.unseen = frozenset(unseen)
        if look.can_send and (not unseen or clock() > ends_s):
            return look
    look.unseen = frozenset(unseen)
    look.is_whole = True
    return look


def _count(names: Counter[str], name: str) -> None:
    if name in names or len(names) < NAMES_MAX:
        names[name] += 1


def why_nothing_is_sent(look: FirstLook, app: str, policy: ReplayPolicy) -> str:
    """Why a window has nothing to send: the app or the route is unknown, or everything is left out."""
    if app and not look.apps[app]:
        named = [name for name, _ in look.apps.most_common() if name]
        known = f"The apps in it: {_listed(named)}" if named else "No app in it has a name: leave out --app"
        return f"no request in the window is of the app {app!r}. {known}"
    if policy.only_routes and not policy.only_routes & look.routes.keys():
        wanted = _listed(sorted(policy.only_routes))
        return (
            f"no request in the window is of --only-route {wanted}. The routes in it: {_listed(_most(look))}"
            f"{_nearest_of(look, policy.only_routes)}"
        )
    parts = [
        f"{reason} ({number(count)}){_hint(look, reason)}" for reason, count in look.reasons.most_common()
    ]
    return (
        f"of {plural(sum(look.reasons.values()), 'request')} in the window none would be sent: "
        f"{', '.join(parts)}"
    )


def _hint(look: FirstLook, reason: str) -> str:
    """For a reason that is a setting: which one."""
    if reason == "method":
        return f": REPLAY_METHODS does not have {_listed([name for name, _ in look.methods.most_common()])}"
    return _SETTINGS.get(reason, "")


_SETTINGS = {
    "rule": ": by a rule of TAILRACE_CONFIG",
    "sample": ": raise --sample",
    "unknown-address": ": the addresses of their hosts are not known, so --keep-host cannot send them",
}


def unseen_route_lines(look: FirstLook) -> list[str]:
    """A line for each route that the user has named and that the window does not have, as far as it was
    read."""
    where = "the window" if look.is_whole else f"the window's first {plural(look.lines, 'line')}"
    shown = sorted(look.unseen)[:NAMES_SHOWN]
    return [f"no request in {where} is of the route {name}{_nearest_of(look, [name])}" for name in shown]


def _nearest_of(look: FirstLook, names: Iterable[str]) -> str:
    known = _most(look)
    nearest = [near for name in sorted(names) for near in difflib.get_close_matches(name, known, n=2)]
    return f". Did you mean {' or '.join(dict.fromkeys(nearest[:NAMES_SHOWN]))}?" if nearest else ""


def _most(look: FirstLook) -> list[str]:
    """The routes, the most frequent first."""
    return [name for name, _ in look.routes.most_common()]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN]) or "none"
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown
