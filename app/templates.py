"""The automatic template of a path: what changes from request to request becomes `:id` and the like.

Each segment is looked at by itself, but for a few that their neighbours explain: `/404`, `/docs/1.2`, SockJS.
Where a form is ambiguous, one row too few is better than one row a request, unless the form is usual for
names: then those stay. Pure functions; bounded: at most 200 characters of a segment are looked at closely,
and no more segments than the longest route has.

What stays: words and slugs of words, locales, versions (`v2.1`, `1.2.3`), small numbers after a word
(`covid19`, `hello-world-2`), sizes of icons, error pages. A slug that ends in three digits or more is an
id (`shoes-12345`), unless they are a year (`report-2024`). What tells rows apart also stays: a final
or double slash, capitals, and an extension as it is written, because servers may answer them differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.email_addresses import email_kind
from app.identifiers import id_kind, is_icon
from app.words import word_set

MAX_ROUTE_CHARS = 200
"""Longer routes are cut: a field of a Redis hash, not a place to keep 8 KB of a scanner's path."""

MAX_SEGMENT_CHARS = 200
"""A longer segment is no name, and what it is only matters to a few tests of its characters."""

PARTS_MAX = 16
"""Of a list or of an id with separators no more parts are looked at."""

_PLAIN = re.compile(r"(?:[A-Za-z]?[a-z_\-]{0,18}|[A-Z_\-]{1,19}|v\d{1,2})(?:\.[A-Za-z][A-Za-z0-9]{0,4})?")
_SIMPLE = re.compile(r"[A-Za-z0-9_\-]++")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?+(?:[T_].*+)?+|\d{4}T\d{4}.*+"
    r"|([._/])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01]))"
    r"|(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.(?:19|20)\d\d",
    re.DOTALL,
)
_NUMBER = re.compile(r"\d++")
_NUMBER_AND_NAME = re.compile(r"\d++-.++", re.DOTALL)
_HEX = re.compile(r"(?=[a-f]*+\d)[0-9a-f]{8,}+|[0-9a-f]{16,}+", re.IGNORECASE)
_TOKEN = re.compile(r"(?=[^0-9]*+\d)[A-Za-z0-9_\-.~=+%:]{20,}+")
_SLUG = re.compile(r"[A-Za-z]++(?:-(?:[A-Za-z]++|\d{1,4}+)){2,}+")  # top-10-tips-for-better-sleep
_BASE64 = re.compile(r"(?=[a-z]*+[A-Z0-9])[A-Za-z0-9+_\-]{5,}+={1,2}")
_EXTENSION = re.compile(r"[A-Za-z]{1,11}|[A-Za-z][A-Za-z0-9]{0,4}")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?")
_IPV6 = re.compile(r"[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?:%\w{1,16})?")
_MAC = re.compile(
    r"[0-9A-Fa-f]{2}([:\-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
)
_NO_LETTER = re.compile(r"(?=\D*+\d)[^A-Za-z\x80-\U0010ffff]++")
_EXPONENT = re.compile(r"[+\-]?\d++(?:\.\d++)?[eE][+\-]?\d++")
_SHORT_VERSION = re.compile(r"\d{1,2}\.\d{1,2}")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){2}")
_PARAMETERS = re.compile(r"([^;]*+)(?:;[^;=]++=[^;]*+)++")
_WRAPPED = re.compile(r"([({\[<\"'])([^(){}\[\]<>\"']++)([)}\]>\"'])")
_CALL = re.compile(r"([^()]++)(?<=[A-Za-z0-9])\(([^()]++)\)")
_NAMED_KEYS = re.compile(r"[A-Za-z_]\w*+=.*+", re.DOTALL)
_LOCALE = re.compile(r"[a-z]{2,3}(?:[\-_][A-Z][a-z]{3})?(?:[\-_](?:[A-Za-z]{2}|419|001|150))?", re.ASCII)
_HAS_PARTS = re.compile(r"[,;|({\[<\"'=:]")
_PAIR = re.compile(r"([A-Za-z_][\w\-]*+)=(.++)", re.DOTALL)
_CLOUDINARY = re.compile(r"[a-z]{1,3}_[\w.:]++")

_BUNDLED = word_set(".js .mjs .css .js.map .css.map .map")
_BUNDLERS_HASH = re.compile(
    r"[A-Z2-7]{8}|(?=[^A-Z]*+[A-Z])(?=[^a-z]*+[a-z])(?=[^0-9]*+[0-9])[A-Za-z0-9_\-]{8}"
)

_VERSIONED = word_set(
    "api docs doc documentation guide manual reference release releases rest sdk version versions"
)
_ERROR_PARENTS = word_set("error errors status statuses")
_STATUSES = frozenset(
    map(str, [*range(400, 419), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, *range(500, 512)])
)
_TRANSPORTS = word_set("websocket xhr xhr_send xhr_streaming eventsource htmlfile jsonp jsonp_send")
"""Last segments of SockJS's session URLs, `/<server>/<session>/<transport>` (sockjs-protocol 0.3.3)."""


def automatic(path: str) -> str:
    """The template of a decoded path."""
    if len(path) <= MAX_ROUTE_CHARS:
        segments = path.split("/")
        named = [_segment(segment, segments, at) for at, segment in enumerate(segments)]
    else:
        # No more of it than is in the name.
        segments = path.split("/", MAX_ROUTE_CHARS + 1)
        named = []
        chars = -1
        for at, segment in enumerate(segments):
            named.append(_segment(segment, segments, at))
            chars += len(named[-1]) + 1
            if chars > MAX_ROUTE_CHARS:
                break
    if segments[-1] in _TRANSPORTS and _is_sockjs(segments) and len(named) == len(segments):
        named[-3:-1] = ":server", ":session"
    name = "/".join(named)
    return name if len(name) <= MAX_ROUTE_CHARS else name[:MAX_ROUTE_CHARS] + "..."


def _segment(segment: str, segments: Sequence[str], at: int) -> str:
    """The template of the segment at this place; in the order of how often they come."""
    if not segment or _PLAIN.fullmatch(segment):
        return segment
    if segment[0].isdecimal() and len(segment) <= 20 and _is_named_by_its_place(segments, at):
        return segment
    if segment.isdecimal():
        return ":id"
    if len(segment) > MAX_SEGMENT_CHARS:
        return _long(segment)
    if _SIMPLE.fullmatch(segment):
        return segment if _LOCALE.fullmatch(segment) else _kind_of_simple(segment) or segment
    return _odd_segment(segment)


# --- what neighbours explain ------------------------------------------------------------------


def _is_sockjs(segments: Sequence[str]) -> bool:
    """Whether the path ends in `/<server>/<session>/<transport>`."""
    if len(segments) < 4:
        return False
    server, session = segments[-3:-1]
    return server.isdecimal() and len(server) <= 4 and session != "" and "." not in session


def _is_named_by_its_place(segments: Sequence[str], at: int) -> bool:
    """Whether a number is the name of an error page, or a version such as the 1.1 of `/1.1/statuses`."""
    segment = segments[at]
    is_status = segment.partition(".")[0] in _STATUSES
    if not is_status and not _SHORT_VERSION.fullmatch(segment):
        return False
    before = segments[at - 1].lower() if at else ""
    after = segments[at + 1] if at + 1 < len(segments) else ""
    if is_status:
        is_last = at == len(segments) - 1 or (not after and at == len(segments) - 2)
        # After no other name than a locale.
        is_page = is_last and (at == 1 or (at == 2 and _LOCALE.fullmatch(segments[1]) is not None))
        return is_page or before in _ERROR_PARENTS
    has_name = after[:1].isalpha()
    return before in _VERSIONED or (
        has_name and (at == 1 or len(segment) == 3 or _LOCALE.fullmatch(segments[at - 1]) is not None)
    )


# --- one segment ------------------------------------------------------------------------------


def _odd_segment(segment: str) -> str:
    """Of a segment with more than letters, digits, - and _."""
    stem, _, extension = segment.partition(".")
    if stem.isdecimal() and extension.isalpha() and extension.isascii():
        return f":id.{extension}"
    if ";" in segment and (found := _PARAMETERS.fullmatch(segment)):
        # Matrix parameters, such as `;jsessionid=...`, are no part of a name.
        return _segment(found[1], (found[1],), 0)
    if ("@" in segment or "%40" in segment) and (kind := email_kind(segment.replace("%40", "@"))):
        return kind
    # An id with an extension (`/users/42.json`) keeps the extension: it is another action.
    extension = ""
    for stem, extension in _extensions(segment):
        if "x" in stem and is_icon(stem):
            return segment
        if (kind := _kind(stem)) or (kind := _kind_of_asset(stem, extension)):
            return kind + extension
    kind = _kind(segment)
    return kind + extension if kind else segment


def _long(segment: str) -> str:
    return ":hex" if _HEX.fullmatch(segment) else ":token"


def _extensions(segment: str) -> Iterator[tuple[str, str]]:
    """(stem, extension) for each extension that the segment may have, the longest (`.tar.gz`) first."""
    dots: list[int] = []
    end = len(segment)
    while len(dots) < 3:
        dot = segment.rfind(".", 1, end)
        if dot < 1 or not _EXTENSION.fullmatch(segment, dot + 1, end):
            break
        dots.append(dot)
        end = dot
    for dot in reversed(dots):
        yield segment[:dot], segment[dot:]


def _kind_of_asset(stem: str, extension: str) -> str:
    """`:token` where a bundler put its hash of 8 characters at the end of a name: esbuild's is base32, that
    of Vite and Rollup base64."""
    is_hash = (
        extension in _BUNDLED and stem[-9:-8] in ("-", ".") and _BUNDLERS_HASH.fullmatch(stem, len(stem) - 8)
    )
    return ":token" if is_hash else ""


def _kind(text: str) -> str:
    """The text with `:id` and the like for what changes from request to request; empty for a name."""
    if _HAS_PARTS.search(text) and (kind := _kind_of_parts(text)):
        return kind
    return _kind_of_whole(text)


def _kind_of_whole(text: str) -> str:
    """Of a text that is no list and the like."""
    if _SIMPLE.fullmatch(text):
        return _kind_of_simple(text)
    if _DATE.fullmatch(text):
        return ":date"
    if _MAC.fullmatch(text):
        return ":mac"
    if _is_address(text):
        return ":ip"
    if _NO_LETTER.fullmatch(text):
        return _kind_of_figures(text)
    if _NUMBER.fullmatch(text) or _EXPONENT.fullmatch(text) or _NUMBER_AND_NAME.fullmatch(text):
        return ":id"
    return id_kind(text) or (":token" if _is_token(text) else "")


def _kind_of_simple(text: str) -> str:
    """Of letters, digits, - and _."""
    if text.isdecimal():
        return ":id"
    if text[0].isdecimal() or text[0] in "-_":
        if _DATE.fullmatch(text):
            return ":date"
        if _NO_LETTER.fullmatch(text):
            return ":mac" if _MAC.fullmatch(text) else ":id"
    if len(text) == 36 and _UUID.fullmatch(text):
        return ":uuid"
    if len(text) == 17 and _MAC.fullmatch(text):
        return ":mac"
    if text[0].isdecimal() and (_NUMBER_AND_NAME.fullmatch(text) or _EXPONENT.fullmatch(text)):
        return ":id"
    if _HEX.fullmatch(text):
        return ":hex"
    if kind := id_kind(text):
        return kind
    return ":token" if _TOKEN.fullmatch(text) and not _SLUG.fullmatch(text) else ""


def _is_address(text: str) -> bool:
    if _IPV4.fullmatch(text):
        return True
    # `12:30:00` is a time.
    return ("::" in text or text.count(":") == 7) and _IPV6.fullmatch(text) is not None


def _kind_of_figures(text: str) -> str:
    """Of text without letters: coordinates and lists, phone numbers, times, amounts, signed numbers."""
    if _VERSION.fullmatch(text):
        return ""
    return ":list" if any(mark in text for mark in ",;|") else ":id"


def _is_list(text: str) -> bool:
    """Whether it is ids with commas or semicolons between them, or parameters of a picture
    (`w_300,h_200`)."""
    for mark in ",;|":
        if mark in text:
            items = text.split(mark, PARTS_MAX)[:PARTS_MAX]
            return all(map(_kind_of_whole, items)) or (
                all(map(_CLOUDINARY.fullmatch, items)) and any(char.isdecimal() for char in text)
            )
    return False


def _is_token(text: str) -> bool:
    if _TOKEN.fullmatch(text):
        return True
    return len(text) % 4 == 0 and _BASE64.fullmatch(text) is not None


def _kind_of_parts(text: str) -> str:
    """The kind of a list, and of ids in brackets or quotes, as values, beside colons."""
    if _is_address(text) or any(pattern.fullmatch(text) for pattern in (_DATE, _MAC, _NO_LETTER)):
        return ""
    if found := _WRAPPED.fullmatch(text):
        return _kind_of_whole(found[2])
    if found := _CALL.fullmatch(text):  # OData: `Users(42)`
        keys = found[2]
        kind = ":id" if _NAMED_KEYS.fullmatch(keys) else _kind_of_whole(keys.strip("'"))
        if not kind and keys[0] == keys[-1] == "'":
            kind = ":id"
        return f"{found[1]}({kind})" if kind else ""
    if _is_list(text):
        return ":list"
    if found := _PAIR.fullmatch(text):
        kind = _kind_of_whole(found[2])
        return f"{found[1]}={kind}" if kind else ""
    first, *others = text.split(":", PARTS_MAX)
    if not others:
        return ""
    # `42:cancel` is an action, as of Google's APIs; `user:42` is an id.
    if (kind := _kind_of_whole(first)) and len(others) == 1 and others[0].isalpha():
        return f"{kind}:{others[0]}"
    return ":token" if kind or any(map(_kind_of_whole, others)) else ""
