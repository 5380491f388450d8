"""What a protocol must give to be received over HTTP; registry.py lists those that do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drain.receivers.frame import Frame

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request's headers say of its frame."""

    frame_id: str = ""
    """As sent; empty where the sender gives none."""
    token: str = ""
    """The drain token, to be one of DRAIN_TOKENS where there are any; empty where the sender gives none."""
    declared_count: int | None = None
    """How many messages the frame is said to hold; None where it is not said."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A protocol over HTTP. What is not named here is the same for all of them."""

    name: str
    """In `source` of its dead letters."""
    path: str
    content_type: str
    body_format: str
    """What a body should be, for the sender of one that is not."""
    envelope: Callable[[Headers], Envelope]
    """Reads the request's headers. Raises nothing."""
    parse: Callable[[bytes, str, str, int | None], Frame]
    """The frame of (body, frame id, app, declared count). Pure; raises nothing: what is wrong with the
    body is in the frame."""
    as_body: Callable[[bytes], bytes]
    """One message, as it is in `Reject.raw`, as a body: to parse a dead letter again."""
