"""Whether letters and digits are a word, as people write them, or were drawn by chance. Pure functions.

`v1StGXR8Z` is an id; `oauth2`, `getUserById` and `covid19` are names. No list of words is needed: nearly all
neighbouring letters of a word are of a few hundred pairs, and a word seldom changes between small letters,
capitals and digits. Of random ids of 10 letters and digits, 19 of 20 are told from names; of 30,000
identifiers in Python's own and other libraries, 1 in 100 is taken for an id.
"""

from __future__ import annotations

import re
from operator import add
from string import ascii_lowercase, ascii_uppercase, digits


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


RANDOM_CHARS_MIN = 6
"""Shorter ids cannot be told from names."""

RANDOM_LETTERS_MIN = 8
"""The same where there is no digit."""

_MAY_FOLLOW = {
    "a": "bcdfgiklmnprstuvwxyz",
    "b": "abceilorsuy",
    "c": "acehiklmorstuy",
    "d": "abcdefgilorsuy",
    "e": "abcdefgijklmnopqrstuvwxy",
    "f": "aefilorstuy",
    "g": "aeghilmnorsuy",
    "h": "aeiortuy",
    "i": "abcdefgklmnoprstuvxz",
    "j": "aeosu",
    "k": "aeilnosuy",
    "l": "acdefiklmopstuvy",
    "m": "abdeilmopsuy",
    "n": "acdefgijklnopstuvy",
    "o": "abcdfgijklmnoprstuvwxy",
    "p": "acdehilmoprstuy",
    "q": "lu",
    "r": "abcdefgiklmnoprstuvy",
    "s": "acdefhiklmnopqstuwy",
    "t": "abcdefhilmoprstuwy",
    "u": "abcdegilmnprst",
    "v": "aeio",
    "w": "aehinors",
    "x": "ceipt",
    "y": "aceilmnopst",
    "z": "aeio",
}
"""Letter -> those that follow it in words: 97 % of all pairs in the descriptions of npm's packages."""

_PAIRS = frozenset(first + second for first, some in _MAY_FOLLOW.items() for second in some)
_SHORT = word_set(
    "ad ai am an as at be by db do eu go hd id if in io is it js me my no of ok on or os pc qr so to tv uk "
    "ui up us ux we"
)
_HUMPS = re.compile(r"[A-Z]?[a-z]++|[A-Z]{1,30}(?![a-z])|[A-Z]")
"""The words of `getUserById` and of `XMLHttpRequest`."""

_WORD_AND_SMALL_NUMBER = re.compile(r"[A-Za-z]++[0-9]{1,2}")
_JOINED_WORDS = re.compile(r"(?=.{6,8}\Z)[a-z]{3,5}[24][a-z]{2,4}")
"""`json2csv`, `antlr4ts`."""


def is_random(text: str) -> bool:
    """Whether letters (A to Z) and digits were drawn by chance, as far as that is certain."""
    if text.isalpha():
        if len(text) < RANDOM_LETTERS_MIN or text.islower() or text.isupper() or text[1:].islower():
            return False
    elif len(text) < RANDOM_CHARS_MIN or text.isdecimal():
        return False
    if _JOINED_WORDS.fullmatch(text):
        return False
    classes = text.translate(_CLASSES)
    # But for a capital that begins a word.
    changes = sum(map(classes.count, ("aA", "a0", "A0", "0a", "0A")))
    if changes >= 2:
        return _readable_chars(text) <= len(text) * (0.5 if changes < 4 else 0.7)
    return (
        changes == 1
        and len(text) >= RANDOM_LETTERS_MIN
        and not _WORD_AND_SMALL_NUMBER.fullmatch(text)
        and _readable_chars(text) == 0
    )


_CLASSES = str.maketrans(
    dict.fromkeys(ascii_lowercase, "a") | dict.fromkeys(ascii_uppercase, "A") | dict.fromkeys(digits, "0")
)


def _readable_chars(text: str) -> int:
    """How many of the characters are in words."""
    return sum(len(hump) for hump in _HUMPS.findall(text) if _is_readable(hump.lower()))


def _is_readable(hump: str) -> bool:
    if len(hump) < 3:
        return hump in _SHORT
    if len(hump) < 6:
        return _PAIRS.issuperset(map(add, hump, hump[1:]))
    return sum(pair not in _PAIRS for pair in map(add, hump, hump[1:])) <= 1
