"""What a table of routes teaches: rare children of one parent are one template, and busy ones stay."""

from __future__ import annotations

import random

import pytest

from app.learned_names import beginnings, learned_name
from consumers.metrics.learning import (
    CHILDREN_MAX,
    FEW_REQUESTS,
    TOP_CHILDREN_MAX,
    learn,
)


def slugs(count: int, parent: str = "/blog", requests: int = 2, tail: str = "") -> dict[str, int]:
    return {f"{parent}/a-post-about-{number}-things{tail}": requests for number in range(count)}


def test_more_rare_children_than_a_person_reads_become_one_template() -> None:
    posts = slugs(CHILDREN_MAX)
    learned = learn(posts | {"/blog": 900, "/about": 3})
    assert learned.templates == {"/blog/:name"}
    assert learned.merged == dict.fromkeys(posts, "/blog/:name")


def test_one_child_fewer_keeps_them_all() -> None:
    assert learn(slugs(CHILDREN_MAX - 1)).merged == {}


def test_a_busy_child_keeps_its_row() -> None:
    learned = learn(slugs(60) | {"/blog/popular": 5_000, "/blog/archive": 2 * FEW_REQUESTS})
    assert learned.templates == {"/blog/:name"}
    assert not {"/blog/popular", "/blog/archive"} & learned.merged.keys()


def test_what_is_rare_depends_on_the_parents_traffic() -> None:
    busy = slugs(300, requests=400)
    assert set(learn(busy).merged.values()) == {"/blog/:name"}
    assert learn(slugs(100, requests=400)).merged == {}


def test_the_top_takes_more_children() -> None:
    assert learn(slugs(TOP_CHILDREN_MAX - 1, parent="")).merged == {}
    assert learn(slugs(TOP_CHILDREN_MAX, parent="")).templates == {"/:name"}


def test_what_follows_a_merged_segment_stays() -> None:
    learned = learn(slugs(60, tail="/comments") | slugs(10) | {"/blog/a-post-about-1-things/edit": 1})
    assert learned.templates == {"/blog/:name"}
    assert set(learned.merged.values()) == {"/blog/:name", "/blog/:name/comments", "/blog/:name/edit"}


def test_templates_are_learned_below_merged_segments_too() -> None:
    repositories = {f"/users/u{user}-x/r{user}{number}-y": 1 for user in range(60) for number in range(3)}
    assert learn(repositories).templates == {"/users/:name", "/users/:name/:name"}
    same = {f"/users/u{user}-x/{view}": 1 for user in range(60) for view in ("edit", "posts")}
    assert set(learn(same).merged.values()) == {"/users/:name/edit", "/users/:name/posts"}


def test_ids_and_empty_segments_are_no_names() -> None:
    ids = {f"/a/:id/{kind}": 1 for kind in "abc"} | {"/a/": 1, "/a/:uuid": 1}
    learned = learn(ids | slugs(50, parent="/a"))
    assert learned.templates == {"/a/:name"}
    assert not ids.keys() & learned.merged.keys()


def test_a_known_template_takes_in_a_single_rare_child_at_once() -> None:
    rows = {"/blog/:name": 4_000, "/blog/new-one": 3, "/blog/popular": 900}
    assert learn(rows, known=["/blog/:name"]).merged == {"/blog/new-one": "/blog/:name"}


def test_kept_routes_and_their_parents_stay() -> None:
    learned = learn(
        slugs(60) | {"/blog/archive": 1, "/blog/draft/edit": 1}, kept=["/blog/archive", "/blog/draft/edit"]
    )
    assert len(learned.merged) == 60
    assert not {"/blog/archive", "/blog/draft/edit"} & learned.merged.keys()


def test_a_forgotten_template_is_not_learned_again() -> None:
    assert learn(slugs(500), forgotten=["/blog/:name"]).merged == {}


def test_rows_that_stand_for_many_are_not_looked_at() -> None:
    assert learn({"(other)": 4, "(not found)": 5} | slugs(50)).merged.keys() == slugs(50).keys()


@pytest.mark.parametrize(
    ("route", "named"),
    [
        ("/blog/unseen", "/blog/:name"),
        ("/blog/unseen/comments/:id", "/blog/:name/comments/:id"),
        ("/blog/popular", "/blog/popular"),
        ("/blog/popular/print", "/blog/popular/print"),
        ("/blog/:id", "/blog/:id"),
        ("/blog/", "/blog/"),
        ("/blog", "/blog"),
        ("/shop/unseen", "/shop/unseen"),
        ("/u/one/two", "/u/:name/:name"),
    ],
)
def test_a_route_is_named_by_the_templates_unless_it_begins_as_one_with_a_row(route: str, named: str) -> None:
    templates = {"/blog/:name", "/u/:name", "/u/:name/:name"}
    assert learned_name(route, templates, beginnings(["/blog/popular", "/blog/:name", "/about"])) == named


def test_what_is_learned_names_every_merged_route_alike() -> None:
    chance = random.Random(3)
    words = [f"word{number}-x" for number in range(80)]
    rows = {
        "/".join(["", *chance.choices(words, k=chance.randint(1, 3))]): chance.randint(1, 40)
        for _ in range(4_000)
    }
    learned = learn(rows)
    left = rows.keys() - learned.merged.keys()
    named = {route: learned_name(route, learned.templates, beginnings(left)) for route in learned.merged}
    assert named == learned.merged


def test_learning_takes_time_in_proportion_to_the_table() -> None:
    deep = {"/" + "/".join(["a"] * 99) + f"/x{number}-y": 1 for number in range(2_000)}
    (template,) = learn(deep).templates
    assert template == "/" + "/".join(["a"] * 99) + "/:name"


@pytest.mark.parametrize("route", ["*", "http://shop.example.com/cart", "users/7"])
def test_a_route_that_is_no_path_keeps_its_name(route: str) -> None:
    """`OPTIONS *`, and what proxies ask for."""
    assert learned_name(route, {"/:name", "/a/:name"}, ()) == route
