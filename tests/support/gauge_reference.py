"""What must be in Redis of dynos, process types and add-ons, worked out one fact at a time in plain Python.

It knows no bounds: the tests that use it have fewer names than any.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

import redis

from app.platform.facts import Fact, Samples

WINDOWS = {
    "gauge": ((60, 86_400), (3_600, 86_400)),
    "run": ((60, 86_400), (3_600, 86_400)),
    "type": ((60, 86_400), (3_600, 31 * 86_400)),
    "addon": ((300, 86_400), (3_600, 31 * 86_400)),
}
LATEST_KEPT_S = {"gauge": 2 * 86_400, "run": 86_400, "addon": 31 * 86_400}
CHUNK_S = {60: 3_600, 300: 7_200, 3_600: 86_400}
TO_MB = {"MB": 1, "kB": 1 / 1024, "bytes": 1 / 1024 / 1024, "GB": 1024}
DYNO = {
    "memory_total": "m",
    "memory_rss": "rss",
    "memory_swap": "swap",
    "memory_quota": "quota",
    "load_avg_1m": "l",
    "load_avg_5m": "l5",
    "load_avg_15m": "l15",
}
ORDER = ["idle", "down", "complete", "crashed", "created", "provisioning", "starting", "up"]


class GaugeReference:
    """Keeps all that was said by the window that it belongs to."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s
        self._said: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._latest: dict[str, dict[str, list[Any]]] = defaultdict(dict)
        self._expiries: dict[str, int] = {}

    def add_all(self, app: str, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.add(app, fact)

    def add(self, app: str, fact: Fact) -> None:
        scope = f"tailrace:app:{app}:" if app else "tailrace:"
        if isinstance(fact, Samples) and fact.origin != "dyno":
            name = f"{fact.origin}\t{fact.source}\t{fact.addon}"
            for sample in fact.values:
                code = base64.b64encode(hashlib.sha1(sample.name.encode()).digest()[:6])[:6].decode()
                self._sample(scope, "addon", name, fact.at_ms, code, sample.value)
                self._note(scope, "addon", name, sample.name, [fact.at_ms, sample.value, sample.unit])
            return
        dyno = fact.source if isinstance(fact, Samples) else fact.dyno
        if not dyno:
            return
        process, number = dyno.split(".")
        kind = "run" if int(number) >= 1_000 or process in ("run", "scheduler", "release") else "gauge"
        if isinstance(fact, Samples):
            for sample in fact.values:
                if sample.name not in DYNO:
                    continue
                field, factor = DYNO[sample.name], TO_MB.get(sample.unit, 1)
                value = round(sample.value * factor * 100)
                self._note(scope, kind, dyno, field, [fact.at_ms, value, ""])
                if field in ("m", "l"):
                    self._sample(scope, kind, dyno, fact.at_ms, field, value)
                    self._sample(scope, "type", process, fact.at_ms, field, value)
            return
        counters = []
        if fact.kind == "state":
            counters = ["t", *{"starting": ["s"], "crashed": ["c"]}.get(fact.state, [])]
            self._note(scope, kind, dyno, "state", [fact.at_ms, ORDER.index(fact.state), fact.state])
        elif fact.kind == "exit" and kind == "run" and fact.status in (*range(1, 128), 134, 139):
            counters = ["c"]
        elif fact.kind == "error" and fact.code in ("R14", "R15"):
            counters = [fact.code[2]]
        for counter in counters:
            for of, name in ((kind, dyno), ("type", process)):
                for window in self._windows(scope, of, name, fact.at_ms):
                    self._counted[window][counter] += 1

    def _sample(self, scope: str, kind: str, name: str, at_ms: int, field: str, value: float) -> None:
        for window in self._windows(scope, kind, name, at_ms):
            self._said[window][field].append(value)

    def _windows(self, scope: str, kind: str, name: str, at_ms: int) -> Iterable[str]:
        for length_s, kept_s in WINDOWS[kind]:
            start_s = at_ms // 1000 // length_s * length_s
            if start_s + length_s + kept_s > self._now_s:
                chunk_s = start_s // CHUNK_S[length_s] * CHUNK_S[length_s]
                key = f"{scope}{_digest(kind, name)}:{length_s}:{chunk_s}"
                self._expiries[key] = chunk_s + CHUNK_S[length_s] + kept_s
                yield f"{key} {(start_s - chunk_s) // length_s}"

    def _note(self, scope: str, kind: str, name: str, field: str, value: list[Any]) -> None:
        if value[0] > (self._now_s - LATEST_KEPT_S[kind]) * 1000:
            fields = self._latest[f"{scope}{_digest(kind, name)}:latest"]
            fields[field] = max(value, fields.get(field, value))

    def differences(self, store: redis.Redis) -> list[str]:
        """One line for each window, latest value or expiry in Redis that is not as it must be."""
        wanted: dict[str, dict[str, Any]] = {
            window: dict(counted) for window, counted in self._counted.items()
        }
        for window, said in self._said.items():
            for field, values in said.items():
                wanted.setdefault(window, {})[field] = [len(values), sum(values), min(values), max(values)]
        wanted |= self._latest
        found = gauges_in(store)
        wrong = [f"{name}: is missing" for name in wanted.keys() - found.keys()]
        wrong += [f"{name}: should not be" for name in found.keys() - wanted.keys()]
        wrong += [
            f"{name}: {found[name]} instead of {wanted[name]}"
            for name in found.keys() & wanted.keys()
            if not _same(found[name], wanted[name])
        ]
        return wrong + self._wrong_expiries(store)

    def _wrong_expiries(self, store: redis.Redis) -> list[str]:
        pipeline = store.pipeline()
        pipeline.time()
        for key in self._expiries:
            pipeline.pttl(key)
        (seconds, micros), *left_ms = pipeline.execute()
        found = [round(seconds + micros / 1e6 + left / 1e3) for left in left_ms]
        # The tests use a fixed clock, but Redis uses a real one: keys that have expired meanwhile are gone.
        return [
            f"{key}: expires at {at_s}, not {wanted_s}"
            for (key, wanted_s), at_s in zip(self._expiries.items(), found, strict=True)
            if wanted_s > seconds + 1 and at_s != wanted_s
        ]


def gauges_in(store: redis.Redis) -> dict[str, dict[str, Any]]:
    """`<key> <number>` -> the window, and `<key>` -> latest values, of all that has not expired."""
    names = [
        key
        for key in map(bytes.decode, cast(list[bytes], store.keys("tailrace:*")))
        if any(f":{start}-" in f":{key}" for start in WINDOWS)
    ]
    pipeline = store.pipeline(transaction=False)
    for key in names:
        if key.endswith(":latest"):
            pipeline.get(key)
        else:
            pipeline.eval(_UNPACK, 1, key)
    found: dict[str, dict[str, Any]] = {}
    for key, answer in zip(names, pipeline.execute(), strict=True):
        if key.endswith(":latest"):
            found[key] = json.loads(answer)["values"]
        else:
            for number, window in zip(answer[::2], answer[1::2], strict=True):
                found[f"{key} {number.decode()}"] = json.loads(window)
    return found


def _digest(kind: str, name: str) -> str:
    return f"{kind}-{hashlib.sha1(name.encode()).hexdigest()}"[:16]


def _same(one: Any, other: Any) -> bool:
    """Sums of floats depend on their order, and Lua writes 14 digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


_UNPACK = """
local flat = redis.call('HGETALL', KEYS[1])
for i = 2, #flat, 2 do flat[i] = cjson.encode(cmsgpack.unpack(flat[i])) end
return flat
"""
