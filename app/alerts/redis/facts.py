"""Reads the facts of a moment: what the rules need, and no more, in a bounded number of windows.

Most of a step is handing out the windows of the last minutes of up to 1,000 rows (stretches.py); which rows
these are is chosen once a minute (choice.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import redis

from app.alerts.facts import Facts, Subject
from app.alerts.redis.choice import Choice, Chooser
from app.alerts.redis.completeness import LAG_MAX_S, lag_s, why_incomplete
from app.alerts.redis.platform_facts import PlatformReader
from app.alerts.redis.seen import SeenReader
from app.alerts.redis.stretches import Moment, StretchReader, unnamed
from app.alerts.rule import Rule
from app.log import MessageLog
from app.platform.release import Release
from app.settings import Settings
from app.store import queries
from app.store.workers import all_workers

__all__ = ["LAG_MAX_S", "FactsReader"]

CHOOSE_EVERY_S = 60

PAST_S = 30
"""A moment that was so long ago is of the past: what is known only of now says nothing of it."""

TOO_OLD = "figures of that time are kept only by the hour"


@dataclass(slots=True)
class _Memory:
    chooser: Chooser = field(default_factory=Chooser)
    choice: Choice | None = None
    stretches: StretchReader = field(default_factory=StretchReader)
    platform: PlatformReader = field(default_factory=PlatformReader)
    seen: SeenReader = field(default_factory=SeenReader)


@dataclass(frozen=True, slots=True)
class FactsReader:
    """Reads facts, for one process. Not thread-safe: one loop owns it."""

    store: redis.Redis
    log: MessageLog
    settings: Settings
    _memory: _Memory = field(default_factory=_Memory, init=False, repr=False, compare=False)

    def read(self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()) -> Facts:
        """The facts of the moment `at_s` (Unix s, a multiple of 10), as far as they are kept. `now_s`: the
        time now; of a moment of the past, `health`, `dynos` and `incomplete` are left out. `watched`:
        subjects that are on the board, whose rows are read whether they are busy or not. Raises
        redis.RedisError and LogUnavailable."""
        memory = self._memory
        choice = self._choice(rules, watched, now_s)
        is_past = now_s - at_s > PAST_S
        moment = Moment(at_s, int(now_s - at_s) if is_past else 0)
        rows = memory.stretches.read(self.store, choice.wanted, moment)
        unnamed(rows, choice.named)
        facts = Facts(
            at_s,
            is_past=is_past,
            rows=rows,
            routes=choice.routes,
            apps=choice.apps,
            first_s=memory.seen.first(self.store, choice.apps, now_s),
            last_s=memory.seen.last(self.store, choice.apps, at_s, is_past=is_past),
        )
        kinds = choice.needs.kinds
        if is_past:
            is_known = all(map(moment.span, choice.needs.stretches | choice.needs.app_stretches))
            return replace(
                facts,
                incomplete="" if is_known else TOO_OLD,
                releases=self._releases_before(choice, at_s, now_s),
            )
        health = queries.health(self.store, now_s, self.log, routes_max=self.settings.routes_max)
        latest = {}
        if "releases" in kinds or "comparisons" in kinds:
            latest = memory.platform.latest(self.store, choice.apps, now_s)
        return replace(
            facts,
            incomplete=why_incomplete(health, all_workers(self.store, int(now_s * 1000))),
            lag_s=lag_s(health),
            dynos=memory.platform.dynos(self.store, now_s) if "dynos" in kinds else {},
            releases=latest,
            comparisons=(
                memory.platform.comparisons(self.store, latest, now_s) if "comparisons" in kinds else {}
            ),
            health=tuple(queries.alerts(health, self.log.advice)),
        )

    def _choice(self, rules: Sequence[Rule], watched: Sequence[Subject], now_s: float) -> Choice:
        """The one that was made last, unless it is old, rules changed, or something watched is missing."""
        memory = self._memory
        choice = memory.choice
        if (
            choice is None
            or not 0 <= now_s - choice.made_s < CHOOSE_EVERY_S
            or choice.rules != tuple(rules)
            or not choice.has(watched)
        ):
            choice = memory.choice = memory.chooser.choose(self.store, rules, watched, now_s)
            memory.stretches.keep_only(choice.wanted)
        return choice

    def _releases_before(self, choice: Choice, at_s: int, now_s: float) -> dict[str, Release]:
        if "releases" not in choice.needs.kinds:
            return {}
        return self._memory.platform.before(self.store, choice.apps, at_s, now_s)
