"""Which samples must be in Redis for some lines, worked out one message at a time in plain Python.

Lines of equal slowness, or of the same millisecond, may stand for one another: which of them is kept depends
on the order in which workers count them.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, cast

import redis

from app.message import RouterMessage
from app.routes import template
from tests.support.reference import Reference, _ms, _time_s, outcome_of, pairs_of
from tests.support.stored import expires_at_s

SPANS = ((600, 3_600), (3_600, 86_400))
MOST = 5

Sample = tuple[int, int, str]
"""(Unix ms, microseconds or -1, the rest)."""


class SampleReference:
    """Keeps all lines by the chunk that they are samples of."""

    def __init__(
        self,
        now_s: float,
        route_of: Callable[[str], str] = template,
        is_not_found: Callable[[str, str], bool] = lambda app, route: False,
    ) -> None:
        self._now_s = now_s
        self._is_not_found = is_not_found
        self._reference = Reference(now_s, route_of)
        self._slow: dict[str, list[Sample]] = defaultdict(list)
        self._failed: dict[str, list[Sample]] = defaultdict(list)
        self._expiries: dict[str, int] = {}

    def add_all(self, messages: Iterable[RouterMessage]) -> None:
        for message in messages:
            self.add(message)

    def add(self, message: RouterMessage) -> None:
        pairs = pairs_of(message["msg"])
        route, app = self._reference.route_of(pairs), message["app"]
        if not route:
            return
        row = "(not found)" if self._is_not_found(app, route) else route
        at_s = _time_s(message)
        sample = (int(round(at_s * 1e6) // 1000), _service_us(pairs), _rest(pairs))
        for digest in (hashlib.sha256(row.encode()).hexdigest()[:16], "all"):
            for length_s, kept_s in SPANS:
                start_s = int(at_s // length_s * length_s)
                if start_s + length_s + kept_s <= self._now_s:
                    continue
                scope = f"app:{app}:" if app else ""
                key = f"tailrace:{scope}{digest}:samples:{length_s}:{start_s}"
                if sample[1] > 0:
                    self._slow[key].append(sample)
                if _is_failed(pairs):
                    self._failed[key].append(sample)
                if sample[1] > 0 or _is_failed(pairs):
                    self._expiries[key] = start_s + length_s + kept_s

    def differences(self, store: redis.Redis) -> list[str]:
        """One line for each list in Redis that is not as it must be, and for each wrong expiry."""
        found = samples_in(store)
        # The tests use a fixed clock, but Redis uses a real one: keys that have expired meanwhile are gone.
        now_s = time.time()
        wanted = {key for key, expiry_s in self._expiries.items() if expiry_s > now_s}
        wrong = [f"{key}: is in one alone" for key in wanted - found.keys()]
        wrong += [f"{key}: is in one alone" for key in found.keys() - self._expiries.keys()]
        for key in found.keys() & self._expiries.keys():
            slowest, failed = found[key]
            wrong += _faults(f"{key} slowest", slowest, self._slow[key], lambda sample: sample[1])
            wrong += _faults(f"{key} failed", failed, self._failed[key], lambda sample: sample[0])
            if expires_at_s(store, key) != self._expiries[key]:
                wrong.append(f"{key}: expires at {expires_at_s(store, key)}, not {self._expiries[key]}")
        return wrong


def samples_in(store: redis.Redis) -> dict[str, tuple[list[Sample], list[Sample]]]:
    """Key -> its slowest and its failed, of all chunks that have not expired."""
    found = {}
    for key in sorted(store.scan_iter("tailrace:*:samples:*", count=10_000)):
        lists: Any = store.eval(_UNPACK, 1, key)
        if lists:
            start_ms = int(key.rpartition(b":")[2]) * 1000
            found[key.decode()] = cast(Any, tuple(_triples(some, start_ms) for some in lists))
    return found


_UNPACK = """
local chunk = redis.call('GET', KEYS[1])
return chunk and cmsgpack.unpack(chunk)
"""


def _triples(values: list[Any], start_ms: int) -> list[Sample]:
    return [
        (start_ms + values[at], values[at + 1], values[at + 2].decode()) for at in range(0, len(values), 3)
    ]


def _faults(name: str, found: list[Sample], lines: list[Sample], key: Callable[[Sample], int]) -> list[str]:
    wanted = sorted(map(key, lines), reverse=True)[:MOST]
    wrong = []
    if list(map(key, found)) != wanted:
        wrong.append(f"{name}: {list(map(key, found))} instead of {wanted}")
    if invented := Counter(found) - Counter(lines):
        wrong.append(f"{name}: no such line, or too often: {sorted(invented)}")
    return wrong


def _is_failed(pairs: dict[str, str]) -> bool:
    status = pairs.get("status", "")
    is_aborted = bool(outcome_of(pairs).get("a"))
    return not is_aborted and (status[:1] == "5" or pairs.get("at") == "error")


def _service_us(pairs: dict[str, str]) -> int:
    took_ms = _ms(pairs.get("service", ""))
    return -1 if took_ms is None or pairs.get("status") == "101" else round(took_ms * 1000)


def _rest(pairs: dict[str, str]) -> str:
    connect_ms = _ms(pairs.get("connect", ""))
    method = pairs.get("method", "")
    return "\t".join(
        (
            "" if connect_ms is None else str(round(connect_ms * 1000)),
            pairs.get("dyno", ""),
            "(other)" if method == "BREW" else method,
            pairs.get("status", ""),
            pairs.get("code", ""),
            pairs.get("request_id", ""),
        )
    )
