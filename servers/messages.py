"""Router lines, as text, as syslog messages and as messages of the topic `router`; the platform's lines.

The demo, the benchmarks and the tests build theirs here, so that a new key is added in one place.
`tests/servers/test_messages.py` compares them with what the drain writes.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

from app.message import RouterMessage

REQUEST_ID = "8601b555-6a83-4c12-8269-97c8e32cdb22"


AT = {"H27": "warning", "H28": "warning", "H80": "info", "H81": "info", "H82": "info"}
SOCK = {"H18": "backend", "H27": "client"}
"""What the router says with these codes (devcenter.heroku.com/articles/error-codes)."""

LEGACY_PROTOCOLS = ("http", "https")


def router_line(
    path: str = "/foo",
    *,
    method: str = "GET",
    status: int | str = 200,
    service_ms: float | None = 18,
    connect_ms: float | None = 0,
    bytes: int | None = 13,
    host: str = "shop.example.com",
    request_id: str | uuid.UUID = REQUEST_ID,
    fwd: str = "204.204.204.204",
    is_fwd_quoted: bool = True,
    dyno: str = "web.1",
    code: str = "",
    desc: str = "x",
    at: str = "",
    sock: str = "",
    protocol: str = "http2.0",
    tls: bool = True,
) -> str:
    """A line of Heroku's router, without its line feed.

    `protocol` says which router writes it, as in real lines: `http1.1` and `http2.0` are Router 2.0's,
    `https` and `http` the legacy router's, which says nothing else of TLS. Router 2.0 logs the path
    percent-decoded: `path` is written as it is given. `code` is an H-code, with which the router says `at`
    and `sock` as documented, unless they are given. None leaves a value empty.
    """
    if "\\" in path or '"' in path:
        path = path.replace("\\", "\\\\").replace('"', '\\"')
    at = at or (AT.get(code, "error") if code else "info")
    sock = sock or SOCK.get(code, "")
    failure = f'code={code} desc="{desc}" ' if code else ""
    quote = '"' if is_fwd_quoted else ""
    return (
        f"{f'sock={sock} ' if sock else ''}at={at} {failure}"
        f'method={method} path="{path}" host={host} request_id={request_id} fwd={quote}{fwd}{quote} '
        f"dyno={dyno} connect={_ms(connect_ms)} service={_ms(service_ms)} "
        f"status={status} bytes={'' if bytes is None else bytes} protocol={protocol}"
        f"{'' if protocol in LEGACY_PROTOCOLS else _tls(tls, host)}"
    )


def _tls(tls: bool, host: str) -> str:
    """Of Router 2.0. On the default domain the version is `unknown` (devcenter.heroku.com, http-routing)."""
    if not tls:
        return " tls=false"
    return f" tls=true tls_version={'unknown' if host.endswith('.herokuapp.com') else 'tls1.3'}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}ms"


def stamp(at_s: float) -> str:
    """A Unix time as Logplex writes it, to the microsecond."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds")


def router_syslog(line: str, at_s: float) -> bytes:
    """The line as the syslog message that Logplex delivers, without its octet count."""
    return f"<158>1 {stamp(at_s)} host heroku router - {line}\n".encode("utf-8", "surrogateescape")


def platform_syslog(procid: str, text: str, at_s: float, *, app_name: str = "heroku") -> bytes:
    """What the platform says, as the syslog message that Logplex delivers, without its octet count."""
    return f"<45>1 {stamp(at_s)} host {app_name} {procid} - {text}\n".encode("utf-8", "surrogateescape")


def platform_message(
    procid: str, text: str, at_s: float, *, app_name: str = "heroku", **more: Any
) -> RouterMessage:
    """What the platform says, as a message of the message log; `more` as of `router_message`."""
    return router_message(f"{text}\n", at_s, procid=procid, app_name=app_name, prival=45, **more)


def router_message(
    line: str,
    at_s: float | None = None,
    *,
    id: str = "f.0",
    app: str = "",
    received_s: float | None = None,
    **more: Any,
) -> RouterMessage:
    """The line as a message of the topic, written at `at_s` (Unix time; now) and received at
    `received_s` (at the same time). `more` replaces or adds keys."""
    at_s = time.time() if at_s is None else at_s
    usual: RouterMessage = {
        "prival": 158,
        "version": 1,
        "timestamp": stamp(at_s),
        "hostname": "host",
        "app_name": "heroku",
        "procid": "router",
        "msgid": None,
        "structured_data": None,
        "msg": line,
        "id": id,
        "app": app,
        "received_at": round((at_s if received_s is None else received_s) * 1000),
    }
    return {**usual, **more}  # type: ignore[typeddict-item]
