"""Percent-encoding of a line's path and query, as the client must have sent it.

Router 2.0 logs the path percent-decoded: the app gets `/api/Lexicon%201951`, the line says
`/api/Lexicon 1951` (seen beside the app's own line of the same request). What cannot be known: whether a
`/`, `?`, `#` or `%` of the line was `%2F`, `%3F`, `%23` or `%25`; whether a character that need not be
encoded was; and whether the query is decoded at all. Pure.
"""

from __future__ import annotations

import re
import string
from urllib.parse import quote

_UNRESERVED = string.ascii_letters + string.digits + "-._~"
_SUB_DELIMS = "!$&'()*+,;="
PATH_SAFE = _UNRESERVED + _SUB_DELIMS + ":@/"
"""`pchar` without `%`, and `/` (RFC 3986, section 3.3)."""

QUERY_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
"""What a query can hold on the wire: visible ASCII. RFC 3986 allows less, but browsers send `[`, `{` or `|`
as they are. A `#` would end the query (section 3.5), so no client sends one."""

_PATH_AS_IS = re.compile(f"[{re.escape(PATH_SAFE)}]*")
_QUERY_AS_IS = re.compile(f"[{re.escape(QUERY_SAFE)}]*")


def encode_again(path_and_query: str) -> str:
    """The path and query of a Router 2.0 line as they can be sent.

    Of the path, every byte but `pchar` and `/` is encoded, and so is `%`, because a decoded path has no
    escapes. Of the query, only what cannot be sent: a `%` stays. Bytes that are not UTF-8 come as surrogates
    (PEP 383) and are encoded as bytes.
    """
    path, mark, query = path_and_query.partition("?")
    if not _PATH_AS_IS.fullmatch(path):
        path = _quoted(path, PATH_SAFE)
    if not _QUERY_AS_IS.fullmatch(query):
        query = _quoted(query, QUERY_SAFE)
    return path + mark + query


def _quoted(text: str, safe: str) -> str:
    try:
        return quote(text.encode("utf-8", "surrogateescape"), safe=safe)
    except UnicodeEncodeError:
        return text  # Half of a surrogate pair, which no router writes: refused later.
