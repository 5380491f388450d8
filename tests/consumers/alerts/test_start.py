"""Alerting as the settings put it together, over the one connection to Redis that its processes have."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import redis

from app.alerts.board import AlertState, Incident
from app.alerts.condition import Judgement
from app.alerts.facts import Subject
from app.alerts.measures import Measure
from app.log import READ_TIMEOUT_S
from app.redis_client import connect
from app.settings import Settings
from consumers.alerts.start import alerting
from servers.messages import router_line, router_message
from tests.support.logged import write_log


def test_a_message_about_what_does_not_fail_names_requests_of_the_log(
    redis_client: redis.Redis, redis_url: str
) -> None:
    now_s = time.time()
    messages = [
        router_message(
            router_line(f"/cart/{n}", status=404 if n % 2 else 200, request_id=f"id-{n}"),
            now_s - n,
            id=f"frame.{n}",
            app="shop",
        )
        for n in range(1, 100)
    ]
    write_log(redis_client, messages)
    judgement = Judgement("bad", "x", measure=Measure("status", "404"))
    state = AlertState("r", Subject("shop"), "failures", "firing", int(now_s) - 60, judgement)
    incident = Incident(
        "i1", "shop", "critical", int(now_s) - 60, int(now_s), (replace(state, fired_s=int(now_s)),)
    )
    settings = Settings(redis_url=redis_url)
    with closing(connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)) as store:
        found = alerting(settings, store, "metrics").maker.context(incident)
    assert [(one.request_id, one.path) for one in found.requests] == [
        (f"id-{n}", "/cart/:id") for n in (1, 3, 5)
    ]
