"""Facts: what one message of the platform says, an event or samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

AppKind = Literal["release", "deploy", "rollback", "config", "scale", "build", "command", "add-on", "other"]
"""Events of an app, from procid `api`. `command`: of the release phase. `other`, of a dyno as well: all other
sentences, such as `Initial release` or `Stopping all processes with SIGTERM`, and unknown ones."""

DynoKind = Literal["state", "exit", "restart", "idle", "error"]
"""Events of a dyno. `restart`: Restarting or Cycling; `idle`: Idling or Unidling; `error`: an R-code."""

Kind = AppKind | DynoKind


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an app or to one of its dynos."""

    kind: Kind
    at_ms: int
    """When the platform logged it, Unix ms."""
    text: str
    """The sentence, as said, without the user; bounded."""
    dyno: str = ""
    """Of an event of a dyno: `web.1`, or `web-7d9c5b8f6-x2x9k` on Fir."""
    version: int = 0
    """Of a release, or of a command of the release phase: 42 for v42. Of a rollback: the version it goes back
    to. 0: none."""
    commit: str = ""
    names: tuple[str, ...] = ()
    """Config vars without their values; an attachment and its add-on (`DATABASE`, `postgresql-curly-12345`);
    what a scale says for each process type (`web@3:Performance-L`)."""
    state: str = ""
    """Of a dyno: its new state. Of a build or a release command: started, succeeded, failed."""
    status: int | None = None
    """Of an exit."""
    code: str = ""
    """Of an error: R14."""
    user: str = ""
    """Who did it; empty unless KEEP_USERS is set."""


class Sample(NamedTuple):
    """One measured value."""

    name: str
    value: float
    unit: str
    """As sent: `MB`, `kB`, `bytes`, `pages`, or empty."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Values that were measured at one moment."""

    at_ms: int
    origin: str
    """`dyno`, or the add-on's procid: `heroku-postgres`."""
    source: str
    """`web.1`, or `DATABASE`."""
    addon: str
    """The add-on's own name, `postgresql-curly-12345`; empty for a dyno."""
    values: tuple[Sample, ...]


Fact = Event | Samples
