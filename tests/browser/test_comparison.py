"""The view of a comparison: the verdict that is read in two seconds, and what it rests on."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import redis
from selenium.webdriver.support.ui import Select

from app.comparison.result import Comparison
from app.platform.facts import Event
from app.store.keys import digest
from servers.figures import SeenRequest, fill, fill_facts
from tests.browser import releases
from tests.browser.conftest import PHONE, Page, Site
from tests.browser.releases import comparison, events, figure, release, route, slower_checkout
from tests.browser.traffic import report_worker

pytestmark = pytest.mark.browser

SHOWN = "#comparison .verdict-text"
ROUTES = "#comparison section[aria-label='Routes before and after']"


@pytest.fixture
def compared(site: Site) -> Callable[[Comparison], list[dict[str, str]]]:
    """Makes the API answer with this comparison; gives the list of what it is asked."""
    asked: list[dict[str, str]] = []

    def answer(found: Comparison) -> list[dict[str, str]]:
        def note(arguments: Mapping[str, str]) -> Comparison:
            asked.append(dict(arguments))
            return found

        site.answers["/api/compare"] = note
        return asked

    made = [release(42, 2_400, commit="9154a1d2"), release(41, 9_000), release(40, 90_000, "rollback")]
    site.answers["/api/events"] = lambda arguments: events(made)
    return answer


def open_comparison(page: Page, fragment: str = "#/compare/v42?app=shop&window=1h", **look: object) -> None:
    page.open(fragment, **look)  # type: ignore[arg-type]
    page.wait_for(lambda: page.is_shown(SHOWN), "the verdict")


def test_the_verdict_names_the_route_and_how_much_worse_it_is(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    asked = compared(releases.worse())
    open_comparison(page)
    assert asked[0] == {"app": "shop", "release": "42", "window": "15m"}
    assert page.text("#comparison .verdict-word").strip() == "✗ worse"
    assert page.text(".verdict-sentence") == "v42 made p95 of /checkout 35 % worse (28 to 44 %)."
    page.shot("comparison")
    assert page.texts("#comparison .verdict-text > p")[1:] == [
        "1 other route is better.",
        "All routes together: p95 80 ms → 81 ms, +1.3 % (\u22125 to +8 %).",
    ]
    rows = page.texts(f"{ROUTES} tbody th > :first-child")
    assert rows == ["All routes", "/checkout", "/cart", "/"], "worse ones first"
    cell = f"{ROUTES} tbody tr:nth-child(2)"
    assert page.texts(f"{cell} [data-figure=p95] > span") == ["420 ms → 567 ms", "+35 % (+28 to +44), worse"]
    assert page.texts(f"{cell} [data-figure=errors] > span") == [
        "0.40 % → 0.50 %",
        "+0.1 pts (\u22120.2 to +0.4)",
    ]
    assert page.texts(f"{cell} .compared-word") == ["✗ worse"]
    assert not page.all("[data-figure=aborted]"), "a column in which nothing is"
    assert page.texts(".comparison-sides dt")[:3] == ["Before", "After", "Left out"]
    assert page.texts(".comparison-sides dd")[2] == ("the 40 s in between, with the switch-over to new dynos")
    assert page.texts(".comparison-warnings li") == [
        "The rate changed by 48 %: the time of day may explain a difference.",
        "v41 came so close to v42 that there is nothing in between: this is what both changed.",
    ]
    assert "; the 3 least used are left out" in page.text("#comparison .toolbar .fine")
    assert page.driver.title == "worse · v42 · shop · Tailrace"
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    assert page.run(
        "const own = document.querySelector('.compared-sheet'); return own.scrollWidth <= own.clientWidth"
    ), "it fits"
    page.wait_for(lambda: len(page.all("#comparison .plot canvas")) == 3, "plots of both spans")
    assert page.texts("#comparison figure:first-child .mark-label") == ["v42 9154a1d2"]
    bands = page.run(
        "return [...document.querySelectorAll('#comparison figure:first-child .band')]"
        ".map((one) => one.clientWidth)"
    )
    assert len(bands) == 2
    assert bands[0] == pytest.approx(bands[1], abs=6)
    page.one(".comparison-yesterday summary").click()
    assert page.text(".comparison-yesterday summary") == "The same times a day earlier: no difference shown"
    assert page.is_shown(".comparison-yesterday table")
    page.shot("comparison")
    assert page.complaints() == []


def test_a_comparison_leads_to_the_route_and_to_both_spans(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    found = releases.worse()
    compared(found)
    open_comparison(page)
    assert found.after is not None
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.after.from_s))
    in_sentence = page.one(".verdict-sentence a").get_attribute("href") or ""
    assert f"#/routes/{digest('/checkout')}?app=shop&from={iso}&to=" in in_sentence
    links = [one.get_attribute("href") or "" for one in page.all("#comparison tbody tr:nth-child(2) a")]
    assert all(f"#/routes/{digest('/checkout')}?app=shop&from=" in link for link in links[:2])
    assert links[0] != links[1]
    page.one(".comparison-sides dd:nth-of-type(2) a").click()
    page.wait_for(lambda: page.fragment().startswith(f"#/?app=shop&from={iso}"), "the span after")
    page.wait_for(lambda: page.is_shown("#figures"), "its figures")
    page.driver.back()
    page.wait_for(lambda: page.is_shown(SHOWN), "the comparison again")
    assert page.fragment() == "#/compare/v42?app=shop&window=1h"


def test_another_release_another_length_and_two_spans_can_be_chosen(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    asked = compared(releases.worse())
    open_comparison(page)
    page.wait_for(lambda: len(page.all("#comparison-release option")) == 3, "the releases")
    Select(page.one("#comparison-length")).select_by_value("1h")
    page.wait_for(lambda: asked[-1] == {"app": "shop", "release": "42", "window": "1h"}, "the length")
    option = page.texts("#comparison-release option")[1]
    assert option.startswith("v41: deploy 0000029a · ")
    Select(page.one("#comparison-release")).select_by_visible_text(option)
    page.wait_for(lambda: asked[-1]["release"] == "41", "the release")
    assert page.fragment() == "#/compare/v41?app=shop&window=1h&length=1h"
    page.one(".spans summary").click()
    for name, text in (("from", "2h"), ("to", "1h"), ("with-from", "1h"), ("with-to", "nonsense")):
        page.one(f"#spans-{name}").send_keys(text)
    page.one(".spans button").click()
    assert page.text("#spans-wrong").startswith("After: “nonsense” is not a time.")
    page.run("document.getElementById('spans-with-to').value = 'now'")
    page.one(".spans button").click()
    page.wait_for(lambda: set(asked[-1]) == {"app", "from", "to", "with_from", "with_to"}, "the spans")
    assert int(asked[-1]["to"]) - int(asked[-1]["from"]) == pytest.approx(3_600, abs=10)
    assert int(asked[-1]["with_from"]) >= int(asked[-1]["to"]) - 10
    assert page.text("#comparison h1") == "Two spans compared"
    assert "with_from=20" in page.fragment()
    page.driver.refresh()
    page.wait_for(lambda: page.is_shown(SHOWN), "the same comparison")
    page.wait_for(lambda: page.text(".verdict-sentence").startswith("P95 of /checkout"), "without a release")


def test_without_a_release_the_address_becomes_that_of_the_latest(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    asked = compared(releases.worse())
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown("#figures"), "traffic")
    page.one("#to-comparison").click()
    page.wait_for(lambda: page.is_shown(SHOWN), "the verdict")
    assert page.fragment() == "#/compare/v42?app=shop&window=1h&length=15m"
    assert asked[-1]["release"] == "42"
    assert page.one("#to-comparison").get_attribute("aria-current") == "page"
    page.driver.back()
    page.wait_for(lambda: page.is_shown("#figures"), "one step back, not two")
    # An address that a pipeline writes.
    page.driver.get(f"{page.site.url}/?compare=v41&app=shop&window=30m")
    page.wait_for(lambda: page.is_shown(SHOWN), "the verdict")
    assert page.run("return location.search + location.hash").startswith("#/compare/v41?app=shop&")
    assert asked[-1] == {"app": "shop", "release": "41", "window": "30m"}


def test_what_is_refused_says_why_and_how_to_mend_it(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    compared(
        Comparison("", refused="Name the app: `DRAIN_TOKENS`, or `?app=NAME` in the drain's URL. <b>x</b>")
    )
    open_comparison(page, "#/compare/v42?window=1h")
    assert page.text("#comparison .verdict-word") == "Not compared"
    assert page.text(SHOWN) == "Name the app: DRAIN_TOKENS, or ?app=NAME in the drain's URL. <b>x</b>."
    assert page.texts(f"{SHOWN} code") == ["DRAIN_TOKENS", "?app=NAME"]
    assert page.is_shown(".spans summary"), "two spans can be compared all the same"
    assert not page.all("#comparison .compared")
    page.shot("comparison-refused")


def test_a_comparison_goes_on_until_its_span_is_complete(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    now_s = int(time.time())
    whole = comparison([slower_checkout()], ago_s=580)
    assert whole.after is not None
    soon = replace(whole, after=replace(whole.after, to_s=whole.after.from_s + 540), ready_s=now_s + 350)
    compared(soon)
    open_comparison(page)
    assert (
        page.text(".waiting")
        == "Complete in 6 min; so far 9 min of 15 min after it. This page goes on by itself."
    )
    page.shot("comparison-so-far")
    compared(whole)
    page.wait_for(lambda: not page.all(".waiting"), "the end of it")
    compared(replace(whole, after=None, total=None, routes=[], ready_s=now_s + 800))
    page.wait_for(
        lambda: page.text("#comparison .verdict-word") == "Nothing to compare yet", "a release just made"
    )


@pytest.mark.parametrize(
    ("found", "word", "sentence"),
    [
        (
            comparison([route("/"), route("/cart")]),
            "\u2013 no difference shown",
            "v42 shows no difference in any of 2 routes: 1,800 requests before, 1,890 after.",
        ),
        (
            comparison([route("/cart", "better", figure("p95", 80.0, 64.0, "better", (-0.28, -0.12)))]),
            "✓ better",
            "v42 made p95 of /cart 20 % better (12 to 28 %).",
        ),
        (
            comparison([route("/cart", "worse", figure("errors", 0.004, 0.025, "worse", (0.012, 0.031)))]),
            "✗ worse",
            "v42 raised the error rate of /cart from 0.40 % to 2.50 % (1.2 to 3.1 pts).",
        ),
        (
            comparison(
                [route("/")], total=route("", "worse", figure("p95", 80.0, 90.0, "worse", (0.05, None)))
            ),
            "✗ worse",
            "v42 made p95 of all routes together 13 % worse (at least +5 %).",
        ),
        (
            comparison(
                [route("/", "too few")],
                total=replace(route("", "too few"), requests_before=9, requests_after=1),
            ),
            "? too few",
            "Too few requests to tell what v42 changed: 9 requests before, 1 after.",
        ),
        (
            comparison(
                [
                    route(
                        "/<script>window.hacked=1</script>\u202e",
                        "worse",
                        figure("p95", 8.0, 9.0, "worse", (0.1, 0.2)),
                    )
                ]
            ),
            "✗ worse",
            "v42 made p95 of /<script>window.hacked=1</script>\\u202e 13 % worse (10 to 20 %).",
        ),
    ],
    ids=["none", "better", "errors", "total", "too-few", "hostile"],
)
def test_each_outcome_has_its_sentence(
    page: Page,
    shop: redis.Redis,
    compared: Callable[..., list[dict[str, str]]],
    found: Comparison,
    word: str,
    sentence: str,
) -> None:
    compared(found)
    open_comparison(page)
    assert page.text("#comparison .verdict-word").strip() == word
    assert page.text(".verdict-sentence") == sentence
    assert page.run("return window.hacked") is None


def test_two_spans_are_compared_by_their_real_figures(page: Page, redis_client: redis.Redis) -> None:
    now_s = int(time.time()) // 10 * 10
    slow_from_s = now_s - 1_200
    seen = [
        SeenRequest(
            now_s - 2_400 + at / 2,
            path,
            service_ms=(300 if at % 3 else 320) if path == "/slow" and at > 2_400 else 100 + at % 40,
        )
        for at in range(4_700)
        for path in ("/slow", "/calm")
    ]
    fill(redis_client, seen, now_s)
    report_worker(redis_client)
    spans = f"from={now_s - 2_300}&to={slow_from_s}&with_from={slow_from_s}&with_to={now_s - 60}"
    open_comparison(page, f"#/compare?{spans}")
    page.wait_for(lambda: page.text("#comparison .verdict-word").strip() == "✗ worse", "the word")
    assert page.text(".verdict-sentence").startswith("P95 of /slow got ")
    assert page.texts(f"{ROUTES} tbody th > :first-child") == ["All routes", "/slow", "/calm"]
    assert page.texts(f"{ROUTES} .compared-word")[1:] == ["✗ worse", "\u2013 no difference shown"]
    page.wait_for(lambda: len(page.all("#comparison .plot canvas")) == 3, "plots")
    page.shot("comparison-spans")
    assert page.complaints() == []


def test_several_apps_without_a_choice_are_offered_one(
    page: Page, two_apps: redis.Redis, site: Site, compared: Callable[..., list[dict[str, str]]]
) -> None:
    compared(releases.worse())
    made = [release(42, 2_400), release(7, 3_000, app="api")]
    site.answers["/api/events"] = lambda arguments: events(
        [one for one in made if arguments.get("app", one.app) == one.app]
    )
    page.open("#/?window=1h")
    page.wait_for(lambda: page.is_shown("#overview"), "the overview")
    page.one("#to-comparison").click()
    page.wait_for(lambda: "Choose an app above" in page.text(SHOWN), "the offer")
    assert [" ".join(text.split()[:2]) for text in page.texts(f"{SHOWN} li")] == [
        "shop v42",
        "api v7",
    ]
    Select(page.one("#app")).select_by_visible_text("api")
    page.wait_for(lambda: page.fragment().startswith("#/compare/v7?app=api&"), "the latest of that app")


def test_a_comparison_fits_a_phone(
    page: Page, shop: redis.Redis, compared: Callable[..., list[dict[str, str]]]
) -> None:
    compared(releases.worse())
    open_comparison(page, size=PHONE)
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("phone-comparison")
    open_comparison(page, size=PHONE, prefers_color_scheme="dark")
    page.one(".spans summary").click()
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("phone-comparison-dark")


def test_from_a_mark_on_a_plot_to_the_route_that_the_release_made_slower(
    page: Page, redis_client: redis.Redis
) -> None:
    """All of it real: what the platform said, the requests, and what the API finds of both."""
    now_s = int(time.time())
    released_s = now_s - 1_200
    rng = random.Random(5)
    seen = []
    for at in range(20_000):
        at_s = now_s - 2_300 + at * 0.11
        path = f"/route-{at % 5}"
        slower = 1.5 if path == "/route-3" and at_s > released_s + 30 else 1.0
        seen.append(SeenRequest(at_s, path, round(100 * slower * rng.lognormvariate(0, 0.4)), app="shop"))
    fill(redis_client, seen, now_s)
    at_ms = released_s * 1000
    facts = [
        Event("release", at_ms, "Release v42 created", version=42),
        Event("deploy", at_ms, "Deploy 9154a1d2", commit="9154a1d2"),
        Event("state", at_ms + 9_000, "State changed from up to down", "web.1", state="down"),
        Event("state", at_ms + 12_000, "State changed from starting to up", "web.1", state="up"),
        Event("error", at_ms + 600_000, "Error R14 (Memory quota exceeded)", "web.1", code="R14"),
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    report_worker(redis_client)
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: page.texts(".plots figure:first-child .mark-label") == ["v42 9154a1d2"], "the mark")
    page.wait_for(lambda: any("R14" in text for text in page.texts(".event-text")), "the error in the list")
    page.one(".plots figure:first-child .mark a").click()
    page.wait_for(lambda: page.is_shown(SHOWN), "the verdict")
    assert page.fragment().startswith("#/compare/v42?app=shop&")
    assert page.text("#comparison .verdict-word").strip() == "✗ worse"
    assert re.match(
        r"v42 made p95 of /route-3 \d\d % worse \(\d+ to \d+ %\)\.", page.text(".verdict-sentence")
    )
    words = dict(
        zip(
            page.texts(f"{ROUTES} tbody th > :first-child"),
            page.texts(f"{ROUTES} .compared-word"),
            strict=True,
        )
    )
    assert [name for name, word in words.items() if word == "✗ worse" and name != "All routes"] == [
        "/route-3"
    ]
    page.wait_for(
        lambda: page.texts("#comparison figure:first-child .mark-label") == ["v42 9154a1d2"], "its mark"
    )
    page.shot("comparison-real")
    assert page.complaints() == []


def test_the_releases_of_an_app_without_a_name_are_marked_but_not_compared(
    page: Page, redis_client: redis.Redis
) -> None:
    now_s = int(time.time())
    fill(redis_client, [SeenRequest(now_s - 5 - at, "/") for at in range(1_500)], now_s)
    fill_facts(
        redis_client, "", [Event("release", (now_s - 900) * 1000, "Release v7 created", version=7)], now_s
    )
    report_worker(redis_client)
    page.open("#/?window=1h")
    page.wait_for(lambda: page.texts(".plots figure:first-child .mark-label") == ["v7"], "the mark")
    page.one(".plots figure:first-child .mark a").click()
    page.wait_for(lambda: page.is_shown(SHOWN), "the refusal")
    assert page.text("#comparison .verdict-word") == "Not compared"
    assert "DRAIN_TOKENS" in page.text(SHOWN)
    assert "?app=NAME" in page.text(SHOWN)
    page.one(".spans summary").click()
    for name, text in (("from", "25m"), ("to", "15m"), ("with-from", "13m"), ("with-to", "3m")):
        page.one(f"#spans-{name}").send_keys(text)
    page.one(".spans button").click()
    page.wait_for(
        lambda: page.text("#comparison .verdict-word").strip() == "\u2013 no difference shown", "the word"
    )
