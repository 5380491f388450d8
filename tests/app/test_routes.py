"""Routes: which paths share a row."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.errors import BadSettings
from app.routes import CACHED_PATHS, MAX_ROUTE_CHARS, compile_rules, route_namer, template


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
    assert route_of("/users/42") == "/users/42"


def test_a_scanners_paths_do_not_fill_the_memory() -> None:
    route_of = route_namer(Settings())
    for number in range(CACHED_PATHS + 10):
        route_of(f"/wp-{number:x}x/admin")
    known = route_of.__closure__
    assert known is not None
    sizes = [len(cell.cell_contents) for cell in known if isinstance(cell.cell_contents, dict)]
    assert sizes == [10]


def test_an_endless_path_is_cut() -> None:
    assert len(template("/" + "x/" * 4_000)) <= MAX_ROUTE_CHARS + 3
