"""The one builder of messages agrees with what a router sends and what the drain writes."""

from __future__ import annotations

import pytest

from app.message import decode
from app.router_line import milliseconds, parse
from drain.receivers.logplex import parse as parse_body
from drain.receivers.messages import encode_messages
from servers.logplex_client import octets
from servers.messages import REQUEST_ID, router_line, router_message, router_syslog

AT_S = 1_461_275_761.123456


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (
            router_line(
                "/users/1?q=a", method="POST", code="H27", desc="Client Request Interrupted", bytes=None
            ),
            'sock=client at=warning code=H27 desc="Client Request Interrupted" method=POST '
            f'path="/users/1?q=a" host=shop.example.com request_id={REQUEST_ID} fwd="204.204.204.204" '
            "dyno=web.1 connect=0ms service=18ms status=200 bytes= protocol=http2.0 "
            "tls=true tls_version=tls1.3",
        ),
        (
            router_line(fwd="", host="x.herokuapp.com", protocol="http1.1"),
            f'at=info method=GET path="/foo" host=x.herokuapp.com request_id={REQUEST_ID} fwd="" dyno=web.1 '
            "connect=0ms service=18ms status=200 bytes=13 protocol=http1.1 tls=true tls_version=unknown",
        ),
        (
            router_line(is_fwd_quoted=False, protocol="http1.1", tls=False),
            f'at=info method=GET path="/foo" host=shop.example.com request_id={REQUEST_ID} '
            "fwd=204.204.204.204 dyno=web.1 connect=0ms service=18ms status=200 bytes=13 "
            "protocol=http1.1 tls=false",
        ),
        (
            router_line(connect_ms=1, protocol="https"),
            f'at=info method=GET path="/foo" host=shop.example.com request_id={REQUEST_ID} '
            'fwd="204.204.204.204" dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https',
        ),
    ],
)
def test_a_line_is_as_its_router_writes_it(line: str, written: str) -> None:
    assert line == written


def test_a_line_is_read_back_as_it_was_built() -> None:
    line = parse(router_line('/a"b\\c', code="H12", service_ms=30_000, connect_ms=None, status=503) + "\n")
    assert line is not None
    assert (line.path, line.code, line.status) == ('/a"b\\c', "H12", "503")
    assert (milliseconds(line.service), milliseconds(line.connect)) == (30_000, None)


def test_a_message_has_the_keys_of_the_topic() -> None:
    assert router_message("at=info", AT_S, id="frame.3", app="shop", received_s=AT_S + 1, raw="eA==") == {
        "prival": 158,
        "version": 1,
        "timestamp": "2016-04-21T21:56:01.123456+00:00",
        "hostname": "host",
        "app_name": "heroku",
        "procid": "router",
        "msgid": None,
        "structured_data": None,
        "msg": "at=info",
        "id": "frame.3",
        "app": "shop",
        "received_at": 1_461_275_762_123,
        "raw": "eA==",
    }


def test_a_message_is_what_the_drain_makes_of_the_same_line() -> None:
    line = router_line("/foo")
    body = octets([router_syslog(line, AT_S)])
    (value,) = encode_messages(parse_body(body, "frame").messages, "frame", "shop", round(AT_S * 1000))
    assert decode(value) == router_message(line + "\n", AT_S, id="frame.0", app="shop")
