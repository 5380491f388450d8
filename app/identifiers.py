"""Ids of letters and digits: random, prefixed (`cus_...`, `ORD-2024-0001`, `user5170`), in names of files.

A segment is taken apart at everything that is neither letter nor digit, and its pieces decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.words import is_random, word_set

_SEPARATORS = re.compile(r"(?:%[0-9A-F]{2}|[\W_])++")
_LETTERS_AND_NUMBER = re.compile(r"([^\W\d_]++)(\d++)")
_VERSION = re.compile(r"[vV]\d{1,4}(?:[a-z]{1,5}\d{0,3})?")
_SIZE = re.compile(r"\d{1,5}x\d{1,5}")
_HEX_WORD = re.compile(r"[A-Fa-f]{4,6}\d{1,2}")
_HEX = re.compile(r"[0-9a-f]{6,}+|[0-9A-F]{6,}+")
_LONG_NUMBER_FIRST = re.compile(r"\d{5,}+[^\W\d_]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PREFIXED = re.compile(r"[A-Za-z]{1,12}_(?=[A-Za-z]*+\d)[A-Za-z0-9]{10,}+")
_ISSUE = re.compile(r"[A-Z]{2,10}-\d{1,9}")

PIECES_MAX = 16
"""Of a segment with more pieces only these and the last are looked at."""

NUMBERED = word_set(
    "aes area arm base boeing catch cp covid crc curve din ean ecma ed en error errors es fortune gb h http "
    "https i ieee iso latin md oauth office pep rfc rsa secp sha status top uhd utf w web win windows x xbox"
)
"""Words whose numbers of three digits and more are part of a name: `rfc2616`, `sha256`, `http-404`."""

COUNTED = word_set(
    "account agent article bid booking bot campaign channel chapter chat client cluster comment contact "
    "conversation course customer deal device doc document driver employee episode event file folder form "
    "game group guest id image img invoice item job lesson listing location lot match meeting member message "
    "msg node note notification offer order org page patient payment photo player playlist pod post product "
    "profile project quote reservation review room seat sensor server session shard sku station store "
    "student task team tenant thread ticket topic track trip uid unit user usr vendor video visitor worker"
)
"""Words that a number of any length makes an id: `user7`, `room-42`."""

_ICONS = word_set(
    "android app apple chrome favicon icon icons launcher logo maskable mask mstile precomposed square touch "
    "tile wide"
)
"""Words of the names of icons, whose sizes are few."""


_NAME, _NUMBER, _NUMBERED, _ID, _HASH, _PIXELS = range(6)
"""What a piece is. `_NUMBERED`: a word and three digits or more, an id where it stands alone or last."""


def id_kind(text: str) -> str:
    """`:hex`, `:size` or `:token` for ids of letters and digits; empty for names."""
    if text.isalnum():
        return _KIND_OF_ONE[_meaning(text)]
    pieces = [piece for piece in _SEPARATORS.split(text) if piece]
    if not pieces:
        return ""
    if len(pieces) > PIECES_MAX:
        pieces = pieces[:PIECES_MAX] + pieces[-1:]
    return ":token" if _is_id(text, pieces, [_meaning(piece) for piece in pieces]) else ""


_KIND_OF_ONE = ("", ":id", ":token", ":token", ":hex", ":size")


def is_icon(text: str) -> bool:
    """Whether it is the name of an icon and its size, `apple-touch-icon-120x120`: of those there are few."""
    pieces = text.split("-")
    return len(pieces) > 1 and all(piece in _ICONS or _SIZE.fullmatch(piece) for piece in pieces)


def _meaning(piece: str) -> int:
    """What letters and digits mean by themselves."""
    if piece.isdecimal():
        return _NUMBER
    if piece.isalpha():
        if piece.islower():
            return _NAME
        return _ID if piece.isascii() and is_random(piece) else _NAME
    found = _LETTERS_AND_NUMBER.fullmatch(piece)
    if found:
        word = found[1].lower()
        if word in NUMBERED:
            return _NAME
        if word in COUNTED:
            return _ID
    elif _SIZE.fullmatch(piece):
        return _PIXELS
    if _VERSION.fullmatch(piece):
        return _NAME
    if _HEX.fullmatch(piece) and not _HEX_WORD.fullmatch(piece):
        return _HASH
    if _LONG_NUMBER_FIRST.match(piece) or (piece.isascii() and is_random(piece)):
        return _ID
    return _NUMBERED if found and len(found[2]) >= 3 else _NAME


def _is_id(text: str, pieces: Sequence[str], meanings: Sequence[int]) -> bool:
    """Whether several pieces together are an id."""
    if _ID in meanings or _HASH in meanings or _PIXELS in meanings or meanings[-1] == _NUMBERED:
        return True
    if _NUMBER in meanings and _is_numbered(text, pieces, meanings):
        return True
    if _PREFIXED.fullmatch(text):
        return True
    joined = "".join(pieces)
    # Alphabets of random ids have - and _, too; slugs seldom have capitals.
    return (
        8 <= len(text) < 20
        and len(text) - len(joined) <= 2
        and not joined.islower()
        and joined.isascii()
        and is_random(joined)
    )


def _is_numbered(text: str, pieces: Sequence[str], meanings: Sequence[int]) -> bool:
    """Whether a number makes it an id: `shoes-12345`, `room-7`, `report-2024-05-12`."""
    if meanings[-1] != _NUMBER:
        return any(
            meaning == _NUMBER and len(piece) >= 5 for piece, meaning in zip(pieces, meanings, strict=True)
        )
    last, before = pieces[-1], pieces[-2].lower() if len(pieces) > 1 else ""
    if before in NUMBERED:
        return False
    if before in COUNTED or _ISSUE.fullmatch(text):
        return True
    if len(last) >= 3:
        return not _YEAR.fullmatch(last) or _NUMBER in meanings[:-1]
    return before.isdecimal() and len(before) + len(last) >= 4 and len(pieces) > 2
