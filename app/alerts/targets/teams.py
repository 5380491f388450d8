"""Microsoft Teams, by a workflow that posts the card that it receives ("When a Teams webhook request is
received").

Texts are runs of a RichTextBlock, in which nothing is Markdown: whatever a client sent may stand in a
message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from app.alerts.message import Message
from app.alerts.targets.entry import Entry
from app.alerts.targets.form import bounded, marked_title, paragraphs
from app.alerts.targets.http import Answer, post, require_success
from app.alerts.targets.jsons import json_bytes
from app.alerts.targets.target import Target
from app.alerts.targets.values import host_of, web_url
from app.formatting import shortened

if TYPE_CHECKING:
    from app.settings import Settings

BODY_MAX_BYTES = 20_000
"""About 28 KB are documented (learn.microsoft.com, connector "Microsoft Teams", known issues); others have
seen messages of more than 21 KB refused (rubydoc.info: msteams_hermes)."""

TEXT_MAX_CHARS = 400
TITLE_MAX_CHARS = 500

_CONNECTOR_FAULT = re.compile(r"delivery failed(?:.*?HTTP error (\d{3}))?", re.IGNORECASE | re.DOTALL)
"""What a connector of Office 365 answers, with the status 200, where the message did not arrive: `Webhook
message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 ...`
(learn.microsoft.com, "Create and send messages", rate limiting). A workflow answers 202 at once."""


class Teams:
    """The URL is the secret: who has it can write to the channel."""

    name = "teams"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        found = Entry(name, entry, ("url",), environ)
        return found.target(self.name, url=found.secret("url", web_url, "OPS_TEAMS_URL"))

    def from_settings(self, settings: Settings) -> Target | None:
        url = settings.alert_teams_url
        return Target(self.name, self.name, host_of(url), url=url) if url else None

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        body = json_bytes(content_of(message))
        answer = post(target.url, body, {"Content-Type": "application/json"}, timeout_s)
        require_success(answer)
        _require_no_fault(answer)


def _require_no_fault(answer: Answer) -> None:
    """Raises DeliveryFailed where a 200 says in its body that the message did not arrive."""
    found = _CONNECTOR_FAULT.search(answer.text)
    if found:
        status = int(found[1] or 500)
        is_final = 400 <= status < 500 and status != 429
        raise answer.failed(f"answered {answer.status}, but with a fault", is_final=is_final)


def content_of(message: Message) -> dict[str, Any]:
    """The JSON."""
    message = bounded(message, TEXT_MAX_CHARS)
    title = shortened(marked_title(message), TITLE_MAX_CHARS)
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": title,
        "msteams": {"width": "Full"},
        "body": [_block(title, weight="Bolder", size="Medium")],
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the page", "url": message.link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    content = {"type": "message", "attachments": [attachment]}
    more = _block("\N{HORIZONTAL ELLIPSIS}")
    left = BODY_MAX_BYTES - _bytes(content) - _bytes(more)
    for block in _blocks(message):
        left -= _bytes(block)
        if left < 0:
            card["body"].append(more)
            break
        card["body"].append(block)
    return content


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    """A block a line, because a line break within a run is not shown everywhere."""
    for lines in paragraphs(message):
        for number, line in enumerate(lines):
            yield _block(line, spacing="None" if number else "Default")


def _block(text: str, spacing: str = "Default", **style: str) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text, **style}
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [run]}


def _bytes(content: Any) -> int:
    """With the comma that follows it."""
    return len(json_bytes(content)) + 1
