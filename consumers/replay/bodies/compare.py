"""Compares three answers to one request: two of the baseline and one of the target. Pure.

What is compared: the status, the media type and charset, Location, and the body: JSON by key, markup and
other text by word, everything else by its bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import orjson

from consumers.replay.bodies.decoding import Content, content_of, is_json, is_markup, text_of
from consumers.replay.bodies.differences import Differences
from consumers.replay.bodies.json_paths import compare_json
from consumers.replay.bodies.markup import compare_markup, pieces_of
from consumers.replay.bodies.text import compare_lines, compare_words, lines_of
from consumers.replay.request import Answer
from consumers.replay.sending.http1 import NO_BODY, status_of

STATUS, CONTENT_TYPE, LOCATION, BODY = "status", "header:content-type", "header:location", "body"
_HERE = b"target.invalid"
"""Stands for a target's own address, which its answers may contain."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What one request has shown."""

    differing: set[str]
    """Keys in which the target's answer differs from the baseline's first, and the second does not."""
    noise: set[str]
    """Keys in which the baseline's second answer differs from its first, and the target's does not."""
    noisy: set[str]
    """Keys in which the two answers of the baseline differ."""
    is_cut: bool
    is_unsteady: bool = False
    """The two answers of the baseline differ in their status, so nothing else is known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and who gave it: `origin` is the target's URL, `method` and `path` are the request's."""

    answer: Answer
    origin: str
    method: str
    path: str


def compare(first: Reply, again: Reply, candidate: Reply) -> Compared:
    """`first` and `again` are the baseline's."""
    reader = _Document(first)
    noise = _differences(reader, again)
    found = _differences(reader, candidate)
    return Compared(
        differing=found.beyond(noise),
        noise=noise.beyond(found),
        noisy=set(noise.names.values()),
        is_cut=noise.is_cut or found.is_cut,
        is_unsteady=STATUS in noise.names.values(),
    )


class _Document:
    """One answer, each form of which is made once, when it is needed."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.status = status_of(reply.answer.head)
        self.content = _without_origin(content_of(reply.answer), reply.origin)
        has_body = reply.method != "HEAD" and self.status not in NO_BODY
        self.text = text_of(self.content) if has_body else ""
        self.kind = "binary" if self.text is None else self._kind_of_text(self.text)
        self._pieces: list[str] | None = None

    def _kind_of_text(self, text: str) -> str:
        self.parsed: Any = None
        media_type = self.content.media_type
        if is_json(media_type) or (not media_type and text[:1] in ("{", "[")):
            try:
                self.parsed = orjson.loads(text)
            except orjson.JSONDecodeError:
                return "text"
            return "json"
        is_page = not media_type and text.lstrip()[:1] == "<"
        return "markup" if is_page or is_markup(media_type) else "text"

    def pieces(self, cut: Callable[[str], list[str]]) -> list[str]:
        if self._pieces is None:
            self._pieces = cut(self.text or "")
        return self._pieces


def _differences(first: _Document, other: Reply) -> Differences:
    """Where another answer differs from the first."""
    one = first.reply
    if one.origin == other.origin and one.answer == other.answer:
        return Differences(is_cut=first.content.is_cut)
    found = Differences()
    document = _Document(other)
    if first.status != document.status:
        # Of an error page and a page, everything else differs as well.
        found.add((), "status", STATUS, closes=True)
        return found
    if _type_of(first.content) != _type_of(document.content):
        found.add((CONTENT_TYPE,), "value", CONTENT_TYPE)
    _compare_locations(found, first, document)
    body = _body_differences(first, document)
    found.names |= {((BODY, *path), how): name for (path, how), name in body.names.items()}
    found.closed |= {(BODY, *path) for path in body.closed}
    found.is_cut = body.is_cut
    return found


def _body_differences(first: _Document, other: _Document) -> Differences:
    is_cut = first.content.is_cut or other.content.is_cut
    if first.kind != other.kind:
        found = Differences(is_cut=is_cut)
        found.add((), "kind", f"{BODY} (kind)", closes=True)
        return found
    if first.kind == "json":
        found = compare_json(first.parsed, other.parsed, BODY)
        found.is_cut = found.is_cut or is_cut
        return found
    if first.kind == "markup":
        return compare_markup(first.pieces(pieces_of), other.pieces(pieces_of), BODY, is_cut=is_cut)
    if first.kind == "text":
        return compare_lines(first.pieces(lines_of), other.pieces(lines_of), BODY, is_cut=is_cut)
    found = Differences(is_cut=is_cut)
    length = min(len(first.content.body), len(other.content.body)) if is_cut else None
    if first.content.body[:length] != other.content.body[:length]:
        found.add((), "value", BODY)
    return found


def _type_of(content: Content) -> tuple[str, str]:
    """The media type and the charset; UTF-8 is that of all JSON (RFC 8259, section 8.1)."""
    charset = "utf-8" if is_json(content.media_type) and not content.charset else content.charset
    return content.media_type, charset


def _compare_locations(found: Differences, first: _Document, other: _Document) -> None:
    """By parts, because a redirect may carry a nonce. `/x` and an absolute URL of the same are equal."""
    one, two = _location_of(first), _location_of(other)
    if bool(one) != bool(two):
        how = "missing" if one else "new"
        found.add((LOCATION,), how, f"{LOCATION} ({how})", closes=True)
    elif one != two:
        compare_words(found, (LOCATION,), LOCATION, one, two)


def _location_of(document: _Document) -> str:
    """Resolved against the request's own URL; without scheme and host where they are the target's. The parts
    have spaces between them."""
    location, reply = document.content.location, document.reply
    if not location:
        return ""
    try:
        resolved = urljoin(reply.origin + reply.path, location)
    except ValueError:
        resolved = location
    if resolved.startswith(reply.origin) and resolved[len(reply.origin) :][:1] in ("", "/", "?", "#"):
        resolved = resolved[len(reply.origin) :] or "/"
    return resolved.replace("/", " / ").replace("?", " ? ").replace("&", " & ").replace("#", " # ")


def _without_origin(content: Content, origin: str) -> Content:
    """The content with one and the same text in place of the target's own address, which may have a path."""
    scheme, _, base = origin.encode("latin-1", "replace").partition(b"://")
    host = base.partition(b"/")[0]
    body = content.body
    if content.is_encoded or host not in body:
        return content
    for slashes in (b"//", b"\\/\\/"):
        for own in dict.fromkeys((base, host)):
            body = body.replace(scheme + b":" + slashes + own, slashes + _HERE)
            body = body.replace(slashes + own, slashes + _HERE)
    return Content(
        content.media_type, content.charset, content.location, body, content.is_encoded, content.is_cut
    )
