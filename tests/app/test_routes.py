"""Routes: which paths share a row."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadSettings
from app.routes import compile_rules, route_namer, template
from app.settings import Settings
from app.templates import MAX_ROUTE_CHARS
from tests.app.router_lines import legacy, router_2

HEROKUS_LONGEST_PATH = 8_192
"""Bytes of a request line that Heroku's router takes."""


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("", ""),
        ("/foo", "/foo"),
        ("/users/42", "/users/:id"),
        ("/users/77/", "/users/:id/"),
        ("/users/42.json", "/users/:id.json"),
        ("/users/42/posts/7", "/users/:id/posts/:id"),
        ("/posts/42-how-to-drain", "/posts/:id"),
        ("/orders/8601b555-6a83-4c12-8269-97c8e32cdb22", "/orders/:uuid"),
        ("/orders/8601B555-6A83-4C12-8269-97C8E32CDB22.pdf", "/orders/:uuid.pdf"),
        ("/commit/9f86d081884c7d659a2feaa0c55ad015", "/commit/:hex"),
        ("/commit/deadbeef1", "/commit/:hex"),
        ("/reports/2026-11-23", "/reports/:date"),
        ("/reports/2026-11", "/reports/:date"),
        ("/reset/aZ8kQ2mPx7Lw93RtYbVnC", "/reset/:token"),
        ("/assets/application-9f86d081884c7d659a2feaa0c55ad015.css", "/assets/:token.css"),
        ("/v1/users", "/v1/users"),
        ("/api/v2/items/9", "/api/v2/items/:id"),
        ("/oauth2/callback", "/oauth2/callback"),
        ("/facade", "/facade"),
        ("/deadbeef", "/deadbeef"),
        ("/a-long-name-that-is-only-words-with-dashes", "/a-long-name-that-is-only-words-with-dashes"),
        ("//users//42", "//users//:id"),
        ("/%2e%2e/etc", "/%2e%2e/etc"),
    ],
)
def test_ids_become_templates_and_names_stay(path: str, route: str) -> None:
    assert template(path) == route


def test_the_users_own_rules_come_first_and_the_first_match_wins() -> None:
    rules = compile_rules(["/users/me", "/users/:name", "/files/*path", "/:locale/shop.:format"])
    assert template("/users/me", rules) == "/users/me"
    assert template("/users/ada", rules) == "/users/:name"
    assert template("/users/ada/posts/1", rules) == "/users/ada/posts/:id"
    assert template("/files/a/b/c.txt", rules) == "/files/*path"
    assert template("/de/shop.html", rules) == "/:locale/shop.:format"


def test_every_rule_that_is_none_is_named() -> None:
    with pytest.raises(BadSettings) as caught:
        compile_rules(["users/:id", "/a/*rest/b", "/fine"])
    assert len(caught.value.faults) == 2


def test_raw_mode_keeps_paths_as_they_are() -> None:
    route_of = route_namer(Settings(route_templates="raw"))
    for path in ("/users/42", "/caf%C3%A9", "/caf\u00e9", "/a%2fb", "/x\x1b"):
        for line in (legacy(path + "?q=1"), router_2(path + "?q=1")):
            assert route_of(line) == path
    assert route_of(legacy("/a\udcff?q=\udcff")) == "/a\ufffd"


def test_the_namer_knows_the_users_rules() -> None:
    route_of = route_namer(Settings(route_rules=("/users/:name",)))
    assert [route_of(legacy(path)) for path in ("/users/ada", "/users/ada", "/posts/7")] == [
        *("/users/:name", "/users/:name"),
        "/posts/:id",
    ]


@pytest.mark.parametrize("rule", ["/caf\u00e9 a/:name", "/caf%C3%A9%20a/:name", "/caf%c3%a9 a/:name"])
def test_a_rule_fits_the_decoded_path_however_it_is_written(rule: str) -> None:
    route_of = route_namer(Settings(route_rules=(rule,)))
    sent = ("/caf%C3%A9%20a/x", "/caf%c3%a9%20a/%C3%A9", "/caf%C3%A9 a/x")
    for line in (*map(legacy, sent), router_2("/caf\u00e9 a/x")):
        assert route_of(line) == rule


def test_a_rules_own_escapes_are_text_and_none_of_its_syntax() -> None:
    route_of = route_namer(Settings(route_rules=("/a%2Fb/:x", "/t%3A:x", "/%2Ay", "/100%/:x")))
    for path, route in {
        "/a%2fb/1": "/a%2Fb/:x",
        "/a/b/1": "/a/b/:id",
        "/t:y": "/t%3A:x",
        "/%2Ay": "/%2Ay",
        "/z": "/z",
        "/100%/1": "/100%/:x",
        "/100%25/1": "/100%/:x",
    }.items():
        assert route_of(legacy(path)) == route


def test_a_route_of_the_longest_length_stays_and_a_longer_one_is_cut() -> None:
    longest = "/" + "x/" * 99 + "y"
    assert len(longest) == MAX_ROUTE_CHARS
    assert template(longest) == longest
    assert template(longest + "z") == longest + "..."
    assert template("/" + "x/" * 4_000) == longest[:-1] + "x..."


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("users/:id", "routes: 'users/:id' must start with /"),
        ("", "routes: '' must start with /"),
        ("*rest", "routes: '*rest' must start with /"),
        ("/a/*rest/b", "routes: '/a/*rest/b' may have a *rest only at its end"),
    ],
)
def test_a_rule_that_is_none_is_shown_with_its_fault(pattern: str, fault: str) -> None:
    with pytest.raises(BadSettings) as caught:
        compile_rules([pattern, "/fine"])
    assert caught.value.faults == [fault]


def test_names_are_in_capitals_too_and_the_last_of_a_segment_may_be_long() -> None:
    assert matches("/:A/:b", "/x/y")
    assert not matches("/:A/:b", "/:A/")
    assert matches("/:a-:b", "/x-yz")


def matches(pattern: str, path: str) -> bool:
    ((regex, _),) = compile_rules([pattern])
    return regex.fullmatch(path) is not None


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("/posts/:year-:month-:day", "/posts/2026-11-23", "/posts/2026-11"),
        ("/posts/:year-:month-:day", "/posts/2026-11-23-x", "/posts/2026--11"),
        ("/posts/:year-:month-:day", "/posts/-----", "/posts/----"),
        ("/:id.:format", "/a.b.c", "/a."),
        ("/:id.json", "/a.json.json", "/.json"),
        ("/:a-:b-x", "/q--x-x", "/q--x"),
        ("/:a:b", "/xy", "/x"),
        ("/:a/x", "/a/x", "/a/b/x"),
        ("/files/*rest", "/files/a/b", "/files"),
        ("/files/*rest", "/files/", "/file/"),
    ],
)
def test_a_name_is_one_character_or_more_and_no_slash(pattern: str, matching: str, other: str) -> None:
    assert matches(pattern, matching)
    assert not matches(pattern, other)


def with_backtracking(pattern: str) -> str:
    """The regular expression that patterns once were, and that says what they mean."""

    def segment(text: str) -> str:
        parts = re.split(r"(:[A-Za-z_]\w*)", text)
        return "".join("[^/]+?" if part.startswith(":") else re.escape(part) for part in parts)

    return "/".join(".*" if text.startswith("*") else segment(text) for text in pattern.split("/"))


pieces = st.lists(st.sampled_from([":a", ":b", "-", ".", "x", "-x", "xx", ".-"]), max_size=5).map("".join)


@given(
    st.lists(pieces, min_size=1, max_size=3),
    st.sampled_from(["", "/*rest"]),
    st.text("-.x/", max_size=12),
)
def test_a_pattern_matches_what_its_plain_regular_expression_matches(
    segments: list[str], rest: str, path: str
) -> None:
    pattern = "/" + "/".join(segments) + rest
    assert matches(pattern, "/" + path) == (re.fullmatch(with_backtracking(pattern), "/" + path) is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "/posts/:year-:month-:day",
        "/posts/:a.:b.:c/:d.:e.:f",
        "/posts/:a:b:c:d",
        "/posts/:a-:b-:c-x",
        "/posts/" + "-".join(f":name{number}" for number in range(30)),
    ],
)
@pytest.mark.parametrize("unit", ["-", ".", "a", "-a", "-x", "1", "%2d"])
@pytest.mark.parametrize("end", ["", "/", "!"])
def test_no_path_holds_a_pattern_up(pattern: str, unit: str, end: str) -> None:
    path = "/posts/" + unit * (HEROKUS_LONGEST_PATH // len(unit)) + end
    started = time.process_time()
    matches(pattern, path)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "unit", ["-", ".", "a", "0", "a0", "0-", "a.", ".a", "0123-", "T", "2026-11-23T", "/", "/0"]
)
@pytest.mark.parametrize("end", ["", "/", "!", ".json"])
def test_no_path_holds_the_automatic_templates_up(unit: str, end: str) -> None:
    path = "/" + unit * (HEROKUS_LONGEST_PATH // len(unit)) + end
    started = time.process_time()
    template(path)
    assert time.process_time() - started < 1
