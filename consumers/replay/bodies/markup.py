"""Compares HTML and XML: by element and attribute, by word within them. Pure.

Only as much of the syntax is understood as naming a place needs: whatever is malformed is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.words import word_set
from consumers.replay.bodies.differences import Differences
from consumers.replay.bodies.names import joined, key_name
from consumers.replay.bodies.text import PIECES_MAX, add_region, changed_regions, compare_words

NAMED_DEPTH = 3
"""Elements in a name: the one that differs, and those around it."""
LOOK_BACK = 64
NAMED_MAX = 100
"""Where more pieces of a page differ than these, their places have no names."""

_TAG = re.compile(r"<(/?[A-Za-z][\w:\-]{0,30})((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>(.*+)", re.DOTALL)
_TAG_NAME = re.compile(r"<(/?[A-Za-z][\w:\-]{0,30})(?=[\s/>])[^>]*+>")
_ATTRIBUTE = re.compile(r"([^\s=/>\"']++)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++))?+")
_PLAIN_NAME = re.compile(r"[A-Za-z_:@][A-Za-z_:\-]{0,30}").fullmatch
_VOID = word_set("area base br col embed hr img input link meta source track wbr")
_ENDED_BY_NEXT = word_set("li p td th tr option dt dd")
_OF_EVERY_PAGE = word_set("html body")


def pieces_of(text: str) -> list[str]:
    """The text cut before each tag, without what is only space."""
    first, *others = text.split("<")
    return [" ".join(first.split()), *["<" + " ".join(piece.split()) for piece in others]]


def compare_markup(first: Sequence[str], other: Sequence[str], name: str, *, is_cut: bool) -> Differences:
    """Where two documents differ, both from `pieces_of`. `is_cut`: their ends are not those of the whole."""
    is_cut = is_cut or max(len(first), len(other)) > PIECES_MAX
    found = Differences(is_cut=is_cut)
    regions = list(changed_regions(first, other, is_cut=is_cut))
    is_named = sum(end - start for start, end, _, _ in regions) <= NAMED_MAX
    for start, end, other_start, other_end in regions:
        if end - start != other_end - other_start:
            place = _element_name(first, min(start, len(first) - 1), name) if is_named else name
            add_region(found, (), f"{place} (elements)", start, end)
            continue
        for at in range(start, end):
            one, two = first[at], other[other_start + at - start]
            if one != two:
                place = _element_name(first, at, name) if is_named else name
                _compare_pieces(found, at, place, one, two)
    return found


def _compare_pieces(found: Differences, at: int, name: str, first: str, other: str) -> None:
    one, two = _TAG.fullmatch(first), _TAG.fullmatch(other)
    if one is None or two is None:
        compare_words(found, (at, "text"), name, first, other)
        return
    if one[1].lower() != two[1].lower():
        found.add((at,), "lines", f"{name} (elements)", closes=True)
        return
    if one[2] != two[2]:
        _compare_attributes(found, at, name, one[2], two[2])
    if one[3] != two[3]:
        compare_words(found, (at, "text"), name, one[3], two[3])


def _compare_attributes(found: Differences, at: int, name: str, first: str, other: str) -> None:
    """Their order does not matter, nor their quotes."""
    one, two = _attributes(first), _attributes(other)
    for how, has, lacks in (("missing", one, two), ("new", two, one)):
        for attribute in has.keys() - lacks.keys():
            path = (at, "@", attribute)
            found.add(path, how, f"{_attribute_name(name, attribute)} ({how})", closes=True)
    for attribute in one.keys() & two.keys():
        if one[attribute] != two[attribute]:
            compare_words(
                found,
                (at, "@", attribute),
                _attribute_name(name, attribute),
                one[attribute],
                two[attribute],
            )


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), value.strip("\"'") if value[:1] in "\"'" else value)
    return found


def _attribute_name(element: str, attribute: str) -> str:
    return f"{element}@{attribute if _PLAIN_NAME(attribute) else '*'}"


def _element_name(pieces: Sequence[str], at: int, top: str) -> str:
    """The element that the tag of a piece begins, or that its text is in, and some of those around it. Looks
    back at most LOOK_BACK pieces: a name need not be right, but the same each time."""
    names: list[str] = []
    closed = 0
    for back in range(at, max(-1, at - LOOK_BACK), -1):
        tag = _TAG_NAME.match(pieces[back])
        if tag is None:
            continue
        element = tag[1].lower()
        if element.startswith("/"):
            closed += 1
        elif element in _VOID and back != at:
            continue
        elif closed:
            closed -= 1
        elif element not in _OF_EVERY_PAGE and not (names and names[0] == element in _ENDED_BY_NEXT):
            names.insert(0, key_name(element))
            if len(names) == NAMED_DEPTH:
                break
    return joined([top, *names])
