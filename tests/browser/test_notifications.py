"""Notifications of the browser: for who asks for them, once an incident, and the tab says the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from app.alerts.redis.view import AlertsView
from app.store.keys import digest
from tests.browser.alerts import alarm, now, reasoned, view
from tests.browser.conftest import Page, Site

pytestmark = pytest.mark.browser

RECORD = """
    const Own = window.Notification;
    window.shown = [];
    window.Notification = class extends Own {
      constructor(title, options) {
        super(title, options);
        const { tag, body, silent = false } = options;
        window.shown.push({ title, tag, body, silent, one: this });
      }
    };
"""
SHOWN = "return window.shown.map(({ title, tag, silent }) => [title, tag, silent])"


@pytest.fixture
def permission(page: Page, site: Site) -> Iterator[Callable[[str], None]]:
    """Sets what the browser allows the page: `granted`, `denied` or `prompt`. What it shows is recorded."""
    script = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORD})

    def set_permission(setting: str) -> None:
        asked: dict[str, Any] = {"permission": {"name": "notifications"}, "origin": site.url}
        page.driver.execute_cdp_cmd("Browser.setPermission", {**asked, "setting": setting})

    yield set_permission
    page.driver.execute_cdp_cmd("Browser.resetPermissions", {})
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_who_asks_for_it_is_notified_of_each_new_incident_once(
    page: Page, shop: redis.Redis, site: Site, permission: Callable[[str], None]
) -> None:
    def answer(found: AlertsView) -> None:
        site.answers["/api/alerts"] = lambda arguments: found
        page.run("dispatchEvent(new Event('online'))")

    def shown() -> list[list[Any]]:
        return list(page.run(SHOWN))

    before = alarm("i0", "shop: before")
    permission("denied")
    site.answers["/api/alerts"] = lambda arguments: view(before)
    page.open("#/alerts?app=shop&window=1h")
    page.wait_for(lambda: page.text(".notify button") == "Notifications are blocked", "what is wrong")
    assert "Allow notifications for this site" in page.text("#notify-note")
    permission("granted")
    page.open("#/alerts?app=shop&window=1h")
    page.wait_for(lambda: page.text(".notify button") == "Notify me in this browser", "the button")
    page.wait_for(lambda: page.is_shown(".incident"), "the incident of before")
    page.one(".notify button").click()
    page.wait_for(lambda: page.text(".notify button") == "Stop notifying me", "the choice")
    assert shown() == [["Tailrace notifies you here", "tailrace", True]]
    # New ones: each once, but not those that are silenced, or that others may still join.
    fresh = alarm("i2", "shop: joins", ago_s=5)
    fresh = replace(fresh, incident=replace(fresh.incident, told_s=None, fired_s=now()))
    answer(view(before, reasoned(), fresh))
    page.wait_for(lambda: len(shown()) == 2, "the notification")
    answer(view(before, reasoned(), fresh))
    title = "shop: 20.3 % of requests to /checkout fail"
    assert shown()[1] == [f"▲ {title}", "i1", False]
    body = page.run("return window.shown[1].body")
    assert body.splitlines() == [
        "20.3 % of 1,240 requests failed, the limit is 2 %",
        "Usual: 0.1 % at this time yesterday.",
        "7 min after v42, 9154a1d2: deploy",
    ]
    # Another tab is told by the first one that it was shown, and remembers the choice.
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    other = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORD})
    page.open("#/alerts?app=shop&window=1h")
    page.wait_for(lambda: page.text(".notify button") == "Stop notifying me", "the choice of before")
    page.wait_for(lambda: page.is_shown(".incident"), "the incidents")
    answer(view(before, history=[reasoned(lasted_s=100)]))
    page.wait_for(lambda: len(shown()) == 1, "the end")
    assert shown() == [[f"✓ Resolved: {title}", "i1", True]], "quietly, in place of the one before"
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", other)
    page.driver.close()
    page.driver.switch_to.window(first)
    page.run("dispatchEvent(new Event('online'))")
    page.wait_for(lambda: page.is_shown(".lately"), "the end, here too")
    assert len(shown()) == 2, "of which the other tab has told"
    # A click leads to the moment.
    page.run("window.shown[1].one.dispatchEvent(new Event('click'))")
    page.wait_for(lambda: page.fragment().startswith(f"#/routes/{digest('/checkout')}?app=shop&from="), "it")
    page.run("location.hash = '#/alerts?app=shop&window=1h'")
    page.wait_for(lambda: page.is_shown(".notify button"), "the button")
    page.one(".notify button").click()
    page.wait_for(lambda: page.text(".notify button") == "Notify me in this browser", "the end of it")
    answer(view(alarm("i9", "shop: later")))
    page.wait_for(lambda: page.text(".incident-title") == "shop: later", "the next incident")
    assert len(shown()) == 2
    # Many at once are one.
    page.one(".notify button").click()
    page.wait_for(lambda: len(shown()) == 3, "the choice")
    answer(view(*(alarm(f"m{number}", f"shop: number {number}") for number in range(7))))
    page.wait_for(lambda: len(shown()) == 4, "all of them")
    assert shown()[3] == ["▲ 7 new alerts", "tailrace new alerts", False]
    assert page.run("return window.shown[3].body").endswith("shop: number 4\nand 2 more")
    assert page.complaints() == []
