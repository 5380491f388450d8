"""What fires by the rules, and how messages get to targets, as series for Prometheus.

A rule and app has a series while an alert of it is on the board, so there are at most as many as the board
has alerts; a target has one from its first message on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import redis
from prometheus_client.metrics_core import Metric

from app.alerts.board import Board
from app.alerts.redis.board import read_board
from app.alerts.redis.outbox import TargetStatus, statuses
from app.escaping import prometheus_label as label
from drain.monitoring.families import alerts


def read_alert_families(store: redis.Redis) -> Iterator[Metric]:
    """Two round trips. Raises redis.RedisError."""
    yield from _states(read_board(store))
    yield from _targets(statuses(store))


def _states(board: Board) -> Iterator[Metric]:
    firing, pending = alerts.FIRING.metric(), alerts.PENDING.metric()
    counts = Counter((state.state, state.rule, state.subject.app) for state in board.alerts.values())
    for (state, rule, app), count in sorted(counts.items()):
        (firing if state == "firing" else pending).add_metric([label(rule), label(app)], count)
    evaluated, complete = alerts.EVALUATED_AT.metric(), alerts.COMPLETE.metric()
    if board.at_s:
        evaluated.add_metric([], board.at_s)
        complete.add_metric([], not board.incomplete)
    yield from (firing, pending, evaluated, complete)


def _targets(found: Sequence[TargetStatus]) -> Iterator[Metric]:
    waiting, given_up = alerts.WAITING.metric(), alerts.GIVEN_UP.metric()
    delivered = alerts.DELIVERED_AT.metric()
    for target in found:
        name = [label(target.name)]
        waiting.add_metric(name, target.waiting)
        given_up.add_metric(name, target.given_up)
        if target.delivered_s is not None:
            delivered.add_metric(name, target.delivered_s)
    yield from (waiting, given_up, delivered)
