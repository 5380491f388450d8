"""What a target answered, as it may be shown: short, on one line, and without a piece of what is secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.escaping import quoted

SHOWN_MAX_CHARS = 120

PIECE_MIN_CHARS = 4
"""Pieces of a secret that are shorter are in every other word."""

_WORD = re.compile(r"[A-Za-z0-9]+")


def shown(text: str, secrets: Iterable[str]) -> str:
    """The answer in quotes; empty if it says nothing. Where a word of it is or contains a piece of a secret
    (URLs, keys, passwords, addresses), there is `…` in its place: a page that says `Cannot POST /hook/KEY` is
    common."""
    whole = [secret for secret in secrets if secret]
    for secret in sorted(whole, key=len, reverse=True):
        if len(secret) >= PIECE_MIN_CHARS:
            text = text.replace(secret, "\N{HORIZONTAL ELLIPSIS}")
    pieces = {
        piece.lower() for secret in whole for piece in _WORD.findall(secret) if len(piece) >= PIECE_MIN_CHARS
    }

    def masked(word: re.Match[str]) -> str:
        return "\N{HORIZONTAL ELLIPSIS}" if any(piece in word[0].lower() for piece in pieces) else word[0]

    plain = " ".join(_WORD.sub(masked, text).split())
    if len(plain) > SHOWN_MAX_CHARS:
        plain = plain[:SHOWN_MAX_CHARS] + "\N{HORIZONTAL ELLIPSIS}"
    return quoted(plain) if plain else ""
