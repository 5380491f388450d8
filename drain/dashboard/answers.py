"""Answers kept for a moment: many viewers cost Redis as much as one.

An answer that was dear to make is kept longer, so that reading figures takes at most about one
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

Figures = TypeVar("Figures")

KEPT = 64
COST_FACTOR = 20
PACKED_FROM_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, ready to send, as it is and by gzip."""

    body: bytes
    packed: bytes | None
    etag: str
    mimetype: str
    headers: dict[str, str]

    def response(self, request: Request) -> Response:
        """As this request takes it: packed or not, or 304 where it has it already."""
        packed = self.packed if request.accept_encodings.quality("gzip") > 0 else None
        response = Response(packed or self.body, mimetype=self.mimetype, headers=self.headers)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "no-cache, private"
        response.set_etag(self.etag + ("-gzip" if packed else ""))
        response.make_conditional(request)
        return response


def answer(body: bytes, mimetype: str = "application/json", headers: dict[str, str] | None = None) -> Answer:
    """An answer with this body."""
    packed = gzip.compress(body, compresslevel=4, mtime=0) if len(body) >= PACKED_FROM_BYTES else None
    return Answer(body, packed, hashlib.blake2b(body, digest_size=12).hexdigest(), mimetype, headers or {})


@dataclass(slots=True)
class _Place:
    lock: Lock = field(default_factory=Lock)
    kept: Answer | None = None
    until_s: float = 0.0


class Answers:
    """The last answers of one process, by what was asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()

    def get(
        self,
        key: Hashable,
        fresh_s: float,
        load: Callable[[], Figures],
        encode: Callable[[Figures, float], Answer],
    ) -> Answer:
        """The kept answer while it is fresh, else a new one; who asks meanwhile waits for it.

        `load` reads the figures; `encode` turns them into an answer, and is told for how many seconds
        that will be kept. What they raise is the caller's.
        """
        place = self._place(key)
        with place.lock:
            if place.kept is not None and self._clock() < place.until_s:
                return place.kept
            started_s = self._clock()
            figures = load()
            kept_s = max(fresh_s, COST_FACTOR * (self._clock() - started_s))
            place.kept = encode(figures, kept_s)
            place.until_s = self._clock() + kept_s
            return place.kept

    def _place(self, key: Hashable) -> _Place:
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            if len(self._places) > KEPT:
                self._places.popitem(last=False)
            return place
