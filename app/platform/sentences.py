"""What the sentences of the platform have in common: they are short, end with a user, and are read by people.
Pure."""

from __future__ import annotations

from app.escaping import for_terminal
from app.masking import without_logins
from app.store.bounds import EVENT_TEXT_MAX_CHARS, NAME_MAX_CHARS

USER_MAX_CHARS = 254
"""The longest e-mail address (RFC 5321)."""


def bounded(text: str, most: int = EVENT_TEXT_MAX_CHARS) -> str:
    """The text: an ellipsis where it is cut, U+FFFD for what is not printable, no password of a URL."""
    if len(text) > most:
        text = text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    if "//" in text:
        text = without_logins(text)
    return for_terminal(text)


def name(text: str) -> str:
    """The bounded name of something, without a value that is behind it."""
    return bounded(text.partition("=")[0], NAME_MAX_CHARS)


def without_user(sentence: str) -> tuple[str, str]:
    """The sentence, and who did it, empty if that was removed.

    Seen: `Release v48 created by user a@example.com`, and until 2016 `Release v37 created by a@example.com`.
    Where the drain has removed the address, `by user` or `by` is at the end.
    """
    text, mark, user = sentence.rpartition(" by user")
    if mark and (not user or user[0] == " "):
        return text, bounded(user.strip(), USER_MAX_CHARS)
    text, mark, user = sentence.rpartition(" by ")
    if mark and " " not in user.strip() and ("@" in user or not user.strip()):
        return text, bounded(user.strip(), USER_MAX_CHARS)
    return sentence.removesuffix(" by"), ""
