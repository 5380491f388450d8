"""Compares text: which pieces of the first text differ in the other one. Pure, in n log n steps.

Pieces that both texts have once are anchors (patience diff, Bram Cohen); between two anchors, pieces are
compared one by one if there are as many of them in both, and otherwise count as changed together.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import ne

from app.store.body_figures import PLACE
from consumers.replay.bodies.differences import Differences, Path

PIECES_MAX = 10_000
"""Lines of a text, tags of a page, words of a line. More are not compared."""
PLACES_MAX = 32
"""Words of an element, and lines of a plain text, of which each is judged by itself."""
FEW = 0.25
"""A share of pieces that differ in their places: no need to look for where they have moved to."""

_TOKEN = re.compile(r"[\w+/=.:%~\-]++|[^\s\w+/=.:%~\-]")
"""A word, or what a date, a nonce or a number is written with: they change as a whole."""


def lines_of(text: str) -> list[str]:
    """The lines of a text, without what is only space."""
    return [spaced for line in text.splitlines() if (spaced := " ".join(line.split()))]


def compare_lines(first: Sequence[str], other: Sequence[str], name: str, *, is_cut: bool) -> Differences:
    """Where two plain texts differ. `is_cut`: their ends are not those of the whole."""
    is_cut = is_cut or max(len(first), len(other)) > PIECES_MAX
    found = Differences(is_cut=is_cut)
    for start, end, other_start, other_end in changed_regions(first, other, is_cut=is_cut, keeps_last=True):
        if end - start != other_end - other_start:
            add_region(found, (), name, start, end)
            continue
        for at in range(start, end):
            one, two = first[at], other[other_start + at - start]
            if one != two:
                is_last = at == len(first) - 1 or other_start + at - start == len(other) - 1
                compare_words(found, (at,), name, one, two, is_cut=is_cut and is_last)
    return found


def compare_words(
    found: Differences, path: Path, name: str, first: str, other: str, *, is_cut: bool = False
) -> None:
    """Notes which words of a line differ."""
    one, two = _TOKEN.findall(first), _TOKEN.findall(other)
    is_cut = is_cut or max(len(one), len(two)) > PIECES_MAX
    found.is_cut = found.is_cut or is_cut
    for start, end, other_start, other_end in changed_regions(one, two, is_cut=is_cut):
        if end - start == other_end - other_start:
            for at in range(start, end):
                if one[at] != two[other_start + at - start]:
                    found.add((*path, at), "value", _placed(name, path, at))
        else:
            for at in range(start, end):
                found.add((*path, at), "value", _placed(name, path, at))
            if start == end:
                found.add((*path, start), "insert", _placed(name, path, start))


def _placed(name: str, path: Path, at: int) -> str:
    """The name with the place of a word in its element or, in plain text, in its line."""
    line = path[0] if len(path) == 1 else 0
    is_near = at < PLACES_MAX and isinstance(line, int) and line < PLACES_MAX
    return f"{name}{PLACE}{line}.{at}" if is_near else name


def add_region(found: Differences, path: Path, name: str, start: int, end: int) -> None:
    """Notes that the pieces from `start` to `end` are others, or more or fewer."""
    for at in range(start, end):
        found.add((*path, at), "lines", name, closes=True)
    if start == end:
        found.add((*path, start), "insert", name)


def changed_regions(
    first: Sequence[str], other: Sequence[str], *, is_cut: bool = False, keeps_last: bool = False
) -> Iterator[tuple[int, int, int, int]]:
    """(start, end) of the pieces that differ in the first, and of what the other has instead. `is_cut`: what
    reaches the end of one of the two is left out; with `keeps_last`, only what has no counterpart."""
    first, other = first[:PIECES_MAX], other[:PIECES_MAX]
    start, end, other_end = 0, len(first), len(other)
    while start < end and start < other_end and first[start] == other[start]:
        start += 1
    while end > start and other_end > start and first[end - 1] == other[other_end - 1]:
        end -= 1
        other_end -= 1
    at, other_at = start, start
    for anchor, other_anchor in [*_anchors(first, other, start, end, other_end), (end, other_end)]:
        if anchor > at or other_anchor > other_at:
            is_tail = is_cut and (anchor == len(first) or other_anchor == len(other))
            if not is_tail:
                yield at, anchor, other_at, other_anchor
            elif (common := min(anchor - at, other_anchor - other_at) - (not keeps_last)) > 0:
                yield at, at + common, other_at, other_at + common
        at, other_at = anchor + 1, other_anchor + 1


def _anchors(
    first: Sequence[str], other: Sequence[str], start: int, end: int, other_end: int
) -> list[tuple[int, int]]:
    """Pieces that are in both once, as many as come in the same order: their longest rising sequence."""
    if end - start <= 1 or other_end - start <= 1:
        return []
    if end == other_end:
        differing = sum(map(ne, first[start:end], other[start:end]))
        if differing <= (end - start) * FEW:
            return [(at, at) for at in range(start, end) if first[at] == other[at]]
    counts = Counter(first[start:end])
    places = {
        piece: start + number for number, piece in enumerate(other[start:other_end]) if counts.get(piece) == 1
    }
    other_counts = Counter(piece for piece in other[start:other_end] if piece in places)
    pairs = [
        (at, places[first[at]])
        for at in range(start, end)
        if first[at] in places and other_counts[first[at]] == 1
    ]
    tails: list[int] = []  # Of sequences by length: the lowest last place, and the pair that it is of.
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(last[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            last.append(number)
        else:
            tails[length], last[length] = place, number
    chain: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]
