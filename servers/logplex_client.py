"""Delivers frames as Logplex does: in order, at most three tries, the same frame id each time.

From heroku/logplex (`logplex_http_drain.erl`): connect timeout 3 s, request timeout 5 s; 2xx is
done; 429, 5xx, timeouts and resets are tried again; any other 4xx drops the frame.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import requests

CONNECT_S = 3.0
REQUEST_S = 5.0
TRIES = 3


def octet_counted(line: bytes) -> bytes:
    """The line with its length in front, as it stands in a body (RFC 6587, 3.4.1)."""
    return b"%d %s" % (len(line), line)


def octets(lines: Iterable[bytes]) -> bytes:
    """A Logplex body of these lines."""
    return b"".join(map(octet_counted, lines))


@dataclass(slots=True)
class Delivery:
    """What happened to one frame: the status of each try, or the kind of failure."""

    frame_id: str
    accepted: bool
    answers: list[str] = field(default_factory=list)


def frame_sizes(rate: float, frames_s: float, seconds: float) -> Iterator[int]:
    """How many requests each frame has, given when that frame is due: at a steady rate (requests/s), in so
    many frames a second, for so many seconds (0: without an end)."""
    started_s = time.monotonic()
    for number in itertools.count():
        due_s = started_s + number / frames_s
        if seconds and due_s - started_s >= seconds:
            return
        time.sleep(max(0.0, due_s - time.monotonic()))
        yield round((number + 1) * rate / frames_s) - round(number * rate / frames_s)


class LogplexClient:
    """One drain connection, kept alive."""

    def __init__(self, url: str, token: str = "d.8601b555-6a83-4c12-8269-97c8e32cdb22") -> None:
        self._url = url
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False

    def deliver(self, lines: Sequence[bytes], frame_id: str = "", body: bytes | None = None) -> Delivery:
        """Sends one frame until it is accepted, dropped, or was tried three times."""
        delivery = Delivery(frame_id or str(uuid.uuid4()), accepted=False)
        for _ in range(TRIES):
            answer = self.post(lines, delivery.frame_id, body)
            delivery.answers.append(answer)
            if answer.startswith("2"):
                delivery.accepted = True
                break
            if answer.startswith("4") and answer != "429":
                break
        return delivery

    def post(self, lines: Sequence[bytes], frame_id: str, body: bytes | None = None) -> str:
        """One try: the status, or the name of what went wrong. An empty id is not sent."""
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(len(lines)),
            "Logplex-Frame-Id": frame_id,
            "Logplex-Drain-Token": self._token,
            "User-Agent": "Logplex/v73",
        }
        if not frame_id:
            del headers["Logplex-Frame-Id"]
        content = octets(lines) if body is None else body
        try:
            response = self._session.post(
                self._url,
                data=content,
                headers=headers,
                timeout=(CONNECT_S, REQUEST_S),
                allow_redirects=False,
            )
        except requests.RequestException as fault:
            return type(fault).__name__
        return str(response.status_code)

    def close(self) -> None:
        self._session.close()
