"""Automatic templates: what is one row, what stays a row of its own, and what a hostile path costs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import email_addresses, identifiers, templates, words
from app.routes import route_namer, template
from app.settings import Settings
from tests.app.path_families import Family, families, names_that_stay
from tests.app.router_lines import legacy, router_2


@pytest.mark.parametrize("family", families(), ids=lambda family: family.form)
def test_a_familys_paths_are_one_row(family: Family) -> None:
    rows = Counter(map(template, family.paths()))
    assert len(rows) <= family.rows_max, rows
    # The others are rare.
    assert max(rows.values()) > 100 - 2 * family.rows_max
    assert all(":" in row or ";" in family.form for row, count in rows.items() if count > 1), rows


def test_there_are_enough_families_and_each_is_many_paths() -> None:
    assert len(families()) >= 80
    assert len({family.form for family in families()}) == len(families())
    for family in families():
        assert len(set(family.paths())) > 4, family.form


@pytest.mark.parametrize("name", names_that_stay())
def test_a_name_stays(name: str) -> None:
    assert template(name) == name


def test_no_two_names_fall_together() -> None:
    names = names_that_stay()
    assert len(set(map(template, names))) == len(set(names)) == len(names) >= 60


@pytest.mark.parametrize(
    ("path", "route"),
    [
        # What a server may answer differently stays apart.
        ("/users/1", "/users/:id"),
        ("/users/2/", "/users/:id/"),
        ("//users/3", "//users/:id"),
        ("/Users/4", "/Users/:id"),
        ("/users/5.json", "/users/:id.json"),
        ("/users/6.JSON", "/users/:id.JSON"),
        # The same number is a page, a user, a status.
        ("/404", "/404"),
        ("/users/404", "/users/:id"),
        ("/404/users", "/:id/users"),
        ("/499", "/:id"),
        ("/de/500", "/de/500"),
        ("/errors/404/", "/errors/404/"),
        # Versions and decimals.
        ("/api/1.1/users", "/api/1.1/users"),
        ("/2.0/repositories", "/2.0/repositories"),
        ("/12.5", "/:id"),
        ("/price/12.5/eur", "/price/:id/eur"),
        ("/soap/1.2/envelope", "/soap/1.2/envelope"),
        ("/52.52/13.40", "/:id/:id"),
        # Years.
        ("/report-2024", "/report-2024"),
        ("/report-2024-05", "/:token"),
        ("/report-9024", "/:token"),
        # E-mail addresses, versions, sizes.
        ("/u/a@b", "/u/:email"),
        ("/u/a%40b", "/u/:email"),
        ("/u/a@b.csv", "/u/:email.csv"),
        ("/u/a@b@c", "/u/a@b@c"),
        ("/u/@b", "/u/@b"),
        ("/u/a@", "/u/a@"),
        ("/u/a@.b", "/u/a@.b"),
        ("/npm/vue@3.2.1/dist", "/npm/vue@3.2.1/dist"),
        ("/u/bob@163.com", "/u/:email"),
        # Parameters.
        ("/a;jsessionid=1/b;v=2", "/a/b"),
        ("/42;v=2", "/:id"),
        ("/;v=2", "/"),
        ("/a;b", "/a;b"),
        # SockJS only where it is.
        ("/123/abcdefgh/websocket", "/:server/:session/websocket"),
        ("/x/123/a.b/websocket", "/x/:id/a.b/websocket"),
        ("/x/abc/abcdefgh/websocket", "/x/abc/abcdefgh/websocket"),
        ("/x/123/abcdefgh/websocket/more", "/x/:id/abcdefgh/websocket/more"),
        ("/123//xhr", "/:id//xhr"),
        ("/sockjs/iframe.html", "/sockjs/iframe.html"),
        # Parts.
        ("/v1/items/42:cancel", "/v1/items/:id:cancel"),
        ("/v1/items:search", "/v1/items:search"),
        ("/t/game:12:players", "/t/:token"),
        ("/odata/Users(42).json", "/odata/Users(:id).json"),
        ("/odata/Users(1,2)", "/odata/Users(:list)"),
        ("/odata/Users('o''brien')", "/odata/Users(:id)"),
        ("/f/(draft)", "/f/(draft)"),
        ("/f/page=a", "/f/page=a"),
        ("/f/page=2", "/f/page=:id"),
        ("/ip/::1", "/ip/:ip"),
        ("/at/12:30:00", "/at/:id"),
        ("/cisco/0123.4567.89ab", "/cisco/:mac"),
        ("/e/0", "/e/:id"),
        # Extensions.
        ("/f/42.tar.gz", "/f/:id.tar.gz"),
        ("/f/42.min.js.map", "/f/:id.min.js.map"),
        ("/f/42.m3u8", "/f/:id.m3u8"),
        ("/f/.42", "/f/:id"),
        ("/f/a-slug-with-12-words.html", "/f/:token.html"),
        # What was not read is not a number.
        ("/\u0664\u0662", "/:id"),
        ("/-", "/-"),
        ("/+", "/+"),
        ("/'", "/'"),
        ("/()", "/()"),
        ("/a()", "/a()"),
        ("/=", "/="),
        ("/:", "/:"),
        ("/@", "/@"),
        ("/;", "/;"),
        ("/%2F", "/%2F"),
        ("/...", "/..."),
    ],
)
def test_what_is_ambiguous_is_decided(path: str, route: str) -> None:
    assert template(path) == route


def test_a_path_is_templated_after_it_is_decoded() -> None:
    route_of = route_namer(Settings())
    lines = {
        "/u/:email": (legacy("/u/a%40b.org"), legacy("/u/a@b.org"), router_2("/u/a@b.org")),
        "/login": (legacy("/login%3Bjsessionid=1F"), router_2("/login;jsessionid=1F")),
        "/calls/:id": (legacy("/calls/%2B49%2036"), router_2("/calls/+49 36")),
        "/things/:uuid": (legacy("/things/%7B8601b555-6a83-4c12-8269-97c8e32cdb22%7D"),),
    }
    for route, some in lines.items():
        assert {route_of(line) for line in some} == {route}


@given(st.text(max_size=40), st.text("aZ09-_.:;,@=()'%2F{}x ", max_size=40))
def test_a_template_has_as_many_segments_as_its_path(text: str, odd: str) -> None:
    for path in ("/" + text, "/" + odd, f"/{text}/{odd}"):
        named = template(path)
        assert named.count("/") == path.count("/")
        assert template(path) == named


# --- what a hostile path costs ----------------------------------------------------------------

UNITS = (
    *("-", ".", "a", "0", "a0", "0-", "a.", ".a", "0123-", "T", "2026-11-23T", "/", "/0", "/a0", "/a1b2c3"),
    *(",", "1,", "a1,", "1:", ":", "::", "a=", "=1", "a=1;", ";a=1", "(", "a(", "a(1", "'", "{", "@", "%40"),
    *(
        "A",
        "Aa",
        "aB",
        "aB3",
        "\u00e91",
        "_",
        "x",
        "1x1",
        "1x1-",
        "ab:",
        "%2F",
        "%",
        "v1",
        "/1.",
        "1.1.",
        " ",
    ),
    *("/room-1", "/;a=1", "/a-1-b-2-c-3", "/1,2,3,4,5", "/" + "aB3-" * 49, "/" + "a1," * 66, "a@b."),
    *("\U0001f680", "\u00e91", "/" + "\u00e9" * 199),
)
ENDS = ("", "/", "!", ".json", "/websocket", "@b.c")
LOOKED_AT_CHARS = 300_000
"""What functions of one segment were given in sum, whatever the path; 8 KB of it are at most 40 segments."""


@pytest.mark.parametrize("unit", UNITS)
def test_a_path_of_64_kb_is_looked_at_no_longer_than_one_of_8_kb(
    monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    looked_at: Counter[int] = Counter()
    longest = 0
    for module, name in (
        (templates, "_kind_of_whole"),
        (templates, "_kind_of_parts"),
        (templates, "id_kind"),
        (identifiers, "is_random"),
        (identifiers, "_meaning"),
    ):
        whole = getattr(module, name)

        def counted(text: str, whole: Any = whole) -> Any:
            nonlocal longest
            looked_at[size] += len(text)
            longest = max(longest, len(text))
            return whole(text)

        monkeypatch.setattr(module, name, counted)
    for end in ENDS:
        looked_at.clear()
        for size in (8_192, 65_536):
            template("/" + unit * (size // len(unit)) + end)
        assert looked_at[65_536] <= looked_at[8_192] <= LOOKED_AT_CHARS, (unit, end)
        assert longest <= templates.MAX_SEGMENT_CHARS


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in (templates, identifiers, words, email_addresses):
        for name, found in vars(module).items():
            if isinstance(found, re.Pattern):
                yield f"{module.__name__}.{name}", found


def backtracking_repeats(parsed: Any) -> Iterator[int]:
    """The most that each repeat may take of what it can give back again."""
    if isinstance(parsed, tuple) and len(parsed) == 2 and parsed[0] in _REPEATS:
        yield int(parsed[1][1])
    if isinstance(parsed, tuple | list | _parser.SubPattern):
        for inner in parsed:
            yield from backtracking_repeats(inner)


_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


@pytest.mark.parametrize("name", [name for name, _ in patterns()])
def test_no_pattern_gives_back_more_than_a_few_characters(name: str) -> None:
    """So none of them can take more than linear time: everything without a small bound is possessive."""
    pattern = dict(patterns())[name]
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    assert max(backtracking_repeats(parsed), default=0) <= 40, name


def test_a_long_segment_is_no_name() -> None:
    for text, kind in (("1", ":id"), ("a1", ":hex"), ("x", ":token"), ("a b", ":token")):
        assert template("/f/" + text * 201) == f"/f/{kind}"
    assert template("/f/" + "x" * 200)[:100] == "/f/" + "x" * 97


def test_what_stands_after_the_end_of_a_name_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def segment(text: str, segments: list[str], at: int) -> str:
        seen.append(text)
        return text and ":x"

    monkeypatch.setattr(templates, "_segment", segment)
    assert template("/1" * 4_000) == ("/:x" * 100)[:200] + "..."
    assert len(seen) < 100
