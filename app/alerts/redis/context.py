"""Reads the context of an incident, for its message: a few round trips, each of which may fail, and at most
one search of the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import redis

from app.alerts.board import Incident
from app.alerts.condition import Family
from app.alerts.context import Context
from app.alerts.log_requests import SearchLog, WantedRequests
from app.alerts.measures import Measure
from app.alerts.message import Request
from app.alerts.titles import is_own, leading
from app.binomial import wilson
from app.formatting import milliseconds, percent
from app.platform.release import Release
from app.sketch import above, merged, percentile
from app.store import keys, queries
from app.store.queries.names import names_plan, names_table
from app.store.queries.spans import Span
from app.store.queries.windows import row_sums
from app.store.sums import Sums

log = logging.getLogger(__name__)

TIME_S = 4.0
"""What was not begun by then is left out: a message without context is better than a late one."""

BEFORE_S = 60
"""An incident begins where its windows turned bad: what caused it came up to so much earlier."""

SPAN_MAX_S = 900
"""Of a longer incident, the last of it."""

REQUESTS_MAX = 3
RELEASES_DAYS = 30

FAILED: frozenset[Family] = frozenset(("failures", "traffic", "release"))
OF_DYNOS: frozenset[Family] = frozenset(("failures", "slowness", "release"))

HITS_MIN = 10
"""With fewer failures, or slow requests, chance decides which dyno has them."""

SURE_Z = 3.3
SLOW_SHARE = 0.9
"""Slow is what takes longer than this share of all requests of the time."""

Answer = TypeVar("Answer")


def read_context(store: redis.Redis, incident: Incident, now_s: float, search_log: SearchLog) -> Context:
    """What can be found out; what cannot (Redis fails, nothing is kept) is empty. Raises nothing."""
    if not incident.alerts or is_own(incident):
        return Context()
    until_s = time.monotonic() + TIME_S

    def found(what: str, read: Callable[[], Answer], nothing: Answer) -> Answer:
        if time.monotonic() > until_s:
            return nothing
        try:
            return read()
        except Exception as fault:
            log.warning("no %s for an alert: %s", what, type(fault).__name__)
            return nothing

    return Context(
        release=found("release", lambda: read_release(store, incident, now_s), None),
        dyno=found("dyno", lambda: read_dyno(store, incident, now_s), ""),
        requests=found("requests", lambda: read_requests(store, incident, now_s, search_log), ()),
    )


def read_release(store: redis.Redis, incident: Incident, now_s: float) -> Release | None:
    """The last release of its app before it began. Raises redis.RedisError."""
    if not incident.app:
        return None
    latest = queries.latest_release(store, incident.app)
    if latest is None or latest.at_ms <= incident.began_s * 1000:
        return latest
    before = Span(RELEASES_DAYS * 86_400, incident.began_s + 1)
    return next(iter(queries.events(store, incident.app, before, now_s).releases), None)


def read_requests(
    store: redis.Redis, incident: Incident, now_s: float, search_log: SearchLog
) -> tuple[Request, ...]:
    """Up to three requests of its worst alert: the slowest of its time, or the last of those that it counts.
    Raises redis.RedisError."""
    worst = leading(incident)
    if worst.family != "slowness" and worst.family not in FAILED:
        return ()
    digest = worst.subject.digest or keys.ALL_ROUTES
    is_slow = worst.family == "slowness"
    # Of a quiet app, a quarter of an hour is judged; and of what is counted, the latest are taken.
    span = _span(incident, now_s, BEFORE_S if is_slow else SPAN_MAX_S)
    samples = queries.samples(store, incident.app, digest, span, now_s)
    measure = worst.judgement.measure
    chosen = samples.slowest if is_slow else _counted(samples, measure)
    of_app = [sample for sample in chosen if sample.app == incident.app]
    if len(of_app) < REQUESTS_MAX and not is_slow and measure is not None and measure.kind != "errors":
        # Nothing is sampled of what does not fail, and little where others fail more.
        from_s = (int(now_s) if span.until_s is None else span.until_s) - span.seconds
        wanted = WantedRequests(
            incident.app, worst.subject.route, measure, from_s, span.until_s, REQUESTS_MAX
        )
        if len(found := search_log(wanted)) > len(of_app):
            return found
    return tuple(
        Request(
            request_id=sample.request_id,
            at_ms=sample.at_ms,
            method=sample.method,
            path=worst.subject.route,
            status=sample.status,
            code=sample.code,
            dyno=sample.dyno,
            service_ms=sample.service_ms,
        )
        for sample in of_app[:REQUESTS_MAX]
    )


def _counted(samples: queries.Samples, measure: Measure | None) -> list[queries.Sample]:
    """Of those that are kept, the latest that are counted. Others are no example of what is wrong."""
    if measure is None or measure.kind == "errors":
        return samples.failed
    found = dict.fromkeys([*samples.failed, *samples.slowest])
    return sorted(
        (one for one in found if measure.is_of(one.status, one.code)),
        key=lambda one: (one.at_ms, one.request_id),
        reverse=True,
    )


def read_dyno(store: redis.Redis, incident: Incident, now_s: float) -> str:
    """`web.3 has 96 % of the failures and 10 % of the requests`; empty: no dyno stands out. It is judged by
    all requests of the app, because nothing is counted by dyno and route. Raises redis.RedisError."""
    worst = leading(incident)
    family, measure = worst.family, worst.judgement.measure
    is_aborted = measure is not None and measure.kind == "aborted"
    if family not in OF_DYNOS or (measure is not None and not measure.is_failing and not is_aborted):
        return ""
    span = _span(incident, now_s)
    table = names_table(store, incident.app, "dynos", span, now_s)
    rows = [row for row in table.rows if row.app == incident.app]
    requests = {row.name: row.figures.count for row in rows}
    if is_aborted:
        return _sentence(requests, {row.name: row.figures.aborted for row in rows}, "aborted requests")
    if family != "slowness":
        return _sentence(requests, {row.name: row.figures.errors for row in rows}, "failures")
    sums = _sums(store, incident.app, list(requests), span, now_s)
    together = merged(one.service for one in sums.values())
    if not together:
        return ""
    limit_ms = percentile(together, SLOW_SHARE)
    hits = {name: above(one.service, limit_ms) for name, one in sums.items()}
    return _sentence(requests, hits, f"requests over {milliseconds(limit_ms)}")


def _sums(store: redis.Redis, app: str, names: Sequence[str], span: Span, now_s: float) -> dict[str, Sums]:
    span_plan = names_plan(span, now_s)
    if span_plan is None:
        return {}
    rows = {(app, keys.name_digest("dynos", name)): name for name in names}
    return {rows[row]: found.total for row, found in row_sums(store, list(rows), span_plan).items()}


def _sentence(requests: dict[str, int], hits: dict[str, int], what: str) -> str:
    """Names the dyno with the most hits, if its share is surely nearer to all of them than to its share of
    the requests."""
    count, total = sum(hits.values()), sum(requests.values())
    if len(requests) < 2 or count < HITS_MIN or not total:
        return ""
    name = max(hits, key=lambda one: (hits[one], one))
    share = requests[name] / total
    low, _ = wilson(hits[name], count, SURE_Z)
    if low <= (1 + share) / 2:
        return ""
    return f"{name} has {_percent(hits[name] / count)} of the {what} and {_percent(share)} of the requests"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.01 <= share <= 0.99 or share == 1 else percent(share)


def _span(incident: Incident, now_s: float, before_s: int = BEFORE_S) -> Span:
    to_s = incident.resolved_s if incident.resolved_s is not None else int(now_s)
    from_s = max(incident.began_s - before_s, to_s - SPAN_MAX_S)
    # One that goes on has no end: samples are of the latest failures, which whole windows would leave out.
    return Span(max(10, to_s - from_s), incident.resolved_s)
