"""Why there was no answer, in words that hold no URL: other libraries' exceptions do hold it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any


def words_of(fault: BaseException, connect_s: float) -> str:
    """By what is at the bottom of it. `connect_s`: how long a connection could take."""
    causes = list(_causes(fault))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or 'the connection ended').lower().replace('_', ' ')}"
        if isinstance(cause, socket.gaierror):
            return "its name is not found"
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return f"no connection within {connect_s:g} s"
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return f"no connection: {cause.strerror.lower()}"
    return "the connection ended without an answer"


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it; requests and urllib3 keep them in args and `reason` too."""
    waiting: list[Any] = [fault]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
