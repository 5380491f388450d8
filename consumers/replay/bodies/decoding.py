"""From an answer as it was received to its content: the encodings undone, within limits. Pure.

Replay sends no Accept-Encoding, but an answer may be compressed all the same.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

from app.words import word_set
from consumers.replay.request import Answer

DECODED_MAX_BYTES = 524_288
"""A longer body is compared up to here: a few bytes of gzip can be gigabytes."""
CODINGS_MAX = 2
"""A body that is compressed more often is compared as it is."""

_HEADER = re.compile(rb"\r\n(content-type|content-encoding|location):[ \t]*([^\r\n]*)", re.IGNORECASE).findall
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w.:\-]+)", re.IGNORECASE).search
_CHARSETS = word_set(
    "utf-8 us-ascii utf-16 utf-16le utf-16be iso-2022-jp euc-jp shift_jis euc-kr gbk gb2312 gb18030 big5 "
    "koi8-r koi8-u windows-874 windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 "
    "windows-1256 windows-1257 windows-1258 iso-8859-1 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 "
    "iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-9 iso-8859-10 iso-8859-11 iso-8859-13 iso-8859-14 iso-8859-15 "
    "iso-8859-16"
)
"""Python has others that are no charsets (`hex`) or take quadratic time (`idna`)."""

_TEXT_ENDS = ("xml", "javascript", "ecmascript", "x-ndjson", "yaml", "x-www-form-urlencoded")

_ZLIB_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True, slots=True)
class Content:
    """What is compared of an answer. Not even `repr` shows any of it."""

    media_type: str = field(repr=False)
    """In lower case, without parameters."""
    charset: str = field(repr=False)
    """In lower case; empty where the answer does not say."""
    location: str = field(repr=False)
    body: bytes = field(repr=False)
    """Decoded, unless its encoding is not known."""
    is_encoded: bool
    """The body could not be decoded."""
    is_cut: bool


def content_of(answer: Answer) -> Content:
    """The content of an answer."""
    headers: dict[bytes, str] = {}
    for name, value in _HEADER(answer.head):
        headers.setdefault(name.lower(), value.decode("latin-1").strip())
    content_type = headers.get(b"content-type", "")
    charset = _CHARSET(content_type)
    codings = [
        coding
        for part in headers.get(b"content-encoding", "").lower().split(",")
        if (coding := part.strip()) not in ("", "identity")
    ]
    decoded = _decoded(answer.body, codings)
    body, is_longer = (answer.body, False) if decoded is None else decoded
    return Content(
        media_type=content_type.partition(";")[0].strip().lower(),
        charset=charset[1].lower() if charset else "",
        location=headers.get(b"location", ""),
        body=body,
        is_encoded=decoded is None,
        is_cut=answer.is_cut or is_longer,
    )


def _decoded(body: bytes, codings: list[str]) -> tuple[bytes, bool] | None:
    """The body without its codings, of which the last was applied last, and whether there is more of it; None
    where it cannot be decoded."""
    is_longer = False
    if len(codings) > CODINGS_MAX:
        return None
    for coding in reversed(codings):
        if coding not in _ZLIB_BITS:
            return None
        try:
            body, longer = _inflated(body, _ZLIB_BITS[coding])
        except zlib.error:
            if coding != "deflate":
                return None
            try:  # Many servers leave out the zlib header, and browsers accept that.
                body, longer = _inflated(body, -15)
            except zlib.error:
                return None
        is_longer = is_longer or longer
    return body, is_longer


def _inflated(data: bytes, bits: int) -> tuple[bytes, bool]:
    """Up to DECODED_MAX_BYTES, and whether there is more. What is cut is inflated as far as it goes."""
    parts: list[bytes] = []
    room = DECODED_MAX_BYTES
    while data and room > 0:
        inflater = zlib.decompressobj(bits)
        part = inflater.decompress(data, room)
        parts.append(part)
        room -= len(part)
        if inflater.unconsumed_tail:
            return b"".join(parts), True
        data = inflater.unused_data if bits == 31 else b""  # gzip may have several members.
    return b"".join(parts), bool(data)


def text_of(content: Content) -> str | None:
    """The body as text; None where it is binary."""
    body, charset = content.body, content.charset
    if content.is_encoded:
        return None
    if not charset.startswith("utf-16") and b"\0" in body:
        return None
    if not is_text(content.media_type) and content.media_type:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as fault:
        if content.is_cut and fault.start > len(body) - 4:
            return body.decode("utf-8", "replace")  # A character was cut.
    if not content.media_type and not charset:
        return None
    return body.decode(charset if charset in _CHARSETS else "latin-1", "replace")


def is_json(media_type: str) -> bool:
    """Whether the media type is JSON (RFC 6839: `+json`)."""
    return media_type.endswith(("/json", "+json"))


def is_text(media_type: str) -> bool:
    """Whether the media type is text of some kind."""
    return media_type.startswith("text/") or is_json(media_type) or media_type.endswith(_TEXT_ENDS)


def is_markup(media_type: str) -> bool:
    """Whether the media type is HTML or XML."""
    return media_type == "text/html" or media_type.endswith("xml")
