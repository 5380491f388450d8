"""The page in a real Chromium: what is seen of the traffic, and what is not run."""

from __future__ import annotations

import time

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.store import dead_letters
from app.store.keys import digest
from servers.figures import SeenRequest, fill
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import HOSTILE, ROUTES, fill_hostile, report_worker
from tests.support import letters

pytestmark = pytest.mark.browser


def test_it_shows_figures_plots_and_routes(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for_routes(len(ROUTES))
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    assert set(page.routes()) == {path for _, path, *_ in ROUTES}
    names = page.texts("#figures dt")
    assert names == ["Requests per second", "Errors", "Median", "p95", "p99"]
    assert all(any(char.isdigit() for char in figure) for figure in page.texts("#figures dd:not(.sub)"))
    assert len(page.all("#table svg.spark .line[d^='M']")) == len(ROUTES)
    assert page.text("#live") == "live"
    described = [
        page.text(f"#{panel.get_attribute('aria-describedby')}") for panel in page.all("#plots .plot")
    ]
    assert len(described) == 3
    assert all("highest" in words for words in described)
    page.shot("page-light")


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    page.open(f"#/routes/{digest('/search')}?window=1h")
    page.wait_for(lambda: page.all(".histogram"), "histogram")
    page.open("#/replay")
    page.wait_for(lambda: page.is_shown("#replay"), "replay")
    asked = [address for address in page.requested() if not address.startswith(("about:", "data:"))]
    assert len(asked) > 20
    assert [address for address in asked if not address.startswith(page.site.url)] == []
    assert page.complaints() == []


def seen(path: str) -> str:
    """How the page writes a path: what would be invisible, or turn the text around, is spelt out."""
    return path.replace("\u202e", "\\u202e").replace("\u00a0", "\\u00a0")


def test_what_an_attacker_requested_is_only_text(page: Page, redis_client: redis.Redis) -> None:
    fill_hostile(redis_client)
    page.open("#/?window=1h")
    page.wait_for_routes(len(HOSTILE))
    assert sorted(page.routes()) == sorted(map(seen, HOSTILE))
    for path in HOSTILE:
        page.open(f"#/routes/{digest(path)}?window=1h")
        page.wait_for(lambda: "<b>evil</b>.example" in page.text("#route-view"), "host")
        assert page.text("#route-name") == seen(path)
    assert page.run("return window.hacked") is None
    assert page.all("main script, main img, main b + i, #route-view b") == []
    assert page.complaints() == []


def test_figures_change_without_loading_again(page: Page, redis_client: redis.Redis) -> None:
    report_worker(redis_client)
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 60, "/a")] * 7, now_s)
    page.open("#/?window=5m")
    page.wait_for(lambda: page.texts("#table .col-count")[1:] == ["7"], "7 requests")
    page.run("window.sameLoad = true")
    fill(redis_client, [SeenRequest(time.time(), "/a")] * 5 + [SeenRequest(time.time(), "/b")], time.time())
    page.wait_for(lambda: page.texts("#table .col-count")[1:] == ["12", "1"], "12 and 1 requests")
    assert page.run("return window.sameLoad") is True


def test_a_route_has_its_own_view(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h&app=shop")
    page.wait_for_routes(len(ROUTES))
    page.run(
        "[...document.querySelectorAll('td.route a')].find((one) => one.textContent === '/search').click()"
    )
    page.wait_for(lambda: page.text("#route-name") == "/search", "the route")
    page.wait_for(lambda: len(page.all(".histogram")) == 2, "histograms")
    assert page.fragment() == f"#/routes/{digest('/search')}?app=shop&window=1h"
    assert not page.is_shown("#routes")
    assert page.texts(".histogram .mark-name")[:3] == ["p50", "p95", "p99"]
    assert page.texts("#route-view .time-pair h2") == ["Service time", "Connect time"]
    assert page.texts("#route-view > .breakdowns h2")[0] == "Statuses"
    all_time = page.texts("#route-view .all-time h2")
    assert all_time[0] == "Since the first request"
    assert "Dynos, all time" in all_time
    assert "shop.example.com" in page.text("#route-view")
    page.focus(".histogram .bar-hit")
    assert "took no longer" in page.text("#tip")
    page.shot("route-light")
    page.one("#back").click()
    page.wait_for(lambda: page.is_shown("#routes"), "all routes")
    assert page.fragment() == "#/?app=shop&window=1h"


def test_the_way_back_from_a_route_shows_all_of_them_at_once(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=24h")
    page.wait_for_routes(len(ROUTES))
    page.focus("#table td.route a", "/search")
    page.press(Keys.ENTER)
    page.wait_for(lambda: page.all(".histogram"), "the route")
    page.driver.back()
    # The answer for a day is asked for again after 15 s.
    page.wait_for(lambda: len(page.all("#table tbody tr")) == len(ROUTES), "all routes", 5)


def test_aborted_requests_and_connections_have_columns_where_there_are_any(
    page: Page, redis_client: redis.Redis
) -> None:
    at_s = time.time() - 60
    usual = [SeenRequest(at_s, "/shop")] * 20
    report_worker(redis_client)
    fill(redis_client, usual, time.time())
    page.open("#/?window=5m")
    page.wait_for_routes(1)
    assert not page.is_shown("th.col-aborted")
    assert not page.is_shown("th.col-connections")
    aborted = SeenRequest(at_s, "/shop", status="499", code="H27", service_ms=9_000)
    websocket = SeenRequest(at_s, "/cable", status="101", service_ms=531_114)
    fill(redis_client, [aborted] * 3 + [websocket] * 2, time.time())
    page.wait_for_routes(2)
    page.wait_for(lambda: page.is_shown("th.col-connections"), "the columns")
    assert page.texts("td.col-aborted") == ["3", "0"]
    assert page.texts("td.col-errors") == ["0", "0"]
    assert page.texts("td.col-connections") == ["0", "2"]
    assert page.texts("td.col-p95")[1] == "\N{EN DASH}"
    assert "3 aborted" in page.text("#figures")
    page.shot("connections-light")
    page.open(f"#/routes/{digest('/cable')}?window=5m")
    page.wait_for(lambda: "Connections" in page.texts("#route-view h2"), "the connections")
    assert "8.92 min" in page.text("#route-view"), "531,114 ms are 8.85 min; percentiles are within 1 %"
    page.open(f"#/routes/{digest('/shop')}?window=5m")
    page.wait_for(lambda: page.text("#route-name") == "/shop", "the other route")
    page.wait_for(lambda: "Aborted by clients" in page.text("#route-view"), "its facts")
    assert "Connections" not in page.texts("#route-view h2")


def test_app_and_window_are_chosen_and_kept_in_the_address(page: Page, two_apps: redis.Redis) -> None:
    page.open("#/?app=*&window=1h")
    names = ["overview of apps", "all apps together", "shop", "api"]
    page.wait_for(lambda: page.texts("#app option") == names, "apps")
    page.wait_for_routes(len(ROUTES))
    all_requests = page.text("#figures .sub")
    page.focus("#windows input[value='1h']")
    page.press(Keys.ARROW_RIGHT)
    page.wait_for(lambda: page.fragment() == "#/?app=*&window=24h", "the window in the address")
    page.one("#app").send_keys("api")
    page.wait_for(lambda: page.fragment() == "#/?app=api&window=24h", "the app in the address")
    page.wait_for(lambda: page.text("#figures .sub") not in ("", all_requests), "the app's figures")
    assert (page.one("#csv").get_attribute("href") or "").endswith("/api/routes.csv?window=24h&app=api")
    page.driver.back()
    page.wait_for(lambda: page.run("return document.getElementById('app').value") == "*", "all apps again")


def test_all_time_has_no_plots(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=ever")  # A bookmark from before `all` was its name.
    page.wait_for_routes(len(ROUTES))
    assert not page.is_shown("#plots")
    assert page.texts("#figures dt")[0] == "Requests"
    assert page.run("return document.querySelector('#windows input:checked').value") == "all"


def test_colours_follow_the_system_until_the_reader_chooses(page: Page, shop: redis.Redis) -> None:
    def ground() -> str:
        return str(page.run("return getComputedStyle(document.body).backgroundColor"))

    page.open("#/?window=1h", prefers_color_scheme="light")
    light = ground()
    page.open("#/?window=1h", prefers_color_scheme="dark")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    page.wait_for_routes(len(ROUTES))
    dark = ground()
    assert light != dark
    page.shot("page-dark")
    assert page.text("#theme span") == "Auto"
    page.one("#theme").click()
    assert (page.text("#theme span"), ground()) == ("Light", light)
    page.driver.refresh()
    assert ground() == light
    page.one("#theme").click()
    assert (page.text("#theme span"), ground()) == ("Dark", dark)
    page.shot("page-dark-chosen")
    page.one("#theme").click()
    assert page.text("#theme span") == "Auto", "the way back to the system's"
    page.open("#/?window=1h", prefers_color_scheme="light")
    assert ground() == light


def test_what_takes_redis_memory_is_told_when_it_is_opened(page: Page, shop: redis.Redis) -> None:
    letters.add(shop, [dead_letters.dead_letter("line", "drain", "why", b"x" * 10_000)] * 40)
    page.open("#/?window=1h")
    page.wait_for(lambda: "no limit" in page.text("#memory-sum"), "the sum")
    assert "/api/memory" not in page.site.asked, "nothing is asked for while it is closed"
    page.one("#memory summary").click()
    page.wait_for(lambda: len(page.all("#memory-parts li")) > 3, "the parts")
    told = page.texts("#memory-parts li")
    assert any(part.startswith("Figures of all apps together") for part in told)
    assert any(part.startswith("Dead letters") and "limit 64.0 MB" in part for part in told)
    assert told[-1].startswith("Redis itself")
    page.shot("memory-light")
    assert page.complaints() == []
    page.open("#/?window=1h", size=PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: page.is_shown("#memory summary"), "the sum")
    page.one("#memory summary").click()
    page.wait_for(lambda: len(page.all("#memory-parts li")) > 3, "the parts")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    page.shot("memory-phone-dark")
