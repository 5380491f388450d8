"""Sends a message over HTTP: to one host, once, and tells plainly what came of it.

No redirect is followed, because it could lead to a host that no setting names. What went wrong is told
without the URL, because it may be the secret.
"""

from __future__ import annotations

import email.utils
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from app.alerts.targets.answers import shown
from app.alerts.targets.deadline import Deadline, within
from app.alerts.targets.faults import words_of
from app.alerts.targets.target import DeliveryFailed

USER_AGENT = "Tailrace-alerts/1"

CONNECT_S = 5.0

ANSWER_MAX_BYTES = 4_096
"""Of an answer's body, that much is read."""

ASKED_WAIT_MAX_S = 600.0
"""A target that asks to wait for longer is asked again then."""

RETRIED = frozenset({408, 425, 429})
"""Of 4xx, those that may pass: Request Timeout, Too Early, Too Many Requests (RFC 9110, 8470, 6585)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target said."""

    status: int
    text: str = ""
    """The beginning of its body; empty too where the body did not come in time."""
    after_s: float | None = None
    """How long it asks to wait."""
    secrets: tuple[str, ...] = ()
    """What must not be shown of it."""

    def failed(self, reason: str, *, is_final: bool) -> DeliveryFailed:
        """The error, with the target's own words."""
        words = shown(self.text, self.secrets)
        return DeliveryFailed(
            f"{reason}: {words}" if words else reason, is_final=is_final, after_s=self.after_s
        )


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, secrets: Iterable[str] = ()
) -> Answer:
    """The answer, whatever its status. `secrets`: those besides the URL. Raises DeliveryFailed where there
    was none."""
    heads: list[Answer] = []
    connect_s = min(CONNECT_S, timeout_s)

    def work(deadline: Deadline) -> str:
        from app.alerts.targets.session import session_for  # See there.

        with session_for(urlsplit(url).scheme, deadline) as session:
            response = session.post(
                url,
                data=body,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
                timeout=(connect_s, 2 * timeout_s),  # The deadline comes first.
                allow_redirects=False,
                stream=True,
            )
            # The end of a connection is also the end of a head that trickled: no answer.
            deadline.require_time()
            asked_s = _wait_s(response.headers.get("Retry-After", ""))
            heads.append(Answer(response.status_code, after_s=asked_s, secrets=_secrets_of(url, secrets)))
            return bytes(response.raw.read(ANSWER_MAX_BYTES)).decode("utf-8", "replace")

    text, fault = "", ""
    try:
        text = within(timeout_s, work)
    except TimeoutError:
        fault = f"no answer within {timeout_s:g} s"
    except Exception as raised:  # Of many kinds, most of which hold the URL.
        fault = words_of(raised, connect_s)
    if not heads:
        raise DeliveryFailed(fault)
    return replace(heads[0], text=text)  # With its status, it has answered, whatever came after it.


def require_success(answer: Answer) -> None:
    """Raises DeliveryFailed unless the status is 2xx."""
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        raise DeliveryFailed(
            f"{_named(answer.status)}, and redirects are not followed: set the URL that it leads to",
            is_final=True,
        )
    is_final = 400 <= answer.status < 500 and answer.status not in RETRIED
    raise answer.failed(_named(answer.status), is_final=is_final)


def _secrets_of(url: str, more: Iterable[str]) -> tuple[str, ...]:
    parts = urlsplit(url)
    return (url, parts.path, parts.query, *more)


def _wait_s(asked: str) -> float | None:
    """Of a Retry-After, in seconds or as a date (RFC 9110, section 10.2.3)."""
    if asked.isascii() and asked.isdecimal():
        return min(float(asked[:9]), ASKED_WAIT_MAX_S)
    try:
        moment = email.utils.parsedate_to_datetime(asked)
        left = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, left.total_seconds()), ASKED_WAIT_MAX_S)


def _named(status: int) -> str:
    """`answered 404 Not Found`."""
    try:
        return f"answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"answered {status}"
