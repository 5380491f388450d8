"""Alerts as Redis has them, and silencing them from the page."""

from __future__ import annotations

import time

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.alerts.redis.silences import silences
from tests.browser.conftest import Page
from tests.support.alert_board import fill_alerts

pytestmark = pytest.mark.browser

CARD = "[data-incident=i-shop]"


def test_a_reader_silences_an_incident_and_ends_that(page: Page, two_apps: redis.Redis) -> None:
    now_s = int(time.time())
    fill_alerts(two_apps, now_s)

    def in_force() -> list[tuple[str, str, int]]:
        found = silences(two_apps, time.time())
        return [(one.rule, one.app, round((one.until_s - time.time()) / 60)) for one in found]

    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown(CARD), "the incident")
    for part in ("20.3 % of 1,240 requests failed", "web.3 has 96 %", "8601b555", "v42"):
        assert part in page.text(CARD)
    page.focus(f"{CARD} .silence button")
    page.press(Keys.ENTER)
    assert page.texts(f"{CARD} .silence button") == ["Silence", "1 h", "4 h", "1 day"]
    page.press(Keys.ESCAPE)
    assert page.texts(f"{CARD} .silence button") == ["Silence"]
    page.press(Keys.ENTER, Keys.TAB, Keys.TAB, Keys.ENTER)
    page.wait_for(lambda: page.text(f"{CARD} .silenced").startswith("silenced until "), "its end")
    assert ("errors", "shop", 240) in in_force()
    assert page.run("return document.activeElement.textContent") == "End", "the focus stays"
    page.wait_for(lambda: page.driver.title == "shop · Tailrace", "a quiet tab")
    page.shot("alerts-silenced")
    page.run("dispatchEvent(new Event('online'))")  # An answer of before does not undo it.
    time.sleep(0.5)
    page.press(Keys.ENTER)
    page.wait_for(lambda: page.texts(f"{CARD} .silence button") == ["Silence"], "the end of it")
    assert in_force() == [("slow", "shop", 60)]
    page.wait_for(lambda: page.driver.title.startswith("● shop: "), "the alarm again")
    # In the view of alerts: a rule, and the list.
    page.one("#to-alerts").click()
    page.wait_for(lambda: page.is_shown("[aria-label=Rules] tbody tr"), "the rules")
    assert page.text("[aria-label=Rules] tbody th") == "errors on by default"
    page.wait_for(lambda: page.text(".silences li").startswith("The rule slow of shop"), "the silence")
    page.one(".silences button").click()
    page.wait_for(lambda: not page.is_shown(".silences"), "no silence")
    assert in_force() == []
    page.one("[aria-label=Rules] tbody .silence button").click()
    page.one("[aria-label=Rules] tbody .silence [data-key='1d']").click()
    page.wait_for(lambda: page.text(".silences li").startswith("The rule errors"), "the new one")
    assert in_force() == [("errors", "", 1_440)]
    page.wait_for(lambda: page.text(f"{CARD} .silenced").startswith("silenced until "), "it of its app, too")
    assert page.texts(f"{CARD} .silence button") == [], "nobody ends here what holds for every app"
    targets = page.texts("[aria-label=Targets] tbody tr")
    assert any("pager" in row and "it answers 500" in row for row in targets)
    # One that is refused is said.
    page.run("window.fetch = () => Promise.reject(new TypeError())")
    page.one(".silences button").click()
    page.wait_for(
        lambda: (
            page.text(".silences .silence-fault")
            == "The silence could not be ended: the server does not answer."
        ),
        "why not",
    )
    assert page.complaints() == []
