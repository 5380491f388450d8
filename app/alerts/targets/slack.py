"""Slack, by an incoming webhook (docs.slack.dev, "Sending messages using incoming webhooks").

Whatever a client sent may stand in a message. Texts are `plain_text`, in which nothing is markup, and `&`,
`<` and `>` are escaped as Slack asks: without them there are no mentions such as `<!channel>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.alerts.message import Message
from app.alerts.targets.entry import Entry
from app.alerts.targets.form import bounded, marked_title, paragraphs
from app.alerts.targets.http import post, require_success
from app.alerts.targets.jsons import json_bytes
from app.alerts.targets.target import Target
from app.alerts.targets.values import host_of, web_url

if TYPE_CHECKING:
    from app.settings import Settings

HEADER_MAX_CHARS = 150
SECTION_MAX_CHARS = 3_000
"""Documented, as the header's (docs.slack.dev, "Header block" and "Section block")."""

TEXT_MAX_CHARS = 10_000
"""Of all blocks together. Seen, not documented: from about 13,200 on, `msg_blocks_too_long` is the answer
(github.com/slackapi/bolt-js, issue 2509)."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Slack:
    """The URL is the secret: who has it can write to the channel."""

    name = "slack"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        found = Entry(name, entry, ("url",), environ)
        return found.target(self.name, url=found.secret("url", web_url, "OPS_SLACK_URL"))

    def from_settings(self, settings: Settings) -> Target | None:
        url = settings.alert_slack_url
        return Target(self.name, self.name, host_of(url), url=url) if url else None

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        body = json_bytes(content_of(message))
        answer = post(target.url, body, {"Content-Type": "application/json"}, timeout_s)
        require_success(answer)
        if answer.text.strip() not in ("ok", ""):  # A page of a proxy or a login is no success.
            raise answer.failed(f"answered {answer.status}, but not `ok`", is_final=True)


def content_of(message: Message) -> dict[str, Any]:
    """The JSON: blocks, and `text` for notifications."""
    message = bounded(message)
    title = marked_title(message)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(escaped(title, HEADER_MAX_CHARS))}]
    texts = ["\n".join(lines) for lines in paragraphs(message)]
    if len(escaped(title)) > HEADER_MAX_CHARS:
        texts.insert(0, title)
    left = TEXT_MAX_CHARS - HEADER_MAX_CHARS - SECTION_MAX_CHARS  # The latter for the link.
    for text in texts:
        if left > 0:
            safe = escaped(text, min(left, SECTION_MAX_CHARS))
            blocks.append({"type": "section", "text": _plain(safe)})
            left -= units(safe)
    if link := _link(message.link):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}})
    return {"text": escaped(title, SECTION_MAX_CHARS), "blocks": blocks}


def escaped(text: str, max_chars: int | None = None) -> str:
    """As Slack asks, and of at most so many characters, with `…` for what was cut off: never within an
    entity."""
    pieces = [_ENTITIES.get(char, char) for char in text]
    if max_chars is None or sum(map(units, pieces)) <= max_chars:
        return "".join(pieces)
    kept: list[str] = []
    left = max_chars - 1
    for piece in pieces:
        left -= units(piece)
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept) + "\N{HORIZONTAL ELLIPSIS}"


def units(text: str) -> int:
    """Its length as JavaScript counts it, the longest that a service could take it for."""
    return len(text) + sum(char > "\uffff" for char in text)


def _link(url: str) -> str:
    """`<https://...|Open the page>`; empty without one that Slack could take."""
    url = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    link = f"<{escaped(url)}|Open the page>"
    return link if url and units(link) <= SECTION_MAX_CHARS else ""


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
