"""What the page shows where its address names a route or an app that there is not."""

from __future__ import annotations

import time

import pytest
import redis

from app.store.keys import digest
from servers.figures import SeenRequest, fill
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import ROUTES

pytestmark = pytest.mark.browser


def go(page: Page, fragment: str) -> None:
    page.run("location.hash = arguments[0]", fragment)


def test_an_unknown_route_shows_no_figures_of_the_one_before_and_a_way_back(
    page: Page, shop: redis.Redis
) -> None:
    page.open(f"#/routes/{digest('/search')}?app=shop&window=1h")
    page.wait_for(lambda: page.all(".histogram"), "the known route")
    assert page.driver.title == "/search · Tailrace"
    go(page, f"#/routes/{digest('/nowhere')}?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown("#missing"), "the message")
    assert page.text("#missing-title") == "shop has no such route"
    assert page.driver.title == "shop has no such route · Tailrace"
    assert not page.is_shown("#traffic"), "nothing of /search"
    assert page.text("#live") == "live", "it is no outage"
    assert not page.is_shown("#outage")
    page.shot("missing-route")
    back, *_ = page.all("#missing-links a")
    assert back.text == "All routes of shop"
    back.click()
    page.wait_for_routes(len(ROUTES))
    assert not page.is_shown("#missing")
    assert page.driver.title == "shop · Tailrace"


def test_an_unknown_app_is_said_until_its_first_request(page: Page, shop: redis.Redis) -> None:
    page.open("#/?app=later&window=5m", size=PHONE)
    page.wait_for(lambda: page.is_shown("#missing"), "the message")
    assert page.text("#missing-title") == "No app is named later"
    assert page.texts("#missing-links a") == ["All apps", "shop"]
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    fill(shop, [SeenRequest(time.time(), "/first", app="later")], time.time())
    page.wait_for(lambda: page.routes() == ["/first"], "its first request")
    assert not page.is_shown("#missing")


def test_figures_of_another_view_are_not_shown_while_one_loads(page: Page, two_apps: redis.Redis) -> None:
    page.open("#/?app=shop&window=1h")
    page.wait_for_routes(len(ROUTES))
    page.wait_for(lambda: page.text("#figures .sub span:last-child").endswith(" total"), "figures")
    page.run("window.fetch = () => new Promise(() => {})")  # As from a server that takes its time.
    busy = "return [...document.querySelectorAll('[data-busy]')].map((one) => one.id).sort()"
    go(page, "#/?app=shop&window=5m")
    page.wait_for(lambda: "figures" in page.run(busy), "the mark")
    assert {"figures", "plots", "table"} <= set(page.run(busy))
    page.wait_for(
        lambda: not page.is_shown("#figures dd") and not page.is_shown("#table td"), "an empty page"
    )
    go(page, "#/?app=api&window=5m")
    page.wait_for(lambda: page.routes() == [], "no route of the other app")
    assert not any(char.isdigit() for char in "".join(page.texts("#figures dd")))
