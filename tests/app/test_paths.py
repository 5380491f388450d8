"""Paths: the same request has the same name, whichever router logged it, and the name can go anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connections import connection_matcher
from app.message import encode
from app.paths import CACHED_PATH_CHARS, by_path, decoded, decoded_path, literal, printable
from app.router_line import RouterLine, parse
from app.routes import route_namer
from app.settings import Settings
from consumers.replay.request import request_of
from servers.messages import router_message
from tests.app.router_lines import legacy, router_2
from tests.support.hostile import HOSTILE, drives


@pytest.mark.parametrize(
    ("sent", "logged", "name"),
    [
        ("/caf%C3%A9", "/caf\u00e9", "/caf\u00e9"),
        ("/caf%c3%a9?q=%C3%A9", "/caf\u00e9?q=x", "/caf\u00e9"),
        ("/%E4%BD%A0%E5%A5%BD/7", "/\u4f60\u597d/7", "/\u4f60\u597d/7"),
        ("/api/Lexicon%201951/Book", "/api/Lexicon 1951/Book", "/api/Lexicon 1951/Book"),
        ("/a+b%2Bc", "/a+b+c", "/a+b+c"),
        ("/%7Eada/%2e%2E/x", "/~ada/../x", "/~ada/../x"),
        ("/100%25", "/100%", "/100%"),
        ("/c%23/x", "/c#/x", "/c#/x"),
        ("/a%3Bb%40c", "/a;b@c", "/a;b@c"),
        ("/say%22hi%22%5C", '/say"hi"\\', '/say"hi"\\'),
        ("/%F0%9F%9A%80", "/\U0001f680", "/\U0001f680"),
        # Unprintable: escaped, in capitals.
        ("/a%00b%0a%1b%7f", "/a\x00b\n\x1b\x7f", "/a%00b%0A%1B%7F"),
        ("/%C2%9B31m%e2%80%AE", "/\u009b31m\u202e", "/%C2%9B31m%E2%80%AE"),
        ("/a%C2%A0b", "/a\u00a0b", "/a%C2%A0b"),
        # Not UTF-8: as the drain passes it on. Latin-1, overlong, half of a UTF-16 pair, cut off.
        ("/caf%E9", "/caf\ufffd", "/caf\ufffd"),
        ("/%c0%af", "/\ufffd\ufffd", "/\ufffd\ufffd"),
        ("/%ED%A0%80", "/\ufffd\ufffd\ufffd", "/\ufffd\ufffd\ufffd"),
        ("/%F0%9F", "/\ufffd", "/\ufffd"),
        # No escapes at all.
        ("/100%", "/100%", "/100%"),
        ("/%zz%4", "/%zz%4", "/%zz%4"),
        ("", "", ""),
        ("?q=%41", "?q=A", ""),
    ],
)
def test_the_same_request_has_one_name_on_both_routers(sent: str, logged: str, name: str) -> None:
    assert decoded_path(legacy(sent)) == name
    assert decoded_path(router_2(logged)) == name


def test_what_separates_stays_escaped_where_the_line_still_has_it() -> None:
    assert decoded("/a%2fb%2Fc%3fd%3F") == "/a%2Fb%2Fc%3Fd%3F"
    # Router 2.0 has decoded both for good.
    assert decoded_path(router_2("/a/b?d")) == "/a/b"


def test_nothing_is_decoded_twice() -> None:
    assert decoded("/a%2520b") == "/a%20b"
    assert decoded("/a%252Fb") == "/a%2Fb"
    assert decoded_path(router_2("/a%20b")) == "/a%20b"
    route_of = route_namer(Settings())
    # The cache keeps both readings of the same text apart, in either order.
    assert [route_of(line) for line in (legacy("/a%20b"), router_2("/a%20b"), legacy("/a%20b"))] == [
        *("/a b", "/a%20b", "/a b")
    ]


@given(st.text(st.characters(exclude_categories=())))
def test_a_name_is_printable_text_whatever_the_path(path: str) -> None:
    for name in (decoded(path), printable(path), decoded_path(legacy("/" + path))):
        assert name.isprintable()
        assert name.encode().decode() == name
        assert json.loads(json.dumps(name)) == name


@given(st.text(st.characters(exclude_categories=["Cs"]).filter(lambda char: char not in "/?%")))
def test_what_a_client_escapes_is_named_as_what_router_2_logs(path: str) -> None:
    assert decoded_path(legacy("/" + quote(path))) == decoded_path(router_2("/" + path))
    assert decoded_path(legacy("/" + quote(path, safe=""))) == decoded_path(router_2("/" + path))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_hostile_path_drives_what_shows_its_name(hostile: str) -> None:
    for line in (legacy(hostile), legacy(quote(hostile)), router_2(hostile)):
        assert drives(route_namer(Settings())(line)) == set()


def test_both_forms_are_one_row_in_a_whole_line() -> None:
    old = 'method=GET path="/caf%C3%A9/7?a=%20" host=h status=200 bytes=1 protocol=https'
    new = 'method=GET path="/caf\u00e9/8?a= " host=h status=200 bytes=1 protocol=http2.0 tls=true'
    route_of = route_namer(Settings())
    lines = [parse(text) for text in (old, new)]
    assert [route_of(line) for line in lines if line] == ["/caf\u00e9/:id"] * 2


def test_replay_names_bytes_that_are_not_utf_8_as_the_figures_do() -> None:
    line = b'method=GET path="/caf\xe9?q=\xff" status=200'
    message = router_message(line.decode("utf-8", "replace"), 1_800_000_000, id="f.0", app="")
    exact = line.decode("utf-8", "surrogateescape")
    parsed, counted = parse(exact), parse(message["msg"])
    assert parsed is not None
    assert counted is not None
    assert encode(message)
    for templates in ("auto", "raw"):
        route_of = route_namer(Settings(route_templates=templates))
        assert route_of(parsed) == route_of(counted) == "/caf\ufffd"
        request = request_of(message, route_of, connection_matcher(Settings()))
        assert request is not None
        assert request.route == "/caf\ufffd"


def test_streams_fit_the_decoded_path() -> None:
    for rule in ("/\u00e9v\u00e9nements/:id", "/%C3%A9v%C3%A9nements/:id"):
        is_connection = connection_matcher(Settings(stream_rules=(rule,)))
        for line in (legacy("/%C3%A9v%c3%a9nements/7?a"), router_2("/\u00e9v\u00e9nements/7?a")):
            assert [is_connection(line) for _ in range(2)] == [True, True]
        assert not is_connection(legacy("/other"))
        assert is_connection(legacy("/other")._replace(status="101"))


def test_a_patterns_text_changes_only_where_it_has_an_escape() -> None:
    assert literal("/a%20b") == "/a b"
    assert literal("/a\x00") == "/a\x00"
    assert literal("100%") == "100%"


def cached(of_line: object) -> int:
    """How many paths it remembers."""
    cells = [cell.cell_contents for cell in of_line.__closure__]  # type: ignore[attr-defined]
    return sum(len(found) for found in cells if isinstance(found, dict))


@pytest.mark.parametrize("line_of", [legacy, router_2])
@pytest.mark.parametrize("path", ["/wp-admin/{}", "/wp%20admin/{}"])
def test_a_scanners_paths_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, path: str, line_of: Callable[[str], RouterLine]
) -> None:
    monkeypatch.setattr("app.paths.CACHED_PATHS", 3)
    asked: list[str] = []

    def of_path(decoded: str) -> str:
        asked.append(decoded)
        return decoded

    of_line = by_path(of_path)
    for number in range(10):
        line = line_of(path.format(number))
        assert of_line(line) == of_line(line) == decoded_path(line)
        assert cached(of_line) == number % 3 + 1
    assert len(asked) == 10


def test_a_path_that_is_too_long_for_the_cache_is_named_all_the_same() -> None:
    of_line = by_path(str.upper)
    for chars in (CACHED_PATH_CHARS, CACHED_PATH_CHARS + 1):
        assert of_line(legacy("/" + "a" * (chars - 1))) == "/" + "A" * (chars - 1)
    assert cached(of_line) == 1
