"""Too slow: `p95 > 800ms`, `p95 > 3x usual`.

A percentile is above a limit if too many requests are: p95 > 800ms, if more than 5 % took longer. That is a
share, and is judged as one. Of the service time, within 1 % (app/sketch.py); connections do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.alerts.clause import Clause, plain
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.conditions.kind import Kind, factor, refuse, require_above, require_words
from app.alerts.facts import Facts, Needs, Subject
from app.alerts.judging import NOTHING, Found, Part, judge_share
from app.alerts.spans import (
    EARLIER,
    LONG,
    NEWEST,
    RECENT,
    SHORT,
    WHEN,
    YESTERDAY,
    Versus,
    baseline,
    known_days,
    stretches_of,
)
from app.alerts.wording import ms_limit, of_requests, within, written_ms
from app.binomial import SURE, upper_rank
from app.formatting import milliseconds, percent
from app.sketch import above, at_rank, merged, percentile
from app.store.schema import Buckets

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
LIMIT_MAX_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class SlowerThan:
    """`p95 > 800ms`."""

    name: str
    limit_ms: float

    scope: Scope = "routes"
    family: Family = "slowness"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return f"{self.name} > {written_ms(self.limit_ms)}"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | {EARLIER, YESTERDAY})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        found = _judged(self.name, facts, subject, self.limit_ms, min_requests)
        if found.verdict != "bad":
            return Judgement(found.verdict)
        buckets = _times(facts, subject, found)
        limit, longer = ms_limit(self.limit_ms), _slower_words(buckets, self.limit_ms)
        return Judgement(
            "bad",
            f"{_said(self.name, found, buckets)}, the limit is {limit}: {longer} took longer",
            value=_value(self.name, buckets),
            limit=self.limit_ms,
            usual=self._usual(facts, subject),
        )

    def _usual(self, facts: Facts, subject: Subject) -> str:
        days = known_days(facts, subject, "yesterday")
        if not days or not days[0][0].service:
            return ""
        return f"{milliseconds(_value(self.name, days[0][0].service))} {WHEN['yesterday']}"


@dataclass(frozen=True, slots=True)
class SlowerThanBaseline:
    """`p95 > 3x usual`. What was then is taken as the upper end of its interval."""

    name: str
    factor: float
    versus: Versus

    scope: Scope = "routes"
    family: Family = "slowness"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return f"{self.name} > {plain(self.factor)}x {self.versus}"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | {EARLIER, *baseline(self.versus)})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        # Of a thousand routes, many have no request.
        if not any(facts.sums(subject, stretch).service for stretch in (LONG, EARLIER)):
            return Judgement("fine")
        before = facts.once((subject, self.name, self.versus), lambda: self._before(facts, subject))
        if before is None:
            return Judgement("unclear", f"too few requests {WHEN[self.versus]} to compare with")
        limit_ms = self.factor * before.upper_ms
        found = _judged(self.name, facts, subject, limit_ms, min_requests)
        if found.verdict != "bad":
            return Judgement(found.verdict)
        buckets = _times(facts, subject, found)
        return Judgement(
            "bad",
            f"{_said(self.name, found, buckets)}, over {plain(self.factor)} times as long as "
            f"{WHEN[self.versus]}: {_slower_words(buckets, limit_ms)} took over {milliseconds(limit_ms)}",
            value=_value(self.name, buckets),
            limit=limit_ms,
            usual=f"{milliseconds(before.value_ms)} {WHEN[self.versus]}",
        )

    def _before(self, facts: Facts, subject: Subject) -> _Before | None:
        """Of the days before; of three or more without the slowest. None: too few requests."""
        days = [sums.service for sums, _ in known_days(facts, subject, self.versus) if sums.service]
        if len(days) >= 3:
            days.sort(key=lambda day: percentile(day, PERCENTILES[self.name]))
            days.pop()
        times = merged(days)
        samples = sum(times.values())
        rank = upper_rank(samples, PERCENTILES[self.name], SURE) if samples else None
        if rank is None:
            return None
        return _Before(max(1.0, at_rank(times, rank - 1)), _value(self.name, times))


class _Before(NamedTuple):
    """A percentile of days before."""

    upper_ms: float
    """The upper end of its interval."""
    value_ms: float


def _judged(name: str, facts: Facts, subject: Subject, limit_ms: float, min_requests: int) -> Found:
    long, short, newest, earlier = (
        slower(facts.sums(subject, stretch).service, limit_ms) for stretch in (LONG, SHORT, NEWEST, EARLIER)
    )
    limit = round(1 - PERCENTILES[name], 4)
    days = known_days(facts, subject, "yesterday")
    yesterday = slower(days[0][0].service, limit_ms) if days else NOTHING
    return judge_share(long, short, newest, limit, min_requests, earlier=earlier, yesterday=yesterday)


def _times(facts: Facts, subject: Subject, found: Found) -> Buckets:
    """Of the minutes that it is said of."""
    return merged(facts.sums(subject, stretch).service for stretch in stretches_of(found.minutes))


def slower(buckets: Buckets, limit_ms: float) -> Part:
    """How many of the requests took longer."""
    return Part(above(buckets, limit_ms), sum(buckets.values()))


def _value(name: str, buckets: Buckets) -> float:
    return percentile(buckets, PERCENTILES[name])


def _said(name: str, found: Found, buckets: Buckets) -> str:
    return f"{name} was {milliseconds(_value(name, buckets))} {within(found.minutes)}"


def _slower_words(buckets: Buckets, limit_ms: float) -> str:
    """`25.0 % of 240 requests`."""
    part = slower(buckets, limit_ms)
    return f"{percent(part.share)} of {of_requests(part.requests)}"


def _parse(clause: Clause) -> Condition:
    name = clause.words[0]
    require_words(clause, 1, f"{name} > 800ms")
    require_above(clause, f"it would alert while all is well: write {name} > 800ms")
    if clause.versus:
        return SlowerThanBaseline(name, factor(clause), clause.versus)
    if clause.unit not in ("ms", "s"):
        raise refuse(clause, f"a latency is in ms or s: {name} > 800ms, or {name} > 3x usual")
    limit_ms = round(clause.value * (1000 if clause.unit == "s" else 1), 6)
    if not 0 < limit_ms <= LIMIT_MAX_MS:
        raise refuse(clause, f"a latency is above 0 and at most an hour, such as {name} > 800ms")
    return SlowerThan(name, limit_ms)


KIND = Kind(tuple(PERCENTILES), ("p95 > 800ms", "p99 > 2s", "p95 > 3x yesterday", "p95 > 3x usual"), _parse)
