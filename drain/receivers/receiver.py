"""What a protocol must provide to be received over HTTP; registry.py lists the protocols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drain.receivers.frame import Frame

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request's headers say about its frame."""

    frame_id: str = ""
    """As sent; empty if the sender gives none."""
    token: str = ""
    """The drain token, which must be one of DRAIN_TOKENS if that is set; empty if the sender gives none."""
    declared_count: int | None = None
    """How many messages the sender declares; None if it does not."""
    is_marked: bool = False
    """Whether the headers have a mark of this protocol's own senders, which a scanner's have not."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A protocol over HTTP. Everything that is not declared here is the same for all protocols."""

    name: str
    """The `source` of its dead letters."""
    path: str
    content_type: str
    body_format: str
    """What a body should be; for the error that a sender of anything else gets."""
    envelope: Callable[[Headers], Envelope]
    """Reads the request's headers. Raises nothing."""
    parse: Callable[[bytes, str, str, int | None], Frame]
    """(body, frame id, app, declared count) -> frame. Pure; raises nothing: the frame says what is wrong with
    the body."""
    as_body: Callable[[bytes], bytes]
    """Makes a body of one message, as in `Reject.raw`, to parse a dead letter again."""
