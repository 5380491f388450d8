"""Several apps: side by side first, each by itself, and all together."""

from __future__ import annotations

import re
import time

import pytest
import redis
from selenium.webdriver.support.ui import Select

from app.store.keys import digest
from servers.figures import SeenRequest, fill
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import report_worker

pytestmark = pytest.mark.browser


def traffic(now_s: float) -> list[SeenRequest]:
    """An app that is well, one that fails, and one whose last request was more than five minutes ago."""
    shop = [SeenRequest(now_s - 5 - n, "/", app="shop", service_ms=20) for n in range(120)]
    api = [
        SeenRequest(now_s - 5 - 2 * n, "/", app="api", status="500" if n < 20 else "200") for n in range(60)
    ]
    silent = [SeenRequest(now_s - 330 - n, "/invoices", app="billing", service_ms=900) for n in range(90)]
    return [*shop, *api, *silent]


ROWS = """
    const cells = (row) => [...row.cells].slice(1).map((cell) => [cell.dataset.name, cell.textContent]);
    return Object.fromEntries([...document.querySelectorAll("#apps-table tbody tr")]
      .map((row) => [row.cells[0].textContent, Object.fromEntries(cells(row))]));
"""


def order(page: Page) -> list[str]:
    return page.texts("#apps-table tbody th")


def test_all_apps_are_side_by_side_first_and_lead_to_each(page: Page, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, traffic(now_s), now_s)
    report_worker(redis_client)
    page.open("#/?window=1h")
    page.wait_for(lambda: len(order(page)) == 3, "three apps")
    assert not page.is_shown("#figures")
    assert page.text("#overview-note") == "3 apps; 1 silent"
    rows = page.run(ROWS)
    assert re.fullmatch(r"no request for \d+ min", rows["billing"]["Last request"])
    assert rows["shop"]["Last request"] == "just now"
    assert rows["api"]["Errors"] == "33.3 %"
    assert rows["shop"]["Errors"] == "0"
    assert rows["billing"]["p95"].startswith("9")
    assert all(
        "highest" in (one.get_attribute("aria-label") or "") for one in page.all("#apps-table svg.spark")
    )
    assert order(page)[0] == "shop"
    # Equal routes of several apps are told apart, and lead to the app's own.
    page.wait_for_routes(3)
    own = page.run(
        "return [...document.querySelectorAll('#table tbody tr')].map((row) => ["
        "row.querySelector('a').textContent, row.querySelector('.col-app').textContent,"
        " row.querySelector('a').hash])"
    )
    expected = [
        (path, app, f"#/routes/{digest(path)}?app={app}&window=1h")
        for path, app in (("/", "shop"), ("/invoices", "billing"), ("/", "api"))
    ]
    assert sorted(map(tuple, own)) == sorted(expected)
    page.shot("overview-light")
    # By keyboard: sorted by its heads, and to an app by its name.
    page.run("document.querySelector('#apps-table th.col-app-errors button').focus()")
    page.press("\ue007")
    assert order(page)[0] == "api"
    assert page.one("#apps-table th.col-app-errors").get_attribute("aria-sort") == "descending"
    page.focus("#apps-table tbody th a", "billing")
    page.press("\ue007")
    page.wait_for(lambda: page.is_shown("#figures") and page.routes() == ["/invoices"], "the app's own view")
    assert page.fragment() == "#/?app=billing&window=1h"
    assert page.run("return document.getElementById('app').value") == "billing"
    Select(page.one("#app")).select_by_visible_text("all apps together")
    page.wait_for(lambda: page.fragment() == "#/?app=*&window=1h", "all together in the address")
    page.wait_for(lambda: sorted(page.routes()) == ["/", "/invoices"], "one row for both /")
    assert page.text("#figures .sub span:last-child") == "270 total"
    page.driver.back()
    page.driver.back()
    page.wait_for(lambda: len(order(page)) == 3 and page.is_shown("#overview"), "the overview again")
    assert page.complaints() == []


def test_the_overview_fits_a_phone_in_the_dark(page: Page, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, traffic(now_s), now_s)
    page.open("#/?window=1h", size=PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: len(order(page)) == 3, "three apps")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("phone-overview-dark")


def test_one_app_needs_no_overview(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for(lambda: page.is_shown("#figures") and page.routes(), "the app's figures")
    assert not page.is_shown("#overview")
    assert not page.is_shown("#app-chooser")
    # A second app's first request does not take away what somebody is looking at.
    fill(shop, [SeenRequest(time.time(), "/other", app="second")], time.time())
    page.wait_for(lambda: page.is_shown("#app-chooser"), "the chooser")
    assert not page.is_shown("#overview")
    assert (
        page.run("return document.getElementById('app').selectedOptions[0].textContent")
        == "all apps together"
    )
    Select(page.one("#app")).select_by_visible_text("overview of apps")
    page.wait_for(lambda: page.is_shown("#overview"), "the overview")
