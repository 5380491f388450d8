"""Logs as `heroku logs` prints them, read into events."""

from __future__ import annotations

import re

from app.platform.facts import Event
from app.platform.joined import Identified
from app.platform.lines import parse
from app.router_line import timestamp_ms
from servers.messages import router_message

_LINE = re.compile(r"(\S+) (app|heroku)\[([^\]]+)\]: (.*)")
DAY = "2026-08-30T"


def events_of(transcript: str) -> list[Identified]:
    """The events of a log whose lines begin with a time of day: `08:48:49.251 app[api]: ...`."""
    found: list[Identified] = []
    for number, text in enumerate(filter(str.strip, transcript.splitlines())):
        line = _LINE.fullmatch(text.strip())
        assert line, text
        message = router_message(
            line[4], 0.0, timestamp=f"{DAY}{line[1]}Z", app_name=line[2], procid=line[3], id=f"f.{number}"
        )
        fact = parse(message)
        if isinstance(fact, Event):
            found.append((message["id"], fact))
    return found


def ms(clock: str) -> int:
    """Unix ms of a time of that day."""
    at_ms = timestamp_ms(f"{DAY}{clock}Z")
    assert at_ms is not None
    return at_ms
