"""Answers for the tests of comparisons."""

from __future__ import annotations

import orjson

from app.store.body_figures import PLACE
from consumers.replay.bodies.compare import Reply
from consumers.replay.request import Answer

OLD, NEW = "http://old.example.com", "https://new.example.com:8443"


def reply(
    body: object = b"",
    media_type: str = "application/json",
    *,
    status: int = 200,
    head: str = "",
    origin: str = OLD,
    method: str = "GET",
    is_cut: bool = False,
) -> Reply:
    """An answer with this body: bytes, text, or what becomes JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)
    content_type = f"Content-Type: {media_type}\r\n" if media_type else ""
    lines = f"HTTP/1.1 {status} X\r\n{content_type}{head}"
    return Reply(Answer(lines.encode("latin-1"), data, is_cut), origin, method, "/shop/items?page=2")


def shown(keys: set[str]) -> set[str]:
    """The keys without the places in them."""
    return {key.partition(PLACE)[0] for key in keys}
