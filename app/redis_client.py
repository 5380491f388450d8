"""Connections to Redis: one bounded pool per process, with time limits."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import redis

from app.errors import LogUnavailable
from app.masking import mask_url
from app.settings import Settings


def connect(settings: Settings, *, connections: int, timeout_s: float) -> redis.Redis:
    """A client that holds at most `connections` open and answers or raises within `timeout_s`.

    Small plans allow 20 connections in all, so a thread waits for a free one instead of opening
    another. Nothing is sent before the first command.
    """
    pool = redis.BlockingConnectionPool.from_url(
        settings.redis_address,
        max_connections=connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 3.0),
        health_check_interval=30,
        client_name="tailrace",
        **_tls(settings),
    )
    return redis.Redis.from_pool(pool)


def _tls(settings: Settings) -> dict[str, Any]:
    """Certificate and host name are checked, as redis-py does by default, unless told otherwise.

    Heroku Key-Value Store speaks TLS alone, with certificates that it signs itself and whose
    authority it does not give, so that its clients can check neither (Heroku Dev Center,
    "Connecting to Heroku Key-Value Store": `ssl_cert_reqs=None`).
    """
    if urlsplit(settings.redis_address).scheme != "rediss" or settings.redis_tls_verify:
        return {}
    return {"ssl_cert_reqs": "none"}


def unavailable_error(settings: Settings, fault: redis.RedisError) -> LogUnavailable:
    """The error of a command without Redis: its address, what is wrong, and what to set."""
    return LogUnavailable(
        f"Redis at {mask_url(settings.redis_address)}: {why_refused(fault)} (see REDIS_URL)"
    )


def why_refused(fault: redis.RedisError) -> str:
    """What is wrong with the address or the login, in words for an operator; never a secret."""
    text = str(fault)
    if isinstance(fault, redis.AuthenticationError) or "NOAUTH" in text or "WRONGPASS" in text:
        return "it rejects the user or password in REDIS_URL"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return (
            f"its certificate is not trusted: {reason.rstrip('.')}. For a private authority add "
            "?ssl_ca_certs=/path/to/authority.pem to the URL; "
            "for Heroku Key-Value Store, which signs its own: REDIS_TLS_VERIFY=0"
        )
    if "SSL" in text:
        return "it does not speak TLS on this port: should REDIS_URL start with redis://?"
    if "max number of clients" in text:
        return 'it has no free connection: see "Connections to Redis" in docs/scaling.md'
    if "DB index is out of range" in text:
        return "it has no database with the number at the end of REDIS_URL"
    if isinstance(fault, redis.TimeoutError):
        return "it does not answer in time"
    if "reset by peer" in text or "closed by server" in text:
        return "it closes the connection: should REDIS_URL start with rediss://?"
    if isinstance(fault, redis.ConnectionError):
        # redis-py's own words name the host and the port, not the login.
        return text.partition("\n")[0][:200]
    return f"it answers {type(fault).__name__}"
