"""Releases, and other things that the platform says, in a few words. Pure.

Sentences are as the platform wrote them: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from app.formatting import duration
from app.platform.release import Release
from app.store import queries
from app.store.bounds import OTHER

STOPPED_AS_TOLD = (None, 0, 143)
"""Statuses of a process that ended well, or by the SIGTERM with which Heroku stops it."""

COMMIT_DIGITS = 8
APPS_NAMED = 5


def release_name(release: Release) -> str:
    """`v42 9154a1d2`, `v43 config`; without a version what there is."""
    version = f"v{release.version}" if release.version else ""
    why = release.commit[:COMMIT_DIGITS] or release.cause
    return " ".join(filter(None, [version, why])) or "release"


def last_release(release: Release | None, now_s: float, *, of_app: bool = False) -> str:
    """`v42 9154a1d2 7 min ago`, with the app's name before it if `of_app`; empty without a release."""
    if release is None:
        return ""
    app = f"{release.app} " if of_app and release.app else ""
    return f"{app}{release_name(release)} {duration(max(0.0, now_s - release.at_ms / 1000))} ago"


def is_notable(event: queries.EventRow) -> bool:
    """Whether it tells more than that dynos start and stop, as they do with every release."""
    if event.kind == "state":
        return event.state == "crashed"
    if event.kind == "exit":
        return event.status not in STOPPED_AS_TOLD
    return event.kind != "idle"


def how_to_send_metrics(apps: Sequence[str]) -> str:
    """How these apps are made to send memory and load; empty if all do."""
    if not apps:
        return ""
    named = [app for app in apps if app not in ("", OTHER)][:APPS_NAMED]
    more = f" and {len(apps) - len(named)} more" if len(apps) > len(named) else ""
    who = ", ".join(named) + more if named else "The app"
    app = named[0] if len(named) == 1 else "APP"
    send = "sends" if len(apps) == 1 else "send"
    command = f"heroku labs:enable log-runtime-metrics -a {app} && heroku restart -a {app}"
    return f"{who} {send} no memory and load of dynos; `{command}` switches them on"
