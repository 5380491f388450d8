"""A receiver as anybody may add one: `POST /lines` takes router lines with newlines between.

`create_app` is what `web` serves once registry.py has its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drain.receivers import registry
from drain.receivers.frame import Frame, Reject, SyslogMessage
from drain.receivers.receiver import Envelope, Receiver

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.datastructures import Headers


def envelope(headers: Headers) -> Envelope:
    """This sender has an id for its bodies, and a token; it does not count."""
    return Envelope(frame_id=headers.get("X-Batch", ""), token=headers.get("X-Token", ""))


def parse(body: bytes, frame_id: str, app: str = "", declared_count: int | None = None) -> Frame:
    """A router line begins with `at=` or `sock=`; any other line is rejected."""
    frame = Frame(frame_id, app, "lines", len(body), declared_count)
    offset = 0
    for index, line in enumerate(body.splitlines(keepends=True)):
        if line.startswith((b"at=", b"sock=")):
            frame.messages.append(SyslogMessage(index, "-", line))
        else:
            frame.rejects.append(Reject(index, offset, line.rstrip(b"\n"), line, "no router line"))
        offset += len(line)
        frame.message_count += 1
    return frame


LINES = Receiver(
    name="lines",
    path="/lines",
    content_type="text/plain",
    body_format="router lines",
    envelope=envelope,
    parse=parse,
    as_body=lambda line: line + b"\n",
)


def create_app() -> Flask:
    registry.RECEIVERS = (*registry.RECEIVERS, LINES)
    from drain import create_app

    return create_app()
