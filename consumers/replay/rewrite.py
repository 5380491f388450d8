"""`{match, replace}` of a replay rule: a user's regular expression on what any client may send.

Python's `re` goes back and forth: `^/(\\w+)*/x$` takes 11 s for a path of 31 bytes. RE2 finds a
match in time proportional to the text, whatever the expression (github.com/google/re2/wiki/Syntax
says what it takes). To replace every match it searches once for each of them, so the number of
searches is bounded too.
"""

from __future__ import annotations

import re

import re2

from app.errors import TailraceError

STEPS_MAX = 20_000_000
"""Instructions of RE2 times bytes times searches, for one rewrite: about 1 s at the very most. An
ordinary expression has 20 instructions, so 100 matches in 8 KB are fine."""

PROGRAM_MAX = 2_000
"""Instructions of an expression: STEPS_MAX allows one search of 8 KB, the longest request line that
Heroku's router takes (devcenter.heroku.com/articles/http-routing, "HTTP validation")."""

UNSUPPORTED = (
    "lookaround such as (?=...), backreferences such as \\1, possessive and atomic groups, and \\Z "
    "(write $) are not supported, because they may take minutes for one path"
)

_FROM_NOTHING = re.compile(r"(?<!\\)(?:\\\\)*\{,\d+\}")
_HALF_A_CHARACTER = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_REFERENCE = re.compile(r"\\(?:([1-9]\d?)|g<(\w+)>|(.?))", re.DOTALL)


class BadExpression(TailraceError):
    """What a rule gives as `match` or `replace` cannot be used; says why."""


class TooMuchWork(TailraceError):
    """This text would take more than STEPS_MAX."""


class Rewriter:
    """Replaces every match, as `re.sub` does. Bytes that are no UTF-8, which are lone surrogates here
    (PEP 383), are characters like others and come out as they went in."""

    def __init__(self, match: str, replace: str) -> None:
        """Raises BadExpression."""
        if _FROM_NOTHING.search(match):
            raise BadExpression("`match` holds {,n}, which RE2 takes for plain text: write {0,n}")
        if _HALF_A_CHARACTER.search(match):
            raise BadExpression("`match` holds \\C, which takes characters apart: write (?s:.)")
        options = re2.Options()
        options.log_errors = False
        try:
            self._regex = re2.compile(match.encode("utf-8", "surrogatepass"), options)
        except re2.error as fault:
            # Up to the first colon: after it RE2 repeats the expression, in which a secret may stand.
            said = fault.args[0].decode("utf-8", "replace").partition(":")[0]
            raise BadExpression(f"`match` is no regular expression of RE2: {said}; {UNSUPPORTED}") from None
        size: int = self._regex.programsize
        if size > PROGRAM_MAX:
            raise BadExpression(
                f"`match` is too large: {size} instructions of RE2, {PROGRAM_MAX} at most; "
                "smaller counts in {...} make it shorter"
            )
        self._program_size = max(1, size)
        self._replacement = self._parsed(replace)

    def _parsed(self, replace: str) -> list[bytes | int]:
        """Text, and numbers of groups, in order."""
        groups = {name.decode(): number for name, number in self._regex.groupindex.items()}
        found: list[bytes | int] = []
        end = 0
        for reference in _REFERENCE.finditer(replace):
            found.append(replace[end : reference.start()].encode("utf-8", "surrogatepass"))
            end = reference.end()
            number, name, other = reference.groups()
            if number or name:
                group = int(number or name) if (number or name).isdecimal() else groups.get(name, -1)
                if not 0 <= group <= self._regex.groups:
                    raise BadExpression(
                        f"`replace` names the group {reference[0]}, which `match` does not have"
                    )
                found.append(group)
            elif other == "\\":
                found.append(b"\\")
            elif not other or other.isalnum():
                raise BadExpression(f"`replace` holds {reference[0]!r}: there are \\1, \\g<name> and \\\\")
            else:
                found.append(reference[0].encode("utf-8", "surrogatepass"))
        found.append(replace[end:].encode("utf-8", "surrogatepass"))
        return found

    def __call__(self, text: str) -> str:
        """The text with every match replaced. Raises TooMuchWork."""
        whole = text.encode("utf-8", "surrogatepass")
        steps = max(1, len(whole)) * self._program_size
        left = STEPS_MAX // steps
        parts: list[bytes] = []
        end = at = 0
        while at <= len(whole):
            if not left:
                raise TooMuchWork(f"too many matches for a text of {len(whole)} bytes")
            left -= 1
            match = self._regex.search(whole, at)
            if match is None:
                break
            parts.append(whole[end : match.start()])
            parts += [
                piece if isinstance(piece, bytes) else match[piece] or b"" for piece in self._replacement
            ]
            end = match.end()
            at = end if end > match.start() else _next_character(whole, end)
        parts.append(whole[end:])
        return b"".join(parts).decode("utf-8", "surrogatepass")


def _next_character(text: bytes, at: int) -> int:
    at += 1
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at
