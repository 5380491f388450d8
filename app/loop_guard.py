"""The loop guard: replayed requests are recognised by their id, wherever they are logged.

Heroku's router keeps a client's `X-Request-ID` of 20 to 200 letters, digits, `+ / = -` and logs
it as `request_id`, so a replayed request that reaches an app with a drain comes back with this
mark, and is neither replayed again nor counted as traffic.
"""

from __future__ import annotations

import hashlib
import re

MARK = "replay-"
_KEPT = re.compile(r"[A-Za-z0-9+/=-]{20,200}")


def is_replayed(request_id: str) -> bool:
    """True for the `request_id` of a line whose request came from a replay."""
    return request_id.startswith(MARK)


def replay_id(request_id: str) -> str:
    """The id that the replayed request carries: the original's with the mark, or a digest of it
    where the router would not keep that."""
    marked = MARK + request_id
    if _KEPT.fullmatch(marked):
        return marked
    return MARK + hashlib.sha256(request_id.encode("utf-8", "surrogateescape")).hexdigest()
