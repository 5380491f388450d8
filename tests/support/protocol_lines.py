"""Lines as Heroku's routers write them, names replaced: what is read of each, and what it counts as.

`source` says where each form comes from: Heroku's documents ("documented": error-codes and http-routing of
devcenter.heroku.com), public reports of real logs ("seen"), or what follows from both ("guessed").
"""

# ruff: noqa: E501
# Lines stay as they were sent.

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProtocolLine:
    """One line, and what is read of it."""

    name: str
    source: str
    line: str
    fields: dict[str, str]
    """Without those that are empty."""
    route: str
    is_router_2: bool = True
    service_ms: float | None = None
    """What it adds to the figures; None: nothing."""
    connect_ms: float | None = None


ID = "6903a168-b79b-ec27-03c8-b8f64d8d8792"
HOST = "shop.example.com"

ANSWERED = {"at": "info", "method": "GET", "host": HOST, "request_id": ID, "dyno": "web.1", "connect": "0ms"}
HTTP_2 = ANSWERED | {"protocol": "http2.0", "tls": "true"}
DOCUMENTED = {"method": "GET", "path": "/", "host": HOST, "fwd": "17.17.17.17"}


def answer(service: str, status: str, bytes: str) -> dict[str, str]:
    return {"service": service, "status": status, "bytes": bytes}


LINES = (
    ProtocolLine(
        "bare fwd",
        "documented",
        f'at=info method=GET path="/" host={HOST} request_id={ID} fwd=138.68.186.89 dyno=web.1 connect=0ms '
        "service=0ms status=200 bytes=0 protocol=http2.0 tls=true tls_version=tls1.3",
        HTTP_2 | answer("0ms", "200", "0") | {"path": "/", "fwd": "138.68.186.89"},
        "/",
        service_ms=0,
        connect_ms=0,
    ),
    ProtocolLine(
        "empty fwd",
        "seen",
        f'at=info method=GET path="/static/a.css" host={HOST} request_id={ID} fwd="" dyno=web.1 connect=0ms '
        "service=2ms status=304 bytes=0 protocol=http1.1 tls=true tls_version=unknown",
        HTTP_2 | answer("2ms", "304", "0") | {"path": "/static/a.css", "protocol": "http1.1"},
        "/static/a.css",
        service_ms=2,
        connect_ms=0,
    ),
    ProtocolLine(
        "no TLS",
        "seen",
        f'at=info method=GET path="/x" host={HOST} request_id={ID} fwd="87.121.84.24" dyno=web.1 connect=0ms '
        "service=4ms status=200 bytes=16268 protocol=http1.1 tls=false\n",
        HTTP_2
        | answer("4ms", "200", "16268")
        | {"path": "/x", "fwd": "87.121.84.24", "protocol": "http1.1", "tls": "false"},
        "/x",
        service_ms=4,
        connect_ms=0,
    ),
    ProtocolLine(
        "two addresses",
        "seen",
        f'at=info method=GET path="/x" host={HOST} request_id={ID} fwd="149.88.17.139, 172.68.7.155" dyno=web.1 '
        "connect=0ms service=4ms status=200 bytes=1 protocol=http2.0 tls=true tls_version=tls1.3\n",
        HTTP_2 | answer("4ms", "200", "1") | {"path": "/x", "fwd": "149.88.17.139, 172.68.7.155"},
        "/x",
        service_ms=4,
        connect_ms=0,
    ),
    ProtocolLine(
        "IPv6 addresses",
        "guessed",
        f'at=info method=GET path="/x" host=[2001:db8::7]:443 request_id={ID} fwd="2001:db8::1,::ffff:192.0.2.7" '
        "dyno=web.1 connect=0ms service=4ms status=200 bytes=1 protocol=http2.0 tls=true tls_version=tls1.2\n",
        HTTP_2
        | answer("4ms", "200", "1")
        | {"path": "/x", "host": "[2001:db8::7]:443", "fwd": "2001:db8::1,::ffff:192.0.2.7"},
        "/x",
        service_ms=4,
        connect_ms=0,
    ),
    ProtocolLine(
        "decoded path",
        "seen",
        f'at=info method=GET path="/api/Lexicon 1951/Book/8" host={HOST} request_id={ID} fwd="61.8.139.252" '
        "dyno=web.1 connect=0ms service=31ms status=200 bytes=5570 protocol=http2.0 tls=true tls_version=tls1.3",
        HTTP_2 | answer("31ms", "200", "5570") | {"path": "/api/Lexicon 1951/Book/8", "fwd": "61.8.139.252"},
        "/api/Lexicon 1951/Book/:id",
        service_ms=31,
        connect_ms=0,
    ),
    ProtocolLine(
        "H18 with status 200",
        "seen",
        'sock=backend at=error code=H18 desc="Server Request Interrupted" method=POST path="/api/stream" '
        f'host={HOST} request_id={ID} fwd="100.27.26.255" dyno=web.1 connect=0ms service=710ms status=200 bytes=0 '
        "protocol=http1.1 tls=true tls_version=unknown",
        HTTP_2
        | answer("710ms", "200", "0")
        | {
            "sock": "backend",
            "at": "error",
            "code": "H18",
            "method": "POST",
            "path": "/api/stream",
            "fwd": "100.27.26.255",
            "protocol": "http1.1",
        },
        "/api/stream",
        service_ms=710,
        connect_ms=0,
    ),
    ProtocolLine(
        "H27",
        "seen",
        'sock=client at=warning code=H27 desc="Client Request Interrupted" method=GET path="/feed" '
        f'host={HOST} request_id={ID} fwd="192.0.2.7" dyno=web.1 connect=0ms service=12000ms status=499 bytes= '
        "protocol=http1.1 tls=true tls_version=tls1.3",
        HTTP_2
        | {
            "sock": "client",
            "at": "warning",
            "code": "H27",
            "path": "/feed",
            "fwd": "192.0.2.7",
            "service": "12000ms",
            "status": "499",
            "protocol": "http1.1",
        },
        "/feed",
        service_ms=12000,
        connect_ms=0,
    ),
    ProtocolLine(
        "H28",
        "documented",
        'at=warning code=H28 desc="Client Connection Idle" method=GET path="/" host=shop.example.com '
        "fwd=17.17.17.17 dyno=web.1 connect=1ms service=55449ms status=499 bytes=18",
        DOCUMENTED
        | answer("55449ms", "499", "18")
        | {"at": "warning", "code": "H28", "dyno": "web.1", "connect": "1ms"},
        "/",
        is_router_2=False,
        service_ms=55449,
        connect_ms=1,
    ),
    ProtocolLine(
        "H24 without a status",
        "documented",
        'at=error code=H24 desc="Forced close" method=GET path="/" host=shop.example.com fwd=17.17.17.17 '
        "dyno=web.1 connect=1ms service=80000ms status= bytes=18",
        DOCUMENTED
        | {
            "at": "error",
            "code": "H24",
            "dyno": "web.1",
            "connect": "1ms",
            "service": "80000ms",
            "bytes": "18",
        },
        "/",
        is_router_2=False,
        service_ms=80000,
        connect_ms=1,
    ),
    ProtocolLine(
        "H24 of Router 2.0",
        "guessed",
        f'at=error code=H24 desc="Forced close" method=GET path="/" host={HOST} request_id={ID} fwd="192.0.2.7" '
        "dyno=web.1 connect=0ms service=80000ms status= bytes=18 protocol=http2.0 tls=true tls_version=tls1.3\n",
        HTTP_2
        | {
            "at": "error",
            "code": "H24",
            "path": "/",
            "fwd": "192.0.2.7",
            "service": "80000ms",
            "bytes": "18",
        },
        "/",
        service_ms=80000,
        connect_ms=0,
    ),
    ProtocolLine(
        "H14, no dyno",
        "documented",
        'at=error code=H14 desc="No web processes running" method=GET path="/" host=shop.example.com '
        "fwd=17.17.17.17 dyno= connect= service= status=503 bytes=",
        DOCUMENTED | {"at": "error", "code": "H14", "status": "503"},
        "/",
        is_router_2=False,
    ),
    ProtocolLine(
        "H19, no service",
        "documented",
        'at=error code=H19 desc="Backend connection timeout" method=GET path="/" host=shop.example.com '
        "fwd=17.17.17.17 dyno=web.1 connect=5001ms service= status=503 bytes=",
        DOCUMENTED | {"at": "error", "code": "H19", "dyno": "web.1", "connect": "5001ms", "status": "503"},
        "/",
        is_router_2=False,
        connect_ms=5001,
    ),
    ProtocolLine(
        "H25, times without a unit",
        "documented",
        'at=error code=H25 desc="HTTP restriction: oversized header" method=GET path="/" host=shop.example.com '
        f'request_id={ID} fwd="17.17.17.17" dyno=web.1 connect=0 service=397 status=502 bytes=542',
        ANSWERED
        | answer("397", "502", "542")
        | {"at": "error", "code": "H25", "path": "/", "fwd": "17.17.17.17", "connect": "0"},
        "/",
        is_router_2=False,
        service_ms=397,
        connect_ms=0,
    ),
    ProtocolLine(
        "H26",
        "documented",
        'at=error code=H26 desc="Request Error" cause="unsupported expect header value" method=GET path="/" '
        f'host=shop.example.com request_id={ID} fwd="17.17.17.17" dyno= connect= service= status=417 bytes=',
        DOCUMENTED
        | {
            "at": "error",
            "code": "H26",
            "cause": "unsupported expect header value",
            "request_id": ID,
            "status": "417",
        },
        "/",
        is_router_2=False,
    ),
    ProtocolLine(
        "H31",
        "documented, the agent guessed",
        f'at=error code=H31 desc="Misdirected Request" method=GET path="/" host=shop.example.com request_id={ID} '
        'fwd="17.17.17.17" dyno= connect= service= status=421 bytes= protocol=http '
        r'agent="Mozilla/5.0 (compatible; \"X\" bot; code=H99 path=/evil) \\ +http://x.example"' + "\n",
        DOCUMENTED
        | {
            "at": "error",
            "code": "H31",
            "request_id": ID,
            "status": "421",
            "protocol": "http",
            "agent": r'Mozilla/5.0 (compatible; "X" bot; code=H99 path=/evil) \ +http://x.example',
        },
        "/",
        is_router_2=False,
    ),
    ProtocolLine(
        "H31 as documented, without at",
        "documented",
        f'error code=H31 desc="Misdirected Request" method=GET path="/" host={HOST} request_id={ID} '
        'fwd="17.17.17.17" dyno= connect= service= status=421 bytes= protocol=http agent="curl/8.5.0"',
        DOCUMENTED
        | {"code": "H31", "request_id": ID, "status": "421", "protocol": "http", "agent": "curl/8.5.0"},
        "/",
        is_router_2=False,
    ),
    ProtocolLine(
        "H80, no error",
        "documented",
        'at=info code=H80 desc="Maintenance mode" method=GET path="/" host=shop.example.com fwd=17.17.17.17 '
        "dyno= connect= service= status=503 bytes=",
        DOCUMENTED | {"at": "info", "code": "H80", "status": "503"},
        "/",
        is_router_2=False,
    ),
    ProtocolLine(
        "websocket",
        "seen",
        f'at=info method=GET path="/cable" host={HOST} request_id={ID} fwd="192.0.2.7" dyno=web.1 connect=0ms '
        "service=531114ms status=101 bytes=4096 protocol=http1.1 tls=true tls_version=tls1.3",
        HTTP_2
        | answer("531114ms", "101", "4096")
        | {"path": "/cable", "fwd": "192.0.2.7", "protocol": "http1.1"},
        "/cable",
        service_ms=531114,
        connect_ms=0,
    ),
    ProtocolLine(
        "legacy router",
        "seen",
        f'at=info method=GET path="/users/77?q=caf%C3%A9" host={HOST} request_id={ID} fwd="204.204.204.204" '
        "dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https\n",
        ANSWERED
        | answer("18ms", "200", "13")
        | {"path": "/users/77?q=caf%C3%A9", "fwd": "204.204.204.204", "connect": "1ms", "protocol": "https"},
        "/users/:id",
        is_router_2=False,
        service_ms=18,
        connect_ms=1,
    ),
    ProtocolLine(
        "legacy router in a Private Space",
        "documented",
        f'at=info method=GET path="/users/77" host={HOST} request_id={ID} fwd="204.204.204.204" dyno=web.1 '
        "connect=1ms service=18ms status=200 bytes=13 protocol=https tls_version=tls1.2\n",
        ANSWERED
        | answer("18ms", "200", "13")
        | {"path": "/users/77", "fwd": "204.204.204.204", "connect": "1ms", "protocol": "https"},
        "/users/:id",
        is_router_2=False,
        service_ms=18,
        connect_ms=1,
    ),
)
