"""The patterns that a search looks for in the log's bytes: they never miss a request that is wanted."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.connections import is_switched
from app.message import RouterMessage, encode
from app.paths import decoded_path
from app.router_line import RouterLine, milliseconds, parse
from app.routes import route_namer
from app.search.filters import RequestFilter, addresses
from app.search.rows import RouteRowNames
from app.settings import Settings
from app.store.bounds import NOT_FOUND, STATUS
from servers.messages import router_line, router_message
from tests.app.router_lines import H12, INFO, nearly_usual, pairs, written
from tests.support.protocol_lines import LINES

RULES = ("/users/:name", "/caf%C3%A9/:id", "/report-:id.pdf", "/files/*rest", "/a/b")
ROUTE_OF = route_namer(Settings(route_rules=RULES))

odd_paths = st.text('ab/;=%2Ff6é :*."\\?1-_~\ufffd\x01A', max_size=14).map("/".__add__)
segments = st.sampled_from(
    ["a", "users", "files", "café", "", "42", "a;v=1", "users;v=1;w=2", ";v=1", "b c", "50%", "%2F", "%252f",
     "Users(42)", "report-7.pdf", "x:y", "*", "~a.b_c-d", "%C3%A9", "?q=1"]
)  # fmt: skip
paths = st.one_of(
    odd_paths, st.lists(segments, min_size=1, max_size=4).map(lambda some: "/" + "/".join(some))
)
"""Paths with everything that patterns must know of: escapes, parameters, quotes, names of parameters."""


def percent_encoded(data: st.DataObject, path: str) -> str:
    """The path with some of its characters as escapes, in either case, as a client may send it."""
    out = ""
    for char in path:
        escape = "".join(f"%{byte:02x}" for byte in char.encode())
        out += data.draw(st.sampled_from([char, char, escape, escape.upper()]))
    return out


@st.composite
def any_line(draw: st.DrawFn) -> str:
    """A line of any kind: real ones, nearly usual ones, odd ones, and usual ones with odd paths."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.sampled_from([one.line for one in LINES]))
    if kind == 1:
        return draw(nearly_usual())
    if kind == 2:
        values = draw(pairs)
        return " ".join(written(key, value, draw(st.booleans())) for key, value in values.items())
    path = draw(paths)
    if draw(st.booleans()):
        path = percent_encoded(draw(st.data()), path)
    return router_line(
        path,
        protocol=draw(st.sampled_from(["https", "http2.0"])),
        status=draw(st.sampled_from(["200", "404", "503", "101", ""])),
        service_ms=draw(st.sampled_from([None, 0, 9, 9.5, 30_000, 100])),
        code=draw(st.sampled_from(["", "H12", "H27"])),
        host=draw(
            st.sampled_from(["shop.example.com", "SHOP.Example.com:443", "x.example.:80", "[2001:db8::7]"])
        ),
        fwd=draw(st.sampled_from(["192.0.2.7", "10.0.0.1, ::FFFF:192.0.2.7", "2001:DB8::1"])),
        dyno=draw(st.sampled_from(["web.1", "web.31", "worker.2"])),
    )


def message_of(line: str, app: str) -> RouterMessage:
    """As the drain makes it of a line with bytes that are not UTF-8 (as surrogates), or without."""
    raw = line.encode("utf-8", "surrogateescape")
    more: dict[str, Any] = {}
    text = raw.decode("utf-8", "replace")
    if "\ufffd" in text and text.encode() != raw:
        more["raw"] = base64.b64encode(raw).decode()
    return router_message(text, 1_800_000_000, app=app, **more)


def wanted_of(data: st.DataObject, message: RouterMessage, line: RouterLine, route: str) -> RequestFilter:
    """A filter that fits the request in some of its fields."""
    draw = data.draw
    fields: dict[str, Any] = {}

    def maybe(name: str, value: object) -> None:
        if value and draw(st.booleans()):
            fields[name] = value

    for name in ("method", "code", "request_id"):
        maybe(name, getattr(line, name))
    maybe("app", message["app"])
    maybe("route", route)
    path = decoded_path(line)
    # A path is given as a pattern, in which a * has its place at the end.
    if path.startswith("/") and not re.search(r"/\*[^/]*/", path):
        cut = draw(st.integers(1, len(path)))
        maybe("path", draw(st.sampled_from([path, path[: path.rfind("/", 0, cut) + 1] + "*rest"])))
    maybe("dyno", draw(st.sampled_from([line.dyno, line.dyno.partition(".")[0]])))
    maybe("host", draw(st.sampled_from([line.host, line.host.upper(), line.host.lower() + "."])))
    if found := addresses(line):
        maybe("ip", draw(st.sampled_from(found)).lower().removeprefix("::ffff:"))
    if STATUS.fullmatch(line.status):
        status = int(line.status)
        maybe(
            "statuses", draw(st.sampled_from([((status, status),), ((status - 30, status + 2), (999, 999))]))
        )
    if (service_ms := milliseconds(line.service)) is not None and draw(st.booleans()):
        fields["slower_than_ms"] = service_ms * draw(st.sampled_from([0, 0.5, 0.999]))
    fields["only_failed"] = draw(st.booleans())
    return RequestFilter(**fields)


@settings(max_examples=400)
@given(any_line(), st.sampled_from(["", "shop", "a-b_9"]), st.booleans(), st.data())
@example(INFO, "shop", False, None)
@example(H12, "", False, None)
def test_every_wanted_message_matches_each_pattern(
    line_text: str, app: str, is_table: bool, data: st.DataObject | None
) -> None:
    try:
        message = message_of(line_text, app)
    except UnicodeEncodeError:  # Half of a UTF-16 pair: no line of bytes has one.
        assume(False)
    line = parse(message["msg"])
    assume(line is not None)
    assert line is not None
    route_of: Any = ROUTE_OF
    if is_table:
        route_of = RouteRowNames(
            ROUTE_OF, rows=frozenset({"/x"}), templates=frozenset({"/a/:name", "/:name"})
        )
    if data is None:
        wanted = RequestFilter(app=app, host=line.host, request_id=line.request_id, dyno=line.dyno)
    else:
        wanted = wanted_of(data, message, line, route_of(line))
    if wanted.matches(message, line, route_of, is_switched):
        value = encode(message)
        for pattern in wanted.patterns():
            assert pattern.search(value), (pattern, value, wanted)


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.name)
def test_each_line_of_the_protocol_is_found_by_every_value_that_it_has(one: Any) -> None:
    message = message_of(one.line, "shop")
    line = parse(message["msg"])
    assert line is not None
    for name in ("method", "code", "request_id", "dyno", "host"):
        if value := getattr(line, name):
            wanted = RequestFilter(**{name: value})
            assert wanted.matches(message, line, ROUTE_OF)
            assert all(pattern.search(encode(message)) for pattern in wanted.patterns())
    wanted = RequestFilter(route=ROUTE_OF(line), app="shop")
    assert wanted.matches(message, line, ROUTE_OF)
    assert all(pattern.search(encode(message)) for pattern in wanted.patterns())


SELECTIVE = {
    "request_id": (RequestFilter(request_id="11111111-6a83-4c12-8269-97c8e32cdb22"), 1),
    "ip": (RequestFilter(ip="192.0.2.77"), 1),
    "code": (RequestFilter(code="H12"), 1),
    "status": (RequestFilter(statuses=((500, 599),)), 1),
    "one status": (RequestFilter(statuses=((503, 503),)), 1),
    "failed": (RequestFilter(only_failed=True), 1),
    "path": (RequestFilter(path="/products/7"), 1),
    "rest": (RequestFilter(path="/products/*rest"), 1),
    "route": (RequestFilter(route="/products/:id"), 1),
    "slow": (RequestFilter(slower_than_ms=2_000), 1),
    "dyno": (RequestFilter(dyno="worker.3"), 1),
    "host": (RequestFilter(host="Other.example"), 1),
    "method": (RequestFilter(method="POST"), 1),
    "app": (RequestFilter(app="blog"), 1),
    "not found": (RequestFilter(route=NOT_FOUND), 1),
    "all": (RequestFilter(path="/cart", statuses=((503, 503),), dyno="web.7"), 3),
}


@pytest.mark.parametrize(("wanted", "count"), SELECTIVE.values(), ids=SELECTIVE)
def test_the_patterns_pass_over_a_line_that_has_nothing_of_it(wanted: RequestFilter, count: int) -> None:
    value = encode(router_message(router_line("/search", service_ms=18), 1_800_000_000, app="shop"))
    patterns = wanted.patterns()
    assert len(patterns) == count
    assert not any(pattern.search(value) for pattern in patterns)


@pytest.mark.parametrize(("wanted", "count"), SELECTIVE.values(), ids=SELECTIVE)
@pytest.mark.parametrize(
    "hostile",
    [
        "path=/products;" * 20_000,
        "path=/a;" * 30_000,
        'path=\\"/products/' * 20_000,
        "status=" * 40_000,
        "=" * 300_000,
        "service=1" * 40_000,
        "host=other.exampl" * 20_000,
        '\\"' * 150_000,
        "1" * 300_000,
    ],
    ids=lambda text: text[:12],
)
def test_no_text_makes_a_pattern_slow(wanted: RequestFilter, count: int, hostile: str) -> None:
    """About a millisecond; a pattern that backtracked would take minutes."""
    for pattern in wanted.patterns():
        started_s = time.process_time()
        pattern.search(hostile.encode())
        assert time.process_time() - started_s < 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/users;v=1/files/42", "/users/files/:id"),
        ("/cart/;v=1/files", "/cart//files"),
        (";v=1/cart/42", "/cart/:id"),
        ("/cart%3Bv=1/files/42", "/cart/files/:id"),
        ("/%63a%72t/42", "/cart/:id"),
        ("/%7E%63art/42", "/~cart/:id"),
        ("/products/" + "x" * 300, "/products/:token"),
        ("/page/" * 60, "/page//" * 60),
    ],
)
def test_a_route_is_found_however_its_path_is_written(path: str, route: str) -> None:
    for protocol in ("https", "http2.0"):
        message = router_message(router_line(path, protocol=protocol), 1_800_000_000)
        line = parse(message["msg"])
        assert line is not None
        found = ROUTE_OF(line)
        if protocol == "https" and len(route) < 200:
            assert found == route
        for wanted in (RequestFilter(route=found), RequestFilter(path=decoded_path(line))):
            if decoded_path(line).startswith("/") or wanted.route:
                assert wanted.matches(message, line, ROUTE_OF)
                assert all(pattern.search(encode(message)) for pattern in wanted.patterns()), wanted


def test_the_ends_of_a_range_of_statuses_are_in_it() -> None:
    for ranges in (((500, 504),), ((404, 404), (500, 599)), ((100, 599),), ((399, 401),)):
        for status in range(100, 1_000):
            line_text = router_line(status=status, bytes=None, service_ms=None)
            message = router_message(line_text, 1_800_000_000)
            line = parse(line_text)
            assert line is not None
            wanted = RequestFilter(statuses=ranges)
            if wanted.matches(message, line, ROUTE_OF):
                assert all(pattern.search(encode(message)) for pattern in wanted.patterns()), status


def test_few_values_need_no_pattern() -> None:
    assert list(RequestFilter().patterns()) == []
    for wanted in (
        RequestFilter(ip="2001:db8::1"),
        RequestFilter(route="/:locale/cart"),
        RequestFilter(statuses=((100, 999),)),
        RequestFilter(slower_than_ms=5),
        RequestFilter(request_id='"x'),
        RequestFilter(path="/*rest"),
    ):
        assert list(wanted.patterns()) == [], wanted


def test_patterns_are_plain_regular_expressions_of_bytes() -> None:
    for wanted, _ in SELECTIVE.values():
        assert all(isinstance(pattern.pattern, bytes) for pattern in wanted.patterns())
        assert all(isinstance(pattern, re.Pattern) for pattern in wanted.patterns())
