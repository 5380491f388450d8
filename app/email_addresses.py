"""Whether a segment of a path is an e-mail address. Pure."""

from __future__ import annotations

import re

from app.words import word_set

_EMAIL = re.compile(r"[^@]++@[^@]++")
_TAGS = word_set("alpha beta canary dev experimental head latest main master next rc stable")
_FORMATS = word_set("atom csv css gif html ics jpg js json map md pdf php png rss svg txt vcf webp xml")


def email_kind(segment: str) -> str:
    """`:email`, with the extension of a format; empty for `react@18.2.0`, `logo@2x.png` and `@scope`."""
    if not _EMAIL.fullmatch(segment):
        return ""
    domain = segment.partition("@")[2]
    labels = domain.lower().split(".")
    if labels[0] in _TAGS or not all(labels):
        return ""
    has_format = labels[-1] in _FORMATS
    if domain[0].isdecimal() and (has_format or not labels[-1].isalpha()):
        return ""  # A version, or a size such as 2x.
    return ":email." + domain.rpartition(".")[2] if has_format and len(labels) > 1 else ":email"
