"""What a pattern's source says of it: whether it is just a text, how far it looks, what it rests on. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_LITERAL = re.compile(rb"(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*", re.DOTALL)
_ESCAPED_PAIR = re.compile(rb"\\[^AZ]", re.DOTALL)
_UNBOUNDED = re.compile(rb"[*+$]|(?<!\[)\^|\{\d*,\}|\\[AZ]|\(\?(?!:)")
_NEVER_ESCAPED = re.compile(
    rb'(?:"[a-z_]+":"?)?(?:[A-Za-z0-9 =_:,\-\[\]()|?{}]|\\[d. =_:-])*(?:(?<=[A-Za-z0-9])")?'
)


@lru_cache(maxsize=256)
def literal_of(pattern: re.Pattern[bytes]) -> bytes | None:
    """The text that the pattern stands for; None if it is more than a text."""
    if pattern.flags or not _LITERAL.fullmatch(pattern.pattern):
        return None
    return re.sub(rb"\\(.)", rb"\1", pattern.pattern, flags=re.DOTALL)


@lru_cache(maxsize=256)
def is_bounded(pattern: re.Pattern[bytes]) -> bool:
    """Whether it matches a few bytes, whatever is around them: it has no repeat without an end, and does not
    look at where the text begins or ends, or at what stands beside the match."""
    return not _UNBOUNDED.search(_ESCAPED_PAIR.sub(b"", pattern.pattern))


@lru_cache(maxsize=256)
def is_never_escaped(pattern: re.Pattern[bytes]) -> bool:
    """Whether it rests on characters alone that no encoder of JSON escapes, and that no line loses when it is
    read as UTF-8: letters, digits and a few signs, and the quotes around a key or behind a value."""
    return bool(_NEVER_ESCAPED.fullmatch(pattern.pattern)) and b"(?" not in pattern.pattern.replace(
        b"(?:", b""
    )
