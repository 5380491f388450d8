"""Which originals can be compared with an answer of the replay. Pure."""

from __future__ import annotations

from consumers.replay.request import Request

CLIENT_GONE = 499
UNCOMPARABLE_STATUSES = {
    304: "304: the original was conditional, the replay is not",
    206: "206: the original asked for a part, the replay asks for all",
    CLIENT_GONE: "499: the original's client went away",
    101: "101: the original became a connection",
}


def why_uncomparable(request: Request) -> str:
    """Why a request's original says nothing about a replayed answer, in a few words; empty where it does."""
    if request.code:
        return f"{request.code}: the router failed the original"
    return UNCOMPARABLE_STATUSES.get(request.status, "")
