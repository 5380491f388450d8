"""The page by keyboard alone, and for who wants no motion."""

from __future__ import annotations

import time

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from servers.figures import SeenRequest, fill
from tests.browser.conftest import WIDE, Page
from tests.browser.traffic import ROUTES

pytestmark = pytest.mark.browser

FOCUSED = """
    const one = document.activeElement;
    const outlines = [one, one.closest("label") ?? one].map((it) => getComputedStyle(it).outlineStyle);
    return [one.id || one.className || one.textContent.trim(), outlines];
"""


def test_heads_sort_by_keyboard_and_say_so(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for_routes(len(ROUTES))
    assert page.one("th.col-count").get_attribute("aria-sort") == "descending"
    page.focus("th.col-p95 button")
    page.press(Keys.ENTER)
    assert page.one("th.col-p95").get_attribute("aria-sort") == "descending"
    assert page.one("th.col-count").get_attribute("aria-sort") is None
    assert page.routes()[0] == "/reports/:date"
    page.press(Keys.ENTER)
    assert page.one("th.col-p95").get_attribute("aria-sort") == "ascending"
    assert page.routes()[-1] == "/reports/:date"
    assert page.run("return document.activeElement.textContent") == "p95"
    page.open("#/?window=5m")
    page.wait_for(lambda: page.all("#table tbody tr"), "routes")
    assert page.one("th.col-p95").get_attribute("aria-sort") == "ascending", "the choice is remembered"


def test_slash_goes_to_the_filter_and_escape_clears_it(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for_routes(len(ROUTES))
    page.press("/")
    assert page.run("return document.activeElement.id") == "filter"
    page.press("product reviews")
    assert page.routes() == ["/products/:id/reviews"]
    assert page.text("#routes-count") == f"1 of {len(ROUTES)} routes"
    page.press(Keys.ESCAPE)
    page.wait_for_routes(len(ROUTES))
    page.press("nowhere")
    assert page.text("#table .none") == "No route matches the filter."
    page.press(Keys.ESCAPE, "h12")
    assert 0 < len(page.routes()) < len(ROUTES)


def test_focus_stays_while_figures_come_in(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=5m")
    page.wait_for(lambda: page.all("#table tbody tr"), "routes")
    page.focus("#table tr:nth-child(2) td.route a")
    focused = page.run("return document.activeElement.textContent")
    before = page.text("#table .col-count:not(th)")
    fill(shop, [SeenRequest(time.time(), page.routes()[0])] * 50, time.time())
    page.wait_for(lambda: page.text("#table .col-count:not(th)") != before, "new figures")
    assert page.run("return document.activeElement.textContent") == focused


def test_a_code_tells_its_meaning_on_focus(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for(lambda: page.all("#table .code"), "codes")
    page.run(
        "[...document.querySelectorAll('.code')].find((one) => one.textContent.startsWith('H12')).focus()"
    )
    assert page.is_shown("#tip")
    page.run("scrollBy(0, 40)")
    page.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.is_shown("#tip"), "focus scrolls, too"
    assert page.text("#tip").startswith("H12: Request timeout\n")
    page.press(Keys.ESCAPE)
    assert not page.is_shown("#tip")


def test_who_wants_no_motion_gets_none(page: Page, shop: redis.Redis) -> None:
    def moving() -> int:
        script = (
            "return [...document.querySelectorAll('*')]"
            ".filter((one) => getComputedStyle(one).animationName !== 'none').length"
        )
        return int(page.run(script))

    page.open("#/?window=5m", prefers_reduced_motion="no-preference")
    page.wait_for(lambda: page.text("#live") == "live", "figures")
    assert moving() > 0
    page.show_in(WIDE, prefers_reduced_motion="reduce")
    assert moving() == 0


def test_it_can_be_walked_by_tab_with_the_focus_in_sight(page: Page, two_apps: redis.Redis) -> None:
    page.open("#/?app=shop&window=1h")
    page.wait_for_routes(len(ROUTES))
    reached = []
    for _ in range(54):
        page.press(Keys.TAB)
        name, outlines = page.run(FOCUSED)
        reached.append(name)
        # A radio button's own outline is drawn around its label.
        assert set(outlines) != {"none"}, name
    assert reached[0] == "skip"
    for name in ("app", "theme", "filter", "csv", "to-replay"):
        assert name in reached
