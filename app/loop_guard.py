"""The loop guard: replayed requests carry a signed id, by which they are recognised wherever they are logged.

Heroku's router keeps a client's `X-Request-ID` of 20 to 200 letters, digits, `+ / = -` and logs it as
`request_id` (devcenter.heroku.com/articles/http-request-id). So a replayed request that reaches an app with a
drain comes back with its mark, and is neither replayed again nor counted as traffic. Anybody can send such an
id: the mark is therefore signed with a key that only the installation has (app/store/replay_key.py).

    replay-8601b555-6a83-4c12-8269-97c8e32cdb22-5d1c6c0e2f5b7f6c1d0a9a3b4c5d6e7f
    mark   the original's id                    HMAC-SHA256 of all before it, 128 bits
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

MARK = "replay-"
ID_MAX_CHARS = 200
SIGNATURE_BYTES = 16

_SEPARATOR = "-"
_ORIGINAL_MAX_CHARS = ID_MAX_CHARS - len(MARK) - len(_SEPARATOR) - 2 * SIGNATURE_BYTES
_KEPT_WHOLE = re.compile(rf"[A-Za-z0-9+/=-]{{1,{_ORIGINAL_MAX_CHARS}}}")


def is_marked(request_id: str) -> bool:
    """True for an id that says it is of a replay, whether or not the signature is valid."""
    return request_id.startswith(MARK)


def original_id(request_id: str) -> str:
    """What stands in a mark where the original's id stands; other ids as they are. Checks no signature."""
    return request_id.removeprefix(MARK).rpartition(_SEPARATOR)[0] if is_marked(request_id) else request_id


class LoopGuard:
    """Marks the ids of requests that are replayed, and recognises them."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """`key` gives the key in force; empty: there is none, so no mark is valid."""
        self._key = key

    def mark(self, identity: str) -> str:
        """The id that the replayed request carries: the same each time for the same original. It contains
        the original's id, or a digest of it where the router would not keep that. Raises as `key` does."""
        if not _KEPT_WHOLE.fullmatch(identity):
            identity = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
        marked = MARK + identity
        return marked + _SEPARATOR + _signature(self._key(), marked)

    def is_replayed(self, request_id: str) -> bool:
        """True for the `request_id` of a line whose request came from a replay. Raises as `key` does."""
        if not is_marked(request_id) or len(request_id) > ID_MAX_CHARS:
            return False
        key = self._key()
        marked, _, signature = request_id.rpartition(_SEPARATOR)
        return bool(key) and hmac.compare_digest(
            _signature(key, marked).encode(), signature.encode("utf-8", "surrogatepass")
        )


def _signature(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:SIGNATURE_BYTES].hex()
