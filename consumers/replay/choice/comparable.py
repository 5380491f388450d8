"""Which originals can be compared with an answer of the replay. Pure.

A replay sends what the line has: method, path and query. The status and the time of many originals rest on
what it does not have: headers, a body, the client's patience or its earlier requests. Such requests are sent,
and count as errors where they get no answer, but neither their status nor their time is compared. With a
baseline both targets get the same request, so everything can be compared.

The statuses are those of RFC 9110 (sections 15 and 13), RFC 6585 and, for 499, of Heroku's router.
"""

from __future__ import annotations

import re

from consumers.replay.request import Request

_H_CODE = re.compile(r"H[0-9]{2}").fullmatch

UNCOMPARABLE_STATUSES = {
    101: "101: the original became a connection",
    206: "206: the original asked for a part, the replay asks for all",
    304: "304: the original was conditional, the replay is not",
    406: "406: the original asked for a certain type or language, the replay takes any",
    408: "408: the original's client was too slow",
    412: "412: the original was conditional, the replay is not",
    416: "416: the original asked for a part, the replay asks for all",
    417: "417: the original had an Expect header, the replay has none",
    429: "429: the original's client had sent too much, which the replay may not",
    431: "431: the original's headers were too large, the replay has few",
    499: "499: the original's client went away",
}

UNCOMPARABLE_METHODS = {
    **dict.fromkeys(("POST", "PUT", "PATCH"), "the original had a body, the replay has none"),
    "OPTIONS": "the original's CORS headers are not in the log",
}

FAILED_AT = {
    "error": "at=error without a code: the router failed the original",
    "warning": "at=warning without a code: the original's client went away",
}


def why_uncomparable(request: Request) -> str:
    """Why a request's original says nothing about a replayed answer, in a few words; empty where it does.
    There are about 120 reasons, whatever the lines contain."""
    if request.code:
        if request.status == 499:
            return UNCOMPARABLE_STATUSES[499]
        # Also where the status is the app's: H18 after the app's 200 is an answer that was cut off.
        code = request.code if _H_CODE(request.code) else "another code"
        return f"{code}: the router failed the original"
    if reason := UNCOMPARABLE_STATUSES.get(request.status, ""):
        return reason
    if request.at in FAILED_AT:
        return FAILED_AT[request.at]
    if not 200 <= request.status <= 599:
        return "the original's line has no final status"
    if reason := UNCOMPARABLE_METHODS.get(request.method, ""):
        return f"{request.method}: {reason}"
    return ""


def has_failed(request: Request) -> bool:
    """Whether the original was an error, the app's or the router's: then an error of the replay is not new. A
    client that went away is no error."""
    return request.status != 499 and (request.status >= 500 or bool(request.code) or request.at == "error")
