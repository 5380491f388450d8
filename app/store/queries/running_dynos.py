"""What the platform said of the dynos of the last hour, without their requests: bounded, for machines that
ask often."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import redis

from app.platform.dynos import by_number, is_one_off
from app.store.bounds import OTHER
from app.store.queries.dyno_runtime import DynoRuntime, Found, read_dynos
from app.store.queries.gauges import AppName
from app.store.queries.spans import HOUR_S, Span, plan


def running_dynos(store: redis.Redis, limit: int, now_s: float) -> dict[AppName, DynoRuntime]:
    """Those of the formation that ran within the hour, at most `limit` of each app: the first by name, so
    that they are the same ones each time. One-off dynos are left out: each has another name."""
    span_plan = plan(Span(HOUR_S), now_s, 1)
    found, _ = read_dynos(store, "", span_plan, now_s)
    ran = {row: dyno for row, dyno in found.items() if _is_kept(row) and dyno.is_in(span_plan)}
    return {row: ran[row].runtime(span_plan, has_requests=False) for row in _first(ran, limit)}


def _is_kept(row: AppName) -> bool:
    return row[1] != OTHER and not is_one_off(row[1])


def _first(found: dict[AppName, Found], limit: int) -> Iterator[AppName]:
    in_order = sorted(found, key=lambda row: (row[0], by_number(row[1])))
    for _, rows in groupby(in_order, lambda row: row[0]):
        yield from list(rows)[:limit]
