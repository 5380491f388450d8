"""A sentence of the platform, names replaced, and the fact that it tells.

`source` says where a sentence comes from: Heroku's documents ("documented": error-codes, log-runtime-metrics,
logging, releases of devcenter.heroku.com), Heroku's own tools that read these lines ("tools": its VS Code
extension and CLI), logs that people have published, also as tests of other readers ("seen"), or what follows
from these ("guessed").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.message import RouterMessage
from app.platform.facts import AppKind, DynoKind, Event, Fact, Sample, Samples
from servers.messages import router_message

AT_S = 1_788_079_729.251
AT_MS = 1_788_079_729_251
USER = "a@example.com"

Value = tuple[str, float, str]
"""Name, value, unit."""


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """One message, and the fact that it tells; None: nothing is kept of it."""

    source: str
    procid: str
    msg: str
    fact: Fact | None
    app_name: str = "heroku"

    def message(self, **more: Any) -> RouterMessage:
        """As the drain hands it to the message log."""
        return router_message(self.msg, AT_S, procid=self.procid, app_name=self.app_name, **more)

    @property
    def name(self) -> str:
        return f"{self.procid}: {self.msg[:60]}"


def of_app(source: str, kind: AppKind, text: str, msg: str = "", **fields: Any) -> PlatformLine:
    """Of procid `api`: what the event says, by USER, unless the sentence is given."""
    event = Event(kind, AT_MS, text, user="" if msg else USER)
    return PlatformLine(source, "api", msg or f"{text} by user {USER}", replace(event, **fields), "app")


def of_dyno(
    source: str, kind: DynoKind | AppKind, text: str, msg: str = "", dyno: str = "web.1", **fields: Any
) -> PlatformLine:
    """What the event says, unless the sentence is given."""
    return PlatformLine(source, dyno, msg or text, replace(Event(kind, AT_MS, text, dyno), **fields))


def measured(source: str, msg: str, *values: Value, dyno: str = "web.1") -> PlatformLine:
    """A dyno's samples; without values nothing is kept."""
    samples = Samples(AT_MS, "dyno", dyno, "", tuple(Sample(*value) for value in values))
    return PlatformLine(source, dyno, msg, samples if values else None)


def of_addon(source: str, procid: str, name: str, addon: str, msg: str, *values: Value) -> PlatformLine:
    """An add-on's samples; `name`: its `source=`."""
    samples = Samples(AT_MS, procid, name, addon, tuple(Sample(*value) for value in values))
    return PlatformLine(source, procid, msg, samples, "app")


def ignored(source: str, procid: str, msg: str, app_name: str = "app") -> PlatformLine:
    return PlatformLine(source, procid, msg, None, app_name)
