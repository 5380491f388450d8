"""Every hash that the metrics worker keeps, computed one message at a time in plain Python.

Slow and simple on purpose: what the worker does in batches, columns and Lua must come out the same.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import cast
from urllib.parse import unquote

import redis

from app.message import RouterMessage
from app.routes import template
from app.sketch import bucket, middle_ms
from tests.support.stored import text_hash, windows_in

Hashes = dict[str, dict[str, str]]
Fields = dict[str, int | float | str]

WINDOWS = ((10, 3_600), (60, 86_400), (3_600, 31 * 86_400))
NAME_WINDOWS = ((10, 3_600), (60, 86_400), (3_600, 86_400))
EDGES_MS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
COUNTS = {
    **{"n": "count", "b": "bytes", "a": "aborted", "w": "connections"},
    **{"f": "errors_added", "g": "errors_removed"},
}
"""Field of a window -> of the totals."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Those that the tests use; the worker knows more."""

NOT_COUNTS = (
    *("tailrace:log:", "tailrace:positions:", "tailrace:seen:", "tailrace:workers", "tailrace:counts"),
    *("tailrace:dead-letters", "tailrace:group:", "tailrace:replay:", "tailrace:aside:", "tailrace:losses"),
    *("tailrace:journal", "tailrace:reports", "tailrace:sender-faults", "tailrace:unknown-tokens"),
    *("tailrace:routes:", "tailrace:alerts:"),
)
NEITHER = (":paths", ":learned")
"""Ends of keys: frequent paths, which are a summary, and templates."""


class Reference:
    """Counts messages into the hashes that Redis should hold."""

    def __init__(
        self,
        now_s: float,
        route_of: Callable[[str], str] = template,
        routes_max: int = 500,
        names_max: int = 200,
        is_replayed: Callable[[str], bool] = lambda request_id: False,
        is_not_found: Callable[[str, str], bool] = lambda app, route: False,
    ) -> None:
        """`is_not_found`: whether a route of an app never gets a row of its own."""
        self._now_s = now_s
        self._route_of = route_of
        self._routes_max = routes_max
        self._names_max = names_max
        self._is_replayed = is_replayed
        self._is_not_found = is_not_found
        self._hashes: dict[str, Fields] = defaultdict(dict)
        self._sums_us: dict[str, int] = defaultdict(int)
        self.expiries: dict[str, int] = {}
        """Of the chunks that the windows lie in."""

    def add_all(self, messages: Iterable[RouterMessage]) -> None:
        for message in messages:
            self.add(message)

    def add(self, message: RouterMessage) -> None:
        """Counts one message; one without a path, or of a replay, changes nothing."""
        pairs = pairs_of(message["msg"])
        route = self.route_of(pairs)
        if not route or self._is_replayed(pairs.get("request_id", "")):
            return
        self._count("tailrace:apps", message["app"])
        for app in {"", message["app"]}:
            scope = f"app:{app}:" if app else ""
            row = "(not found)" if self._is_not_found(app, route) else route
            self._add_row(scope, self._digest(scope, row), pairs, message, is_route=True)
            self._add_row(scope, "all", pairs, message, is_route=False)
        for kind in ("dyno", "host"):
            if pairs.get(kind):
                self._add_name(message["app"], kind, pairs[kind], pairs, message)

    def _add_name(
        self, app: str, kind: str, name: str, pairs: dict[str, str], message: RouterMessage
    ) -> None:
        """A dyno or host, in the scope of the line's own app alone."""
        scope = f"tailrace:app:{app}:" if app else "tailrace:"
        table = self._hashes[f"{scope}names:{kind}s"]
        if name not in table and len(table) >= self._names_max:
            name = "(other)"
        table[name] = "known"
        digest = f"{kind}-{hashlib.sha1(name.encode()).hexdigest()[:11]}"
        outcome = outcome_of(pairs)
        is_failed = pairs.get("status", "")[:1] == "5" or pairs.get("at") == "error"
        counted = {"n": 1} | ({"a": 1} if "a" in outcome else {"f": 1} if is_failed else {})
        totals = {{"n": "count", "f": "failed", "a": "aborted"}[field]: 1 for field in counted}
        took_ms = None if pairs.get("status") == "101" else _ms(pairs.get("service", ""))
        if took_ms is not None:
            index = bucket(took_ms)
            counted[str(index)] = 1
            edge = next((edge for edge in EDGES_MS if middle_ms(index) <= edge * 1.01), None)
            totals[f"le{edge:g}" if edge else "over"] = 1
            if took_us := round(middle_ms(index) * 1000):
                totals["us"] = took_us
        for field, count in totals.items():
            self._count(f"{scope}{digest}:totals", field, count)
        for length_s, kept_s in NAME_WINDOWS:
            start = int(_time_s(message)) // length_s * length_s
            if start + length_s + kept_s > self._now_s:
                for field, count in counted.items():
                    self._count(f"{scope}{digest}:{length_s}:{start}", field, count)
                chunk_s = {10: 600, 60: 3_600, 3_600: 86_400}[length_s]
                chunk_start = start - start % chunk_s
                self.expiries[f"{scope}{digest}:{length_s}:{chunk_start}"] = chunk_start + chunk_s + kept_s

    def route_of(self, pairs: Mapping[str, str]) -> str:
        path = pairs.get("path", "").split("?")[0]
        is_decoded = "tls" in pairs or pairs.get("protocol") in ("http1.1", "http2.0")
        return self._route_of(path if is_decoded else unquote(path))

    def _digest(self, scope: str, route: str) -> str:
        """That of the route, or of `(other)` once the app has its number of routes."""
        routes = self._hashes[f"{scope}routes"]
        if route not in routes and len(routes) >= self._routes_max:
            route = "(other)"
        routes[route] = hashlib.sha256(route.encode()).hexdigest()
        return str(routes[route])

    def _add_row(
        self, scope: str, digest: str, pairs: dict[str, str], message: RouterMessage, *, is_route: bool
    ) -> None:
        own = f"tailrace:{scope}{digest}"
        size = int(pairs["bytes"]) if pairs.get("bytes", "").isdecimal() else 0
        method = pairs.get("method", "")
        method = method if method in METHODS or not method else "(other)"
        counted = {"n": 1, "b": size}
        counted |= {f"s{pairs['status']}": 1} if pairs.get("status") else {}
        counted |= {f"m{method}": 1} if method else {}
        counted |= {f"c{pairs['code']}": 1} if pairs.get("code") else {}
        counted |= outcome_of(pairs)
        is_connection = pairs.get("status") == "101"
        counted |= {"w": 1} if is_connection else {}
        for field, count in counted.items():
            if not field.startswith("s"):
                self._count(f"{own}:mix", COUNTS.get(field, f"{field[0]}:{field[1:]}"), count)
        for figure in ("lifetime",) if is_connection else ("service", "connect"):
            took_ms = _ms(pairs.get("service" if is_connection else figure, ""))
            if took_ms is None:
                continue
            took_ms = round(took_ms) if is_connection else took_ms
            index = bucket(took_ms)
            self._count(f"{own}:{figure}", str(index))
            counted[{"service": str(index), "connect": str(-1 - index)}.get(figure, f"l{index}")] = 1
            mix = self._hashes[f"{own}:mix"]
            mix[f"max_{figure}"] = float(max(float(mix.get(f"max_{figure}", 0)), took_ms))
            if is_route and not is_connection:
                times = self._hashes[f"{scope}{digest}::{figure}"]
                # Whole microseconds, for floats would not add up.
                self._sums_us[f"{scope}{digest}::{figure}"] += round(took_ms * 1000)
                total_ms = self._sums_us[f"{scope}{digest}::{figure}"] / 1000
                number = int(times.get("count", 0)) + 1
                times |= {"sum": total_ms, "count": number, "average": total_ms / number}
        if is_route and pairs.get("status"):
            self._count(f"{scope}{digest}::statuses", pairs["status"])
        for kind in ("dyno", "host"):
            if name := pairs.get(kind):
                self._count_bounded(f"{own}:{kind}s", name)
        mix = self._hashes[f"{own}:mix"]
        mix["last_s"] = max(int(mix.get("last_s", 0)), int(_time_s(message)) // 10 * 10)
        for length_s, kept_s in WINDOWS:
            start = int(_time_s(message)) // length_s * length_s
            if start + length_s + kept_s > self._now_s:
                key = f"tailrace:{scope}{digest[:16]}:{length_s}:{start}"
                chunk_s = {10: 600, 60: 3_600, 3_600: 86_400}[length_s]
                chunk_start = start - start % chunk_s
                chunk = f"tailrace:{scope}{digest[:16]}:{length_s}:{chunk_start}"
                stays_s = kept_s + (7_200 if length_s == 60 else 0)
                self.expiries[chunk] = chunk_start + chunk_s + stays_s
                for field, count in counted.items():
                    self._count(key, field, count)

    def _count(self, key: str, field: str, count: int = 1) -> None:
        fields = self._hashes[key]
        fields[field] = int(fields.get(field, 0)) + count

    def _count_bounded(self, key: str, name: str) -> None:
        fields = self._hashes[key]
        is_full = len(fields) >= self._names_max and name not in fields
        self._count(key, "(other)" if is_full else name)

    def hashes(self) -> Hashes:
        """Key -> field -> value, as Redis gives them."""
        return {
            key: {field: _text(value) for field, value in fields.items()}
            for key, fields in self._hashes.items()
            if fields
        }


def outcome_of(pairs: dict[str, str]) -> dict[str, int]:
    """What a line counts for beside its status and code, see app/outcomes.py."""
    status, code = pairs.get("status", ""), pairs.get("code", "")
    is_aborted = status == "499" or code in ("H27", "H28")
    is_failed = not is_aborted and (status[:1] == "5" or pairs.get("at") == "error")
    seen_before = (status[:1] == "5") + (code in ("H26", "H27", "H28", "H31"))
    beyond = is_failed - seen_before
    found = {"a": int(is_aborted), "f": max(0, beyond), "g": max(0, -beyond)}
    return {field: count for field, count in found.items() if count}


def pairs_of(line: str) -> dict[str, str]:
    """The pairs of a line whose quoted values hold no escapes."""
    return {key: quoted or bare for key, quoted, bare in _PAIR.findall(line)}


_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|(\S*))')


def _ms(raw: str) -> float | None:
    return float(raw[:-2]) if raw.endswith("ms") else None


def _time_s(message: RouterMessage) -> float:
    """The line's own time, unless that is no time or more than an hour ahead of its arrival."""
    received_s = message["received_at"] / 1000
    try:
        own_s = datetime.fromisoformat(message["timestamp"]).timestamp()
    except ValueError:
        return received_s
    return received_s if own_s // 10 * 10 > received_s + 3_600 else own_s


def _text(value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return str(value)


def hashes_in(store: redis.Redis) -> Hashes:
    """All counts of requests that Redis holds now, each window by itself, without what is bookkeeping."""
    keys = [key.decode() for key in cast(list[bytes], store.keys())]
    found: Hashes = {}
    counts = [key for key in keys if not (key.startswith(NOT_COUNTS) or key.endswith(NEITHER))]
    for key in sorted(key for key in counts if not _OTHER_CHECKS.search(key)):
        if _CHUNK.fullmatch(key):
            found |= windows_in(store, key)
        elif _NAMES.fullmatch(key):
            names = cast(list[bytes], store.zrange(key, 0, -1))
            found[key] = {name.decode(): "known" for name in names}
        else:
            found[key] = text_hash(store, key)
            found[key].pop("promoted_s", None)
    return {key: fields for key, fields in found.items() if fields}


_OTHER_CHECKS = re.compile(r":samples:|:(?:gauge|run|type|addon)-[0-9a-f]+:|:names:(?!dynos$|hosts$)")
"""What sample_reference.py and gauge_reference.py check."""
_NAMES = re.compile(r"tailrace:(app:[^:]+:)?names:(dynos|hosts)")
_CHUNK = re.compile(r"tailrace:.*:(?:10|60|3600):\d+", re.DOTALL)


def differences(found: Hashes, wanted: Hashes) -> list[str]:
    """One line for each field that differs; short enough to read in a failed test."""
    lines = []
    for key in sorted(found.keys() | wanted.keys()):
        one, other = found.get(key, {}), wanted.get(key, {})
        lines += [
            f"{key} {field}: {one.get(field)} instead of {other.get(field)}"
            for field in sorted(one.keys() | other.keys())
            if one.get(field) != other.get(field)
        ]
    return lines
