"""Three answers to one request: what differs beyond the noise between two of them."""

from __future__ import annotations

import gzip
import random
import secrets
import time

import pytest

from app.store.body_figures import BodyFigures
from consumers.replay.bodies.compare import Compared, Reply, compare
from consumers.replay.bodies.text import changed_regions
from tests.consumers.replay.bodies.replies import NEW, OLD, reply, shown

HTML = "text/html; charset=utf-8"


def page(price: int = 10, *, at: str = "12:00:01", nonce: str = "", seen: int = 1) -> str:
    nonce = nonce or secrets.token_urlsafe(16)
    return (
        f'<!doctype html><html><head><meta name="csrf" content="{nonce}"><title>Shop</title></head>\n<body>'
        f'<div class="price" id="p1">Request {nonce} costs {price} Euro</div>'
        f'<script nonce="{nonce}">var id="{nonce}",price=1;</script>'
        f"<p>Seen {seen} times, made at {at}</p></body>"
    )


def test_json_names_the_one_real_field_beside_a_date_and_a_nonce() -> None:
    def body(price: int) -> dict[str, object]:
        return {"at": time.time_ns(), "nonce": secrets.token_hex(8), "items": [{"price": price, "id": 1}]}

    found = compare(reply(body(10)), reply(body(10)), reply(body(12)))
    assert found == Compared({"body.items[].price"}, set(), {"body.at", "body.nonce"}, is_cut=False)


def test_html_names_the_one_element_although_a_nonce_is_on_its_line() -> None:
    found = compare(
        reply(page(10, seen=1, at="12:00:01"), HTML),
        reply(page(10, seen=2, at="12:00:02"), HTML),
        reply(page(12, seen=3, at="12:00:03"), HTML),
    )
    assert (shown(found.differing), found.noise) == ({"body.div"}, set())
    assert shown(found.noisy) == {
        "body.head.meta@content",
        "body.div",
        "body.script@nonce",
        "body.script",
        "body.p",
    }


def test_a_field_that_is_random_in_the_baseline_and_removed_in_the_target_is_found() -> None:
    one, again = ({"token": secrets.token_hex(), "a": 1} for _ in range(2))
    assert shown(compare(reply(one), reply(again), reply({"a": 1})).differing) == {"body.token (missing)"}
    assert shown(compare(reply(one), reply(again), reply({"token": 7, "a": 1})).differing) == {
        "body.token (type)"
    }


def test_html_without_an_element_that_is_random_in_the_baseline_is_found() -> None:
    one, again = (f"<p>a</p><b>{secrets.token_hex()}</b><p>c</p>" for _ in range(2))
    found = compare(reply(one, HTML), reply(again, HTML), reply("<p>a</p><p>c</p>", HTML))
    assert found.differing
    assert all(name.endswith("(elements)") for name in found.differing)


@pytest.mark.parametrize("make", [page, lambda: {"at": time.time_ns() // 1000, "id": secrets.token_hex(4)}])
def test_an_unchanged_target_with_dates_and_nonces_never_differs(make: object) -> None:
    assert callable(make)
    media_type = HTML if make is page else "application/json"
    figures = BodyFigures()
    for _ in range(500):
        found = compare(*(reply(make(), media_type) for _ in range(3)))
        figures.note(found.differing, found.noise, found.noisy)
    assert (figures.compared, figures.noisy, figures.changed) == (500, 500, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_date_that_changes_now_and_then_is_noise(seed: int) -> None:
    """Each second of such a date is seen in several answers, so many requests have no noise of their own."""
    rng, figures, now_s = random.Random(seed), BodyFigures(), 0.0
    for _ in range(500):
        times = sorted(now_s + rng.random() * 0.3 for _ in range(3))
        rng.shuffle(times)
        first, again, candidate = (reply(page(at=f"12:00:{at % 60:02.0f}", nonce="n"), HTML) for at in times)
        found = compare(first, again, candidate)
        figures.note(found.differing, found.noise, found.noisy)
        now_s += 0.25
    assert figures.differing > 5
    assert figures.changed == 0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ('<p class="a" id="b">x</p>', "<p  id='b' class=a>x</p>"),
        ("<p>x</p>\n  <p>y</p>\n", "<p>x</p><p> y </p>"),
        ("<P>x</P>", "<p>x</p>"),
        ("<p>one\ntwo</p>", "<p>one two</p>"),
        (f'<a href="{OLD}/x">', f'<a href="{NEW}/x">'),
    ],
)
def test_what_does_not_matter_in_html(one: str, two: str) -> None:
    found = compare(reply(one, HTML), reply(one, HTML), reply(two, HTML, origin=NEW))
    assert found.differing == set()


@pytest.mark.parametrize(
    ("one", "two", "name"),
    [
        ("<a href=/x>", "<a href=/y>", "body.a@href"),
        ("<a href=/x>", "<a>", "body.a@href (missing)"),
        ("<p>x</p>", "<p>x</p><p>y</p>", "body (elements)"),
        ("<div><p>x</p>", "<div><h1>x</h1>", "body.div.p (elements)"),
        ("<ul><li>a<li>b<li>c", "<ul><li>a<li>d<li>c", "body.ul.li"),
        ("a < b", "a < c", "body"),
        ("plain", "text", "body"),
    ],
)
def test_what_differs_in_html_is_named_by_its_elements(one: str, two: str, name: str) -> None:
    found = compare(reply(one, HTML), reply(one, HTML), reply(two, HTML))
    assert name in shown(found.differing)
    assert shown(found.differing) <= {name, "body.div (elements)"}


@pytest.mark.parametrize(
    ("one", "two", "names"),
    [
        (reply("{}"), reply("{}", status=500), {"status"}),
        (reply("{}"), reply("x", "text/plain"), {"header:content-type", "body (kind)"}),
        (reply("{}"), reply("{}", "application/json; charset=utf-8"), set()),
        (reply("a", "text/plain"), reply("a", "text/plain; charset=utf-8"), {"header:content-type"}),
        (reply("a", "multipart/x; boundary=1"), reply("a", "multipart/x; boundary=2"), set()),
        (reply("{}"), reply("{oops"), {"body (kind)"}),
        (reply("{oops a"), reply("{oops b"), {"body"}),
        (reply(b"\xff\x00", "image/png"), reply(b"\xff\x01", "image/png"), {"body"}),
        (reply(b"\xff\x00", "image/png"), reply(b"\xff\x00", "image/png"), set()),
        (reply("x", method="HEAD"), reply("y", method="HEAD"), set()),
        (reply("x", status=304), reply("y", status=304), set()),
        (reply("{}"), reply(gzip.compress(b"{}"), head="Content-Encoding: gzip\r\n"), set()),
        (reply("a b", "text/plain"), reply("a  b\n", "text/plain"), set()),
    ],
)
def test_status_type_and_body(one: Reply, two: Reply, names: set[str]) -> None:
    assert shown(compare(one, one, two).differing) == names


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        (f"{OLD}/a?b=1", f"{NEW}/a?b=1", False),
        ("/shop/a", "a", False),
        (f"{OLD}/a", "/a", False),
        (f"{OLD}", f"{NEW}/", False),
        ("https://login.example.com/", "https://login.example.com/", False),
        (f"{OLD}/a", f"{OLD}/a", True),
        (f"{OLD}.evil.test/a", f"{NEW}.evil.test/a", True),
        ("/a", "/b", True),
        ("http://[", "/b", True),
    ],
)
def test_a_redirect_is_compared_as_it_would_be_followed(old: str, new: str, differs: bool) -> None:
    one, two = (
        reply(status=302, head=f"Location: {old}\r\n"),
        reply(status=302, head=f"Location: {new}\r\n", origin=NEW),
    )
    assert shown(compare(one, one, two).differing) == ({"header:location"} if differs else set())


def test_a_base_path_of_the_target_makes_no_difference() -> None:
    origin = f"{NEW}/v2"
    one = reply(f'{{"self": "{OLD}/items", "home": "{OLD}"}}', head="Location: /cart\r\n")
    two = reply(
        f'{{"self": "{NEW}/v2/items", "home": "{NEW}"}}', head="Location: /v2/cart\r\n", origin=origin
    )
    assert shown(compare(one, one, two).differing) == set()


def test_a_nonce_in_a_redirect_is_noise_and_hides_nothing_else() -> None:
    def to(place: str) -> Reply:
        return reply(status=302, head=f"Location: {place}?state={secrets.token_hex(8)}\r\n")

    assert shown(compare(to("/in"), to("/in"), to("/in")).differing) == set()
    assert shown(compare(to("/in"), to("/in"), to("/out")).differing) == {"header:location"}


def test_what_the_baselines_second_answer_cannot_tell_is_no_change() -> None:
    """It failed, or its list was shorter: nothing is known about the noise there."""
    one, other = reply({"a": 1, "list": [1, 2, 3]}), reply({"a": 2, "list": [1, 2, 4]})
    found = compare(one, reply("down", "text/plain", status=503), other)
    assert (found.differing, found.noisy, found.is_unsteady) == (set(), {"status"}, True)
    assert shown(compare(one, reply({"list": [1, 2]}), other).differing) == set()


def test_ends_of_answers_that_are_cut_are_not_compared() -> None:
    text = " ".join(f"word{number}" for number in range(2_000))
    one, two = (reply(text[:length], "text/plain", is_cut=True) for length in (5_000, 5_003))
    found = compare(one, one, two)
    assert found == Compared(set(), set(), set(), is_cut=True)
    changed = reply(text[:5_003].replace("word7 ", "word8 "), "text/plain", is_cut=True)
    assert shown(compare(one, two, changed).differing) == {"body"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("<a>" * 80_000, "<b>" * 80_000),
        ('<a b="' * 30_000, "<a c='\"" * 30_000),
        ("<a " + 'b="c" ' * 40_000 + ">", "<a " + "b='d' x=\"" * 20_000),
        ("".join(f"<p>{n}" for n in range(30_000)), "".join(f"<p>{n}" for n in range(1, 30_001))),
        (" ".join(map(str, range(40_000))), " ".join(map(str, range(40_000, 0, -1)))),
    ],
)
def test_hostile_pages_are_compared_in_bounded_time(one: str, two: str) -> None:
    started_s = time.process_time()
    compare(reply(one, HTML), reply(two, HTML), reply(two + "x", HTML))
    assert time.process_time() - started_s < 3


def test_pieces_that_have_moved_are_aligned() -> None:
    one = ["a", "b", "c", "d", "e", "f"]
    assert list(changed_regions(one, ["a", "x", "b", "c", "d", "f"])) == [(1, 1, 1, 2), (4, 5, 5, 5)]
    assert list(changed_regions(one, one)) == []
    assert list(changed_regions(one, ["a", "b", "x", "d", "e", "f"])) == [(2, 3, 2, 3)]
    assert list(changed_regions([], ["a"])) == [(0, 0, 0, 1)]


def test_a_few_requests_suffice_for_a_change_beside_a_nonce_in_the_same_element() -> None:
    figures = BodyFigures()
    for _ in range(3):
        found = compare(reply(page(10), HTML), reply(page(10), HTML), reply(page(12), HTML))
        figures.note(found.differing, found.noise, found.noisy)
    assert (figures.compared, figures.changed, figures.keys) == (3, 3, {"body.div": 3})


def test_a_few_requests_suffice_for_a_change_beside_a_nonce_in_plain_text() -> None:
    figures = BodyFigures()
    for _ in range(3):
        texts = [f"id {secrets.token_hex(8)}\nprice {price}\n" for price in (1, 1, 2)]
        found = compare(*(reply(text, "text/plain") for text in texts))
        figures.note(found.differing, found.noise, found.noisy)
    assert (figures.compared, figures.changed, figures.keys) == (3, 3, {"body": 3})
