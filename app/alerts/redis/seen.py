"""When apps had their first request that is kept, and their newest one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import redis

from app.alerts.facts import HOUR_S, MINUTE_S
from app.store import keys, replies
from app.store.queries.all_time import all_time_seen
from app.store.queries.windows import first_window

FIRST_EVERY_S = 3_600
"""How often the first request of an app is looked for: it changes only as hours are forgotten."""

NEVER_EVERY_S = 60
"""The same of an app of which nothing is kept: it may have just begun, or be gone for a month."""

FIRST_AT_ONCE = 50
"""Apps that are looked at in a step: each takes a round trip."""


@dataclass(slots=True)
class SeenReader:
    """Remembers first requests. Raises redis.RedisError."""

    _first: dict[str, tuple[float, int | None]] = field(default_factory=dict)
    """App -> when it was looked for, and what was found, Unix s."""

    def first(self, store: redis.Redis, apps: Sequence[str], now_s: float) -> dict[str, int]:
        """App -> when its first request came, Unix s, to the hour. With named apps beside it, "" has that of
        all apps together."""
        due = sorted((app for app in apps if self._is_due(app, now_s)), key=self._looked_s)
        for app in due[:FIRST_AT_ONCE]:
            window = first_window(store, app, now_s)
            self._first[app] = now_s, window[1] if window else None
        self._first = {app: found for app, found in self._first.items() if app in apps}
        return {app: first_s for app, (_, first_s) in self._first.items() if first_s is not None}

    def _looked_s(self, app: str) -> float:
        """Those that were never looked at come first, however many others are due."""
        return self._first[app][0] if app in self._first else -math.inf

    def _is_due(self, app: str, now_s: float) -> bool:
        looked_s, first_s = self._first.get(app, (-math.inf, None))
        return not 0 <= now_s - looked_s < (NEVER_EVERY_S if first_s is None else FIRST_EVERY_S)

    def last(self, store: redis.Redis, apps: Sequence[str], at_s: int, *, is_past: bool) -> dict[str, int]:
        """App -> when its newest request came: the start of its ten seconds; of a moment of the past, of its
        minute, or its hour if that was over an hour before. "" is left out where there are named apps: its
        row is of all apps together."""
        known = [app for app in apps if app or len(apps) == 1]
        if is_past:
            return _last_before(store, known, at_s)
        seen = all_time_seen(store, [(app, keys.ALL_ROUTES) for app in known])
        return {app: found.last_s for (app, _), found in seen.items() if found.last_s is not None}


def _last_before(store: redis.Redis, apps: Iterable[str], at_s: int) -> dict[str, int]:
    pipeline = store.pipeline(transaction=False)
    names = [
        keys.chunk(length_s, at_s - back * keys.CHUNK_S[length_s])[0]
        for length_s in (MINUTE_S, HOUR_S)
        for back in (0, 1)
    ]
    apps = list(apps)
    for app in apps:
        for name in names:
            pipeline.hkeys(keys.windows(app, keys.ALL_ROUTES) + name)
    answers = iter(pipeline.execute())
    found = {}
    for app in apps:
        windows = [
            keys.window(name, int(number)) for name in names for number in replies.text_list(next(answers))
        ]
        # The windows of minutes first: an hour tells less. The hour that is under way tells nothing: what it
        # holds may have come after the moment, and what came before is in its minutes.
        starts = [start_s for length, start_s in windows if length == MINUTE_S and start_s < at_s] or [
            start_s for length, start_s in windows if length == HOUR_S and start_s + HOUR_S <= at_s
        ]
        if starts:
            found[app] = max(starts)
    return found
