"""What the terminal can show, and whether a person sits before it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_ASCII = str.maketrans(
    {
        "\N{CHECK MARK}": "ok",
        "\N{BALLOT X}": "FAIL",
        "\N{MIDDLE DOT}": "-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{MINUS SIGN}": "-",
    }
)


def printable(lines: Sequence[str], encoding: str) -> list[str]:
    """The lines as an output of this encoding can show them: our own signs in ASCII where one of them cannot
    be encoded, and other characters as escapes."""
    try:
        "\n".join(lines).encode(encoding)
        return list(lines)
    except (UnicodeEncodeError, LookupError):
        return [_in_ascii(line) for line in lines]


def _in_ascii(line: str) -> str:
    return line.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def is_interactive(kind: str) -> bool:
    """Whether a person sits before it; `kind` is TERM."""
    return sys.stdin.isatty() and sys.stdout.isatty() and kind not in ("", "dumb")
