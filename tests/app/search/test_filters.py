"""Which requests are wanted: each filter by itself, and all of them together."""

from __future__ import annotations

from typing import Any

import pytest

from app.connections import open_connection_matcher
from app.router_line import RouterLine, parse
from app.routes import route_namer
from app.search.filters import RequestFilter, addresses, client_address, is_same_address
from app.settings import Settings
from servers.messages import router_line, router_message

ROUTE_OF = route_namer(Settings())


def matches(wanted: RequestFilter, app: str = "shop", **line: Any) -> bool:
    text = router_line(**{"path": "/products/42?q=a", "fwd": "203.0.113.9, 192.0.2.7"} | line)
    parsed = parse(text)
    assert parsed is not None
    return wanted.matches(router_message(text, app=app), parsed, ROUTE_OF)


def line_of(**line: Any) -> RouterLine:
    parsed = parse(router_line(**line))
    assert parsed is not None
    return parsed


def test_an_empty_filter_wants_everything() -> None:
    assert matches(RequestFilter())


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        ({"app": "shop"}, {}, {"app": "blog"}),
        ({"route": "/products/:id"}, {}, {"path": "/products/new"}),
        ({"path": "/products/42"}, {}, {"path": "/products/421"}),
        ({"path": "/products/:id"}, {"path": "/products/new"}, {"path": "/products/42/reviews"}),
        ({"path": "/products/*rest"}, {"path": "/products/42/reviews?a"}, {"path": "/product"}),
        ({"path": "/café"}, {"path": "/caf%C3%A9", "protocol": "https"}, {"path": "/cafe"}),
        ({"path": "/caf%C3%A9"}, {"path": "/café"}, {"path": "/cafe"}),
        ({"method": "GET"}, {}, {"method": "POST"}),
        ({"statuses": ((500, 599),)}, {"status": 503}, {"status": 404}),
        ({"statuses": ((404, 404), (500, 504))}, {"status": 504}, {"status": 505}),
        ({"statuses": ((100, 999),)}, {"status": 101}, {"status": ""}),
        ({"code": "H12"}, {"code": "H12"}, {"code": "H13"}),
        ({"dyno": "web.3"}, {"dyno": "web.3"}, {"dyno": "web.31"}),
        ({"dyno": "web"}, {"dyno": "web.31"}, {"dyno": "webhooks.1"}),
        ({"host": "Shop.example.com:443"}, {"host": "shop.EXAMPLE.com."}, {"host": "shop.example.com:80.x"}),
        ({"ip": "192.0.2.7"}, {}, {"fwd": "192.0.2.70"}),
        ({"ip": "203.0.113.9"}, {}, {"fwd": "192.0.2.7"}),
        ({"ip": "2001:db8::1"}, {"fwd": "2001:DB8:0:0:0:0:0:1"}, {"fwd": "2001:db8::2"}),
        ({"request_id": "abc"}, {"request_id": "abc"}, {"request_id": "abcd"}),
        ({"slower_than_ms": 2_000}, {"service_ms": 2_001}, {"service_ms": 2_000}),
        ({"slower_than_ms": 0}, {"service_ms": 1}, {"service_ms": None}),
        ({"slower_than_ms": 2_000}, {"service_ms": 9_000}, {"service_ms": 9_000, "status": 101}),
        ({"only_failed": True}, {"status": 500}, {"status": 404}),
        ({"only_failed": True}, {"code": "H18", "status": 200}, {"code": "H27", "status": 499}),
    ],
)
def test_one_field_tells_requests_apart(
    wanted: dict[str, Any], yes: dict[str, Any], no: dict[str, Any]
) -> None:
    assert matches(RequestFilter(**wanted), **yes)
    assert not matches(RequestFilter(**wanted), **no)


def test_all_fields_must_fit() -> None:
    wanted = RequestFilter(app="shop", route="/products/:id", statuses=((200, 200),), dyno="web.1")
    assert matches(wanted)
    assert not matches(wanted, dyno="web.2")
    assert not matches(wanted, status=500)
    assert not matches(wanted, app="blog")


def test_an_open_stream_is_not_slow_however_long_it_was_open() -> None:
    is_connection = open_connection_matcher(Settings(stream_rules=("/events",)))
    wanted = RequestFilter(slower_than_ms=1_000)
    for path, slow in (("/events", False), ("/cart", True)):
        text = router_line(path, service_ms=60_000)
        found = wanted.matches(
            router_message(text), line_of(path=path, service_ms=60_000), ROUTE_OF, is_connection
        )
        assert found == slow


def test_the_client_is_the_last_address_because_the_router_saw_that_one_itself() -> None:
    line = line_of(fwd="10.0.0.1,203.0.113.9, 192.0.2.7")
    assert client_address(line) == "192.0.2.7"
    assert addresses(line) == ["10.0.0.1", "203.0.113.9", "192.0.2.7"]
    assert client_address(line_of(fwd="")) == ""
    assert addresses(line_of(fwd=" , ")) == []


@pytest.mark.parametrize(
    ("address", "wanted", "is_same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("::FFFF:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:0::1", "2001:db8::1", True),
        ("unknown", "2001:db8::1", False),
        ("a:b", "2001:db8::1", False),
        ("", "192.0.2.7", False),
    ],
)
def test_addresses_are_the_same_however_they_are_written(address: str, wanted: str, is_same: bool) -> None:
    assert is_same_address(address, wanted) == is_same
