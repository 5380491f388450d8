"""Responses kept for a moment, so that many viewers cost Redis as much as one.

A response that was expensive to make is kept longer, so that reading figures takes at most about one
twentieth of this process's time, whatever the span and the number of routes.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from flask import Request, Response

Loaded = TypeVar("Loaded")

ENTRIES_MAX = 64
COST_FACTOR = 20
PACKED_FROM_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A body, ready to send, plain and compressed with gzip."""

    body: bytes
    packed: bytes | None
    etag: str
    mimetype: str
    headers: dict[str, str]

    def response(self, request: Request) -> Response:
        """The response to this request: compressed or not, or 304 if the client already has it."""
        packed = self.packed if request.accept_encodings.quality("gzip") > 0 else None
        response = Response(packed or self.body, mimetype=self.mimetype, headers=self.headers)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "no-cache, private"
        response.set_etag(self.etag + ("-gzip" if packed else ""))
        response.make_conditional(request)
        return response


def cached_response(
    body: bytes, mimetype: str = "application/json", headers: dict[str, str] | None = None
) -> CachedResponse:
    """A response with this body."""
    packed = gzip.compress(body, compresslevel=4, mtime=0) if len(body) >= PACKED_FROM_BYTES else None
    return CachedResponse(
        body, packed, hashlib.blake2b(body, digest_size=12).hexdigest(), mimetype, headers or {}
    )


@dataclass(slots=True)
class _Entry:
    lock: Lock = field(default_factory=Lock)
    response: CachedResponse | None = None
    until_s: float = 0.0


class ResponseCache:
    """The latest responses of one process, by request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(
        self,
        key: Hashable,
        fresh_s: float,
        load: Callable[[], Loaded],
        encode: Callable[[Loaded, float], CachedResponse],
    ) -> CachedResponse:
        """The kept response while it is fresh, otherwise a new one; concurrent callers wait for it.

        `load` reads the figures; `encode` turns them into a response and is told how many seconds it will be
        kept. What they raise is passed on.
        """
        entry = self._entry(key)
        with entry.lock:
            if entry.response is not None and self._clock() < entry.until_s:
                return entry.response
            started_s = self._clock()
            figures = load()
            keep_s = max(fresh_s, COST_FACTOR * (self._clock() - started_s))
            entry.response = encode(figures, keep_s)
            entry.until_s = self._clock() + keep_s
            return entry.response

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > ENTRIES_MAX:
                self._entries.popitem(last=False)
            return entry
