"""What the kinds of targets share of a message's form: its bounds, its paragraphs, its mark. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.alerts.message import Message
from app.alerts.text import lines_of
from app.escaping import for_terminal
from app.formatting import shortened

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

TEXT_MAX_CHARS = 1_000
FINDINGS_MAX = 20
REQUESTS_MAX = 3

LINK_MAX_CHARS = 2_000
"""A longer one is left out: cut, it would lead nowhere."""

ID_MAX_CHARS = 200

_NOT_OF_AN_ID = re.compile(r"[^A-Za-z0-9._-]")


def bounded(message: Message, text_max_chars: int = TEXT_MAX_CHARS) -> Message:
    """The message with at most so many findings, requests and characters of each text, and U+FFFD for what
    cannot be printed: a path of a request is whatever a client sent."""
    findings = message.findings[:FINDINGS_MAX]
    link = message.link if len(message.link) <= LINK_MAX_CHARS and message.link.isprintable() else ""
    return replace(
        _bounded(message, text_max_chars),
        # Its commands are to be run: they are not cut in their middle. It is short enough (actions.py).
        action=for_terminal(shortened(message.action, TEXT_MAX_CHARS)),
        id=safe_id(message.id),
        incident=safe_id(message.incident),
        findings=tuple(_bounded(finding, text_max_chars) for finding in findings),
        more_findings=message.more_findings + len(message.findings) - len(findings),
        requests=tuple(_bounded(request, text_max_chars) for request in message.requests[:REQUESTS_MAX]),
        link=link,
    )


def _bounded(item: T, text_max_chars: int) -> T:
    changed: dict[str, Any] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, str):
            changed[field.name] = for_terminal(shortened(value, text_max_chars))
        elif isinstance(value, float) and not math.isfinite(value):
            changed[field.name] = None  # No JSON: "x times nothing" is infinitely much.
    return replace(item, **changed)


def safe_id(text: str) -> str:
    """As it may stand in a header."""
    return _NOT_OF_AN_ID.sub("-", text)[:ID_MAX_CHARS]


def paragraphs(message: Message) -> list[list[str]]:
    """What there is to say besides the title and the link, which each kind has a form of its own for."""
    found: list[list[str]] = [[]]
    for line in lines_of(replace(message, title="", link="")):
        if line:
            found[-1].append(line)
        else:
            found.append([])
    return [lines for lines in found if lines]


def marked_title(message: Message) -> str:
    """The title behind a sign that can be told from afar."""
    sign = _SIGNS.get(message.kind) or (_CRITICAL if message.severity == "critical" else _WARNING)
    return f"{sign} {message.title}"


_CRITICAL = "\N{LARGE RED CIRCLE}"
_WARNING = "\N{LARGE ORANGE CIRCLE}"
_SIGNS = {"resolved": "\N{LARGE GREEN CIRCLE}", "test": "\N{LARGE BLUE CIRCLE}"}
