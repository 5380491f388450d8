"""PagerDuty, by its Events API v2 (developer.pagerduty.com, "Send an Alert Event").

All messages of an incident have one `dedup_key`, the incident's id: however often one is sent, there is one
alert at PagerDuty, and the resolved message resolves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.alerts.message import Message
from app.alerts.targets.entry import Entry
from app.alerts.targets.form import bounded
from app.alerts.targets.http import post, require_success
from app.alerts.targets.jsons import json_bytes
from app.alerts.targets.target import Target
from app.alerts.targets.values import host_of, pagerduty_key, web_url
from app.alerts.text import finding_line, request_line
from app.formatting import shortened
from app.timespec import iso

if TYPE_CHECKING:
    from app.settings import Settings

DEFAULT_URL = "https://events.pagerduty.com/v2/enqueue"

SUMMARY_MAX_CHARS = 1_024
"""Documented, as `dedup_key`'s 255 and the 512 KB of the whole, which the limits of form.py keep it below."""

FIELD_MAX_CHARS = 255


class PagerDuty:
    """The key says whose alert it is; the URL is everyone's."""

    name = "pagerduty"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        found = Entry(name, entry, ("key", "url"), environ)
        return found.target(
            self.name,
            url=found.value("url", web_url, DEFAULT_URL),
            secret=found.secret("key", pagerduty_key, "OPS_PAGERDUTY_KEY"),
        )

    def from_settings(self, settings: Settings) -> Target | None:
        key = settings.alert_pagerduty_key
        return (
            Target(self.name, self.name, host_of(DEFAULT_URL), url=DEFAULT_URL, secret=key) if key else None
        )

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        body = json_bytes(content_of(message, target.secret))
        headers = {"Content-Type": "application/json"}
        require_success(post(target.url, body, headers, timeout_s, secrets=(target.secret,)))


def content_of(message: Message, key: str) -> dict[str, Any]:
    """The JSON."""
    message = bounded(message)
    event: dict[str, Any] = {
        "routing_key": key,
        "event_action": "resolve" if message.kind == "resolved" else "trigger",
        "dedup_key": message.incident,
    }
    if message.kind == "resolved":
        return event
    event |= {"payload": _payload(message), "client": "Tailrace"}
    if message.link:
        event |= {
            "client_url": message.link,
            "links": [{"href": message.link, "text": "Open the page"}],
        }
    return event


def _payload(message: Message) -> dict[str, Any]:
    worst = message.findings[0] if message.findings else None
    details = {
        "findings": [finding_line(finding, message.app) for finding in message.findings],
        "more_findings": message.more_findings,
        "dyno": message.dyno,
        "release": message.release,
        "requests": [request_line(request) for request in message.requests],
        "action": message.action,
    }
    fields = {
        "component": worst.route if worst else "",
        "group": message.app,
        "class": worst.rule if worst else "",
    }
    return {
        "summary": shortened(message.title, SUMMARY_MAX_CHARS) or "Tailrace",
        "source": shortened(message.app, FIELD_MAX_CHARS) or "tailrace",
        "severity": "info" if message.kind == "test" else message.severity,
        "timestamp": iso(message.since_s * 1000),
        **{name: shortened(text, FIELD_MAX_CHARS) for name, text in fields.items() if text},
        "custom_details": {name: detail for name, detail in details.items() if detail},
    }
