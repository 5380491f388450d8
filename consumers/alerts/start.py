"""Puts alerting together, from the settings: for `alerts`, and for the thread of `metrics`."""

from __future__ import annotations

import os
import secrets
import time

import redis

from app.alerts.compose import message_of
from app.alerts.defaults import rules_of
from app.alerts.log_requests import LogRequests
from app.alerts.redis.context import read_context
from app.alerts.redis.facts import FactsReader
from app.alerts.targets.registry import KINDS, targets_of
from app.log import open_log
from app.settings import Settings
from consumers.alerts.alerting import Alerting
from consumers.alerts.delivery import Deliveries
from consumers.alerts.messages import MessageMaker


def alerting(settings: Settings, store: redis.Redis, group: str) -> Alerting:
    """Alerting over this store, of which one connection is enough. `group`: of the process that does it.
    Nothing is connected or started yet."""
    targets = targets_of(settings)
    message_log = open_log(settings)
    search_log = LogRequests(settings, store, message_log)
    holder = f"{group}.{os.uname().nodename}.{os.getpid()}.{secrets.token_hex(4)}"
    return Alerting(
        store=store,
        holder=holder,
        rules=rules_of(settings),
        reader=FactsReader(store, message_log, settings),
        maker=MessageMaker(
            context=lambda incident: read_context(store, incident, time.time(), search_log),
            make=lambda notice, context, at_s: message_of(notice, context, settings.tailrace_url, at_s),
        ),
        targets=tuple(targets),
        deliveries=Deliveries(store, holder, targets, KINDS),
    )
