"""Removes what may be a secret from what people read: errors and the settings in force. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MASK = "********"
HIDDEN = "(hidden: it may contain a password)"

_MAY_HOLD_PASSWORD = re.compile(r"@|%40|:/", re.IGNORECASE)
"""Whatever looks like a URL, or like the `user:password@host` of one; a broken URL must be hidden too.
One slash is enough, because a path made from a URL has lost the other."""

_LOGIN = re.compile(r"(?:(?<=//).*|[^\s/:]+:(?!//)\S+)@|(?<=//)[^/\s:\[]*:(?!\d+\b)\S+", re.DOTALL)
"""What precedes the host, however broken it is, with or without a scheme; and, if the host is missing, a port
that is not one."""


def safe_repr(text: str) -> str:
    """The value that a person wrote, quoted for an error message; hidden if it may be a URL."""
    return HIDDEN if _MAY_HOLD_PASSWORD.search(text) else repr(text)


def safe_word(word: object) -> str:
    """A file name or id for an error message; hidden if it may be a URL."""
    text = str(word)
    return HIDDEN if _MAY_HOLD_PASSWORD.search(text) else text


def without_words(message: str, words: Iterable[str]) -> str:
    """Another library's message, without words of the command line that may hold a password."""
    parts = {part for word in words for part in (word, word.partition("=")[2])}
    for part in sorted(filter(_MAY_HOLD_PASSWORD.search, parts), key=len, reverse=True):
        message = message.replace(part, HIDDEN).replace(repr(part), HIDDEN)
    return message


def without_logins(text: str) -> str:
    """The text, with the user and password of each URL masked."""
    return _LOGIN.sub(lambda found: MASK + ("@" if found[0].endswith("@") else ""), text)


def mask_url(url: str) -> str:
    """The URL without user, password, query and fragment, so that it can be logged."""
    if not url:
        return ""
    parts = urlsplit(url)
    return without_logins(f"{parts.scheme}://{parts.netloc}{parts.path}")


def without_query(path: str) -> str:
    """The path of a request with `?…` in place of its query, in which there may be tokens and names."""
    bare, mark, _ = path.partition("?")
    return bare + (mark and "?\N{HORIZONTAL ELLIPSIS}")
