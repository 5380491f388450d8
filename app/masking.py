"""What may be a secret, taken out of what people get to read: errors and the settings in force. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MASK = "********"
HIDDEN = "(hidden: it may contain a password)"

_MAY_HOLD_PASSWORD = re.compile(r"@|%40|:/", re.IGNORECASE)
"""Whatever looks like a URL, or like the `user:password@host` of one; a broken URL is no reason to show it.
One slash is enough: a path made of a URL has lost the other."""

_LOGIN = re.compile(r"(?:(?<=//).*|[^\s/:]+:(?!//)\S+)@|(?<=//)[^/\s:\[]*:(?!\d+\b)\S+", re.DOTALL)
"""What stands before the host, however broken it is, with a scheme or without; and a port that is none, where
the host is missing."""


def safe_repr(text: str) -> str:
    """What a person wrote, quoted, for an error that names it; a URL is not repeated."""
    return HIDDEN if _MAY_HOLD_PASSWORD.search(text) else repr(text)


def safe_word(word: object) -> str:
    """A file's name or an id for an error, as it is; a URL that was given for one is not repeated."""
    text = str(word)
    return HIDDEN if _MAY_HOLD_PASSWORD.search(text) else text


def without_words(message: str, words: Iterable[str]) -> str:
    """Another library's message, in which it may have repeated these words of a command line."""
    parts = {part for word in words for part in (word, word.partition("=")[2])}
    for part in sorted(filter(_MAY_HOLD_PASSWORD.search, parts), key=len, reverse=True):
        message = message.replace(part, HIDDEN).replace(repr(part), HIDDEN)
    return message


def without_logins(text: str) -> str:
    """The text with a mask for what stands before the host in each URL."""
    return _LOGIN.sub(lambda found: MASK + ("@" if found[0].endswith("@") else ""), text)


def mask_url(url: str) -> str:
    """The URL without what stands before its host, its query and its fragment, so that it can be logged."""
    if not url:
        return ""
    parts = urlsplit(url)
    return without_logins(f"{parts.scheme}://{parts.netloc}{parts.path}")
