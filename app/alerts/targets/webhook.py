"""A webhook: the message as signed JSON. docs/alerts.md, "The webhook's JSON", is its documentation."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.alerts.message import VERSION, Message
from app.alerts.targets.entry import Entry
from app.alerts.targets.form import bounded, safe_id
from app.alerts.targets.http import post, require_success
from app.alerts.targets.jsons import json_bytes
from app.alerts.targets.target import Target
from app.alerts.targets.values import host_of, web_url, webhook_secret

if TYPE_CHECKING:
    from app.settings import Settings


class Webhook:
    """Always signed: without a signature, its receiver could not tell an alert from anyone's request."""

    name = "webhook"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        found = Entry(name, entry, ("url", "secret"), environ)
        return found.target(
            self.name,
            url=found.value("url", web_url),
            secret=found.secret("secret", webhook_secret, "OPS_WEBHOOK_SECRET"),
        )

    def from_settings(self, settings: Settings) -> Target | None:
        url, secret = settings.alert_webhook_url, settings.alert_webhook_secret
        if not url or not secret:
            return None
        return Target(self.name, self.name, host_of(url), url=url, secret=secret)

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        body = json_bytes(content_of(message))
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Tailrace-Id": safe_id(message.id),
            "Tailrace-Timestamp": timestamp,
            "Tailrace-Signature": f"v1={signature(target.secret, timestamp, body)}",
        }
        require_success(post(target.url, body, headers, timeout_s, secrets=(target.secret,)))


def content_of(message: Message) -> dict[str, Any]:
    """The JSON. Each field of Message is in it but `to`, which is for Tailrace alone."""
    content = asdict(bounded(message))
    del content["to"]
    return {"version": VERSION, **content}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 in hex. The timestamp is signed as well, so that what was overheard cannot be sent again
    later as if it were new."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
