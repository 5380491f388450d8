"""Text from outside, made safe for where it goes: a terminal, a log line, JSON, Markdown, CSV, Prometheus.

A path, a host, a status, a code, an app's name: all of them are whatever some client or sender wrote. Each
destination has its own dangers, so each has its own function here, and nowhere else.
What cannot be printed (control characters C0 and C1, bidirectional controls, half surrogates, everything
else that `str.isprintable` refuses) is dangerous in most of them. Pure functions.

The API's JSON over HTTP and the page need none of this: the one goes to programs, as application/json with
`nosniff`; the other sets text with `textContent` and attributes (static/js/dom.js), never markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

_FORMULA = re.compile(r"(^|[;,|])([\s\"\ufffd]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet could see a cell that begins with a formula: at the start, or after what some of them
take for the separator. The last four are the full-width forms of = + - @, which some take as well
(owasp.org: CSV Injection)."""

_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&$!]")
_PIPE = re.compile(r"(\\*)\|")


def for_terminal(text: str) -> str:
    """The text on one line, with U+FFFD for every character that cannot be printed: it must neither control
    the terminal nor reverse the rest of the line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def lines_for_terminal(text: str) -> str:
    """As `for_terminal`, for one of our own texts with several lines."""
    return "\n".join(map(for_terminal, text.split("\n")))


def quoted(text: str) -> str:
    """The text in double quotes, on one line, as a value of `key=value`."""
    return '"' + escaped(text).replace('"', '\\"') + '"'


def escaped(text: str) -> str:
    """The text with `\\x1b` and the like for what cannot be printed, and backslashes doubled: different texts
    stay different."""
    text = text.replace("\\", "\\\\")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def prometheus_label(text: str) -> str:
    """The value of a label. Prometheus takes any UTF-8, but what shows its labels may be a terminal, and
    two routes must not become one series."""
    return escaped(text)


def json_text(content: Any, *, indent: int | None = None) -> str:
    """Dataclasses and plain types as JSON for standard output: in ASCII, so that a terminal shows the data
    and obeys none of it. What reads the JSON gets the same characters back."""
    return json.dumps(content, default=asdict, ensure_ascii=True, allow_nan=False, indent=indent)


def markdown_text(text: str) -> str:
    """The text as it is, in a paragraph, a heading or a table's cell of Markdown."""
    return _MARKUP.sub(r"\\\g<0>", for_terminal(text))


def markdown_code(text: str) -> str:
    """A code span that no text can end, also in a table's cell."""
    # A renderer takes `\\|` for an escaped pipe, or for an escaped backslash before a cell's end: an odd
    # number of backslashes is safe with both.
    safe = _PIPE.sub(lambda found: found[1] + "\\" * (1 + len(found[1]) % 2) + "|", for_terminal(text))
    return f"`{safe.replace('`', chr(39)) or ' '}`"


def csv_text(text: str) -> str:
    """A field that no spreadsheet runs, whatever it takes for a separator; the writer quotes it."""
    return _FORMULA.sub(r"\1\2'", for_terminal(text))
