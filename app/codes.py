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
_SHORT_HEX = re.compile(r"(?=[a-f]*+\d)(?=\d*+[a-f])[0-9a-f]{6,7}|(?=[A-F]*+\d)(?=\d*+[A-F])[0-9A-F]{6,7}")
_HEX_WORD = re.compile(r"[A-Fa-f]{4,}+\d{1,2}")
_HEX = re.compile(r"(?=[A-Fa-f]*+\d)[0-9A-Fa-f]{8,}+")
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


def code_kind(text: str) -> str:
    """`:hex`, `:size` or `:token` for ids of letters and digits; empty for names."""
    pieces = [piece for piece in _SEPARATORS.split(text) if piece]
    if len(pieces) > PIECES_MAX:
        pieces = pieces[:PIECES_MAX] + pieces[-1:]
    if not pieces:
        return ""
    if len(pieces) == 1 and len(pieces[0]) == len(text):
        return _kind_of_one(text)
    return ":token" if _is_code(text, pieces) else ""


def is_icon(text: str) -> bool:
    """Whether it is the name of an icon and its size, `apple-touch-icon-120x120`: of those there are few."""
    pieces = text.split("-")
    return _ICONS.issuperset(piece for piece in pieces if not _SIZE.fullmatch(piece)) and len(pieces) > 1


def _kind_of_one(piece: str) -> str:
    if _SIZE.fullmatch(piece):
        return ":size"
    if _is_short_hex(piece):
        return ":hex"
    return ":token" if _is_id(piece) or _has_number(piece) else ""


def _is_code(text: str, pieces: Sequence[str]) -> bool:
    """Whether several pieces together are an id."""
    if any(_is_id(piece) or _is_short_hex(piece) or _HEX.fullmatch(piece) for piece in pieces):
        return True
    if _PREFIXED.fullmatch(text) or (_ISSUE.fullmatch(text) and pieces[0].lower() not in NUMBERED):
        return True
    if any(map(_SIZE.fullmatch, pieces)):
        return True
    if _ends_in_a_number(pieces):
        return True
    joined = "".join(pieces)
    # Alphabets of random ids have - and _, too; slugs seldom have capitals.
    is_mixed = 8 <= len(text) < 20 and len(text) - len(joined) <= 2 and joined.isascii()
    return is_mixed and not joined.islower() and not joined.isupper() and is_random(joined)


def _ends_in_a_number(pieces: Sequence[str]) -> bool:
    """Whether the last piece is what an id counts: `shoes-12345`, `room-7`, `report-2024-05-12`."""
    last, before = pieces[-1], pieces[-2].lower() if len(pieces) > 1 else ""
    if not last.isdecimal():
        return _has_number(last) or any(piece.isdecimal() and len(piece) >= 5 for piece in pieces)
    if before in NUMBERED:
        return False
    if before in COUNTED:
        return True
    if len(last) >= 3:
        return not _YEAR.fullmatch(last) or any(map(str.isdecimal, pieces[:-1]))
    return before.isdecimal() and len(before) + len(last) >= 4 and len(pieces) > 2


def _is_short_hex(piece: str) -> bool:
    return (
        _SHORT_HEX.fullmatch(piece) is not None
        and not _HEX_WORD.fullmatch(piece)
        and _word_of(piece) not in NUMBERED
    )


def _word_of(piece: str) -> str:
    """The word of a word and a number, in small letters."""
    found = _LETTERS_AND_NUMBER.fullmatch(piece)
    return found[1].lower() if found else ""


def _is_id(piece: str) -> bool:
    """Whether it is an id wherever it stands."""
    word = _word_of(piece)
    if word in COUNTED:
        return True
    if word in NUMBERED:
        return False
    if _VERSION.fullmatch(piece) or _SIZE.fullmatch(piece):
        return False
    if _LONG_NUMBER_FIRST.match(piece):
        return True
    return piece.isascii() and is_random(piece)


def _has_number(piece: str) -> bool:
    """Whether it is a word and a number of three digits or more."""
    found = _LETTERS_AND_NUMBER.fullmatch(piece)
    return (
        found is not None
        and len(found[2]) >= 3
        and found[1].lower() not in NUMBERED
        and not _VERSION.fullmatch(piece)
    )
