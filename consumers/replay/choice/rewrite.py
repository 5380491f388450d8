"""Applies the `{match, replace}` of a replay rule to what any client may have sent.

Python's `re` backtracks: `^/(\\w+)*/x$` takes 11 s for a path of 31 bytes. RE2 finds a match in time
proportional to the text, whatever the expression (github.com/google/re2/wiki/Syntax lists what it
supports). Replacing every match takes one search for each of them, so their number is limited too.
"""

from __future__ import annotations

from app.errors import TailraceError
from app.settings.replay_rules import Substitution

STEPS_MAX = 20_000_000
"""RE2 instructions times bytes times searches, for one rewrite: about 1 s at the very most. An
ordinary expression has 20 instructions, so 100 matches in 8 KB are fine."""


class TooMuchWork(TailraceError):
    """Rewriting this text would take more than STEPS_MAX."""


def rewrite(substitution: Substitution, text: str) -> str:
    """The text with every match replaced, as `re.sub` does. Raises TooMuchWork.

    Bytes that are not UTF-8, lone surrogates here (PEP 383), count as one character each and come out
    as they went in.
    """
    data = text.encode("utf-8", "surrogatepass")
    searches_left = STEPS_MAX // (max(1, len(data)) * substitution.program_size)
    parts: list[bytes] = []
    end = at = 0
    while at <= len(data):
        if not searches_left:
            raise TooMuchWork(f"too many matches for a text of {len(data)} bytes")
        searches_left -= 1
        match = substitution.regex.search(data, at)
        if match is None:
            break
        parts.append(data[end : match.start()])
        parts += [
            piece if isinstance(piece, bytes) else match[piece] or b"" for piece in substitution.replacement
        ]
        end = match.end()
        at = end if end > match.start() else _next_character(data, end)
    parts.append(data[end:])
    return b"".join(parts).decode("utf-8", "surrogatepass")


def _next_character(text: bytes, at: int) -> int:
    at += 1
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at
