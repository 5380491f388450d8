"""`POST /logs`: where Logplex delivers.

How Logplex takes an answer (heroku/logplex, `logplex_http_drain.erl`): 2xx is done; 429, 5xx and
timeouts are tried again, twice; any other 4xx drops the frame for good. It waits 5 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drain.receivers import logplex
from drain.receivers.receiver import Envelope, Receiver

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


def envelope(headers: Headers) -> Envelope:
    """What Logplex's headers say. Private Space drains may send neither id nor token
    (vectordotdev/vector, issue 6607)."""
    count = headers.get("Logplex-Msg-Count", "")
    return Envelope(
        frame_id=headers.get("Logplex-Frame-Id", ""),
        token=headers.get("Logplex-Drain-Token", ""),
        declared_count=int(count) if count.isdecimal() and len(count) < 10 else None,
        is_marked=headers.get("User-Agent", "").startswith(("Logplex", "log-shuttle"))
        or any(name in headers for name in ("Logplex-Msg-Count", "Logplex-Frame-Id", "Logplex-Drain-Token")),
    )


LOGPLEX = Receiver(
    name=logplex.NAME,
    path="/logs",
    content_type="application/logplex-1",
    body_format="octet-counted syslog",
    envelope=envelope,
    parse=logplex.parse,
    as_body=logplex.as_body,
)
