"""Targets that point at servers of the tests, with secrets that can be looked for."""

from __future__ import annotations

import traceback

from app.alerts.message import Message
from app.alerts.targets.registry import KINDS
from app.alerts.targets.target import DeliveryFailed, Target
from tests.support.alert_messages import MESSAGE

SECRET = "Qz7secretQz7secretQz7secretQz7se"
PATH = "/services/T0pathsecret/B0/pathsecretX?sig=querysecretY"
MARKS = ("Qz7secret", "pathsecret", "querysecret")

HTTP_KINDS = ("webhook", "slack", "pagerduty", "teams")


def target_at(kind: str, url: str) -> Target:
    """A target of that kind at a server: scheme, host and port."""
    return Target("ops", kind, "127.0.0.1", url=url + PATH, secret=SECRET)


def send(target: Target, message: Message = MESSAGE, timeout_s: float = 5.0) -> None:
    KINDS[target.kind].send(target, message, timeout_s)


def failure_of(target: Target, message: Message = MESSAGE, timeout_s: float = 5.0) -> DeliveryFailed:
    """How it fails. Nothing that anyone could see of it holds a secret."""
    try:
        send(target, message, timeout_s)
    except DeliveryFailed as failed:
        words = "".join(traceback.format_exception(failed)) + repr(failed) + str(failed) + repr(target)
        assert not [mark for mark in MARKS if mark in words]
        return failed
    raise AssertionError("it was delivered")
