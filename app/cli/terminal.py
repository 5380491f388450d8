"""The terminal: what it can show; and that of `top`: a screen of its own, keys one by one, and both put back
at the end."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence

OPEN_SCREEN, CLOSE_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"

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


def show(lines: Sequence[str]) -> None:
    """The lines, in place of what was on the screen."""
    _write(HOME + "\n".join(line + REST_OF_LINE for line in lines) + REST_OF_SCREEN)


@contextlib.contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """The terminal with keys read one by one and a screen of its own; put back at the end.

    Yields a function that waits so many seconds for a key; empty where none came.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def key(timeout_s: float) -> str:
        ready, _, _ = select.select([descriptor], [], [], timeout_s)
        return os.read(descriptor, 1).decode("ascii", "replace") if ready else ""

    try:
        tty.setcbreak(descriptor)
        _write(OPEN_SCREEN)
        yield key
    finally:
        _write(CLOSE_SCREEN)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
