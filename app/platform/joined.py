"""Puts together the events of an app that explain one another: a release, its deploy, its dynos. Pure.

`Release v48 created` says neither what nor why. Seen:

- What explains it has the same timestamp to the microsecond, in either order; before 2015 a millisecond less
  or more.
- With a release phase `Running release v99 commands` stands beside the deploy, and `Release v99 created`, or
  `Release v99 command failed`, comes when the commands have ended. A release that failed never takes effect.
- An add-on's `Attach` stands beside `Running release v3 commands`, and nothing more is said about v3; a few
  milliseconds later comes v4, beside `... completed provisioning, setting DATABASE_URL`.
- `Release v2 created` may come twice, some tenths of a second apart.
- Scaling makes no release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.platform.facts import Event
from app.platform.nearest import nearest_pairs
from app.platform.release import Cause, Release
from app.platform.switch_over import DynoEvents

BESIDE_MS = 50
"""What is no further away surely belongs together."""

NEAR_MS = 2_000
"""A deploy, rollback, change of config or add-on so close to a release without another cause explains it."""

TWICE_MS = 10_000
"""A release that is said again within this time is the same."""

COMMANDS_TAKE_MS = 86_400_000
"""The commands of a release phase are one-off dynos, which run 24 hours at most (devcenter.heroku.com)."""

_CAUSES: dict[str, Cause] = {
    "deploy": "deploy",
    "rollback": "rollback",
    "config": "config",
    "add-on": "add-on",
    "other": "other",
}
_ALONE = frozenset({"deploy", "rollback", "config"})
"""Each of these makes a release: without one, its message was lost."""

_CERTAIN = frozenset(_CAUSES) - {"other"}

_ROUNDS = ((_CERTAIN, BESIDE_MS), (frozenset(_CAUSES), BESIDE_MS), (_CERTAIN, NEAR_MS))
"""Which causes are looked for, and how near, one after the other: any other sentence explains a release only
if it stands right beside it."""

Identified = tuple[str, Event]
"""An event and its id."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The events of an app as people read them; both lists oldest first."""

    releases: list[Release]
    others: list[Identified]
    """What is no part of a release, with the events' ids."""


@dataclass(slots=True)
class _Version:
    """What was said of one version. Events are named by their place among all."""

    version: int
    begun_ms: int
    """When it was created, or its commands began: what explains it was said at the same time."""
    parts: list[int]
    created_ms: int | None = None
    """When it took effect; None: nothing says it."""
    has_failed: bool = False
    cause: int | None = None

    def is_release(self, newest: int) -> bool:
        """Whether it has taken effect. Its commands may still run; if a later version is there, and nothing
        says that they failed, they have ended."""
        return self.created_ms is not None or (not self.has_failed and self.version < newest)


def joined(events: Sequence[Identified], app: str) -> Joined:
    """The releases of one app and its other events. `events`: (id, event), in any order; the same id, or the
    same event under two ids, counts once."""
    unique = _once(events)
    said = [event for _, event in unique]
    versions = _versions(said)
    alone = _explain(versions, said)
    newest = max((version.version for version in versions), default=0)
    done = [version for version in versions if version.is_release(newest)]
    releases = [_release(version, said, app) for version in done]
    releases += [_unversioned(said[place], app) for place in alone]
    releases.sort(key=lambda release: (release.at_ms, release.version, release.text))
    used = {*alone}
    for version in done:
        used.update(version.parts if version.cause is None else (*version.parts, version.cause))
    others = [one for place, one in enumerate(unique) if place not in used]
    return Joined(_with_times(releases, DynoEvents(said)), others)


def _once(events: Sequence[Identified]) -> list[Identified]:
    """By time, and where times are equal in an order that depends on nothing but the events."""
    ids: dict[Event, str] = {}
    for identity, event in events:
        ids[event] = min(identity, ids.get(event, identity))
    return sorted(
        ((identity, event) for event, identity in ids.items()),
        key=lambda found: (
            found[1].at_ms,
            found[1].kind,
            found[1].version,
            found[1].text,
            found[1].dyno,
            found[0],
        ),
    )


def _versions(said: Sequence[Event]) -> list[_Version]:
    """By the time at which they began."""
    found: list[_Version] = []
    latest: dict[int, _Version] = {}
    for place, event in enumerate(said):
        if event.kind not in ("release", "command"):
            continue
        known = latest.get(event.version)
        if known is None or not _continues(known, event):
            known = latest[event.version] = _Version(event.version, event.at_ms, [])
            found.append(known)
        known.parts.append(place)
        if event.kind == "release" and known.created_ms is None:
            known.created_ms = event.at_ms
        if event.state == "failed":
            known.has_failed = True
    return found


def _continues(known: _Version, event: Event) -> bool:
    """Whether this is said of the same release. Without an app's name there are several of one version."""
    if event.state == "started" or known.has_failed or known.created_ms is not None:
        return event.at_ms - (known.created_ms or known.begun_ms) <= TWICE_MS
    return event.at_ms - known.begun_ms <= COMMANDS_TAKE_MS


def _explain(versions: Sequence[_Version], said: Sequence[Event]) -> list[int]:
    """Gives each version its cause; returns deploys, rollbacks and changes of config that explain none."""
    causes = [place for place, event in enumerate(said) if event.kind in _CAUSES and not event.dyno]
    for kinds, most_ms in _ROUNDS:
        unexplained = [version for version in versions if version.cause is None]
        some = [place for place in causes if said[place].kind in kinds]
        begun_ms = [version.begun_ms for version in unexplained]
        for left, right in nearest_pairs(begun_ms, [said[place].at_ms for place in some], most_ms):
            unexplained[left].cause = some[right]
        used = {version.cause for version in unexplained}
        causes = [place for place in causes if place not in used]
    return [place for place in causes if said[place].kind in _ALONE]


def _release(version: _Version, said: Sequence[Event], app: str) -> Release:
    at_ms = version.begun_ms if version.created_ms is None else version.created_ms
    user = next((said[place].user for place in version.parts if said[place].user), "")
    if version.cause is None:
        return Release(app, version.version, at_ms, "", f"v{version.version}", user=user)
    found = _unversioned(said[version.cause], app)
    text = f"v{version.version}: {found.text}"
    return replace(found, version=version.version, at_ms=at_ms, text=text, user=user or found.user)


def _unversioned(event: Event, app: str) -> Release:
    """Of a deploy, rollback or change of config whose release was not said."""
    text = event.text[:1].lower() + event.text[1:]
    cause = _CAUSES[event.kind]
    return Release(app, 0, event.at_ms, cause, text, event.commit, event.names, event.user)


def _with_times(releases: Sequence[Release], dynos: DynoEvents) -> list[Release]:
    """With `up_ms` and `next_ms`."""
    timed = []
    for number, release in enumerate(releases, 1):
        next_ms = releases[number].at_ms if number < len(releases) else None
        timed.append(replace(release, next_ms=next_ms, up_ms=dynos.up_ms(release.at_ms, next_ms)))
    return timed
