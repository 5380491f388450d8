"""What the page says when nothing has come yet, and when something is wrong or unreachable."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from app.store.frame_events import Loss, record_once
from app.store.keys import APPS
from servers.figures import SeenRequest, fill
from tests.browser.conftest import Page
from tests.browser.traffic import report_worker

pytestmark = pytest.mark.browser


def test_a_new_user_is_told_what_to_do_and_then_sees_the_first_request(
    page: Page, redis_client: redis.Redis
) -> None:
    report_worker(redis_client)
    page.open("#/")
    page.wait_for(lambda: page.is_shown("#empty"), "the empty state")
    command = "heroku drains:add 'https://USER:PASSWORD@HOST/logs?app=APP' -a APP"
    assert page.text("#drain-command") == command
    told = page.text("#empty-unreachable")
    assert page.is_shown("#empty-unreachable"), "Heroku has no way to 127.0.0.1"
    assert told.startswith(f"Heroku cannot reach {page.site.url.removeprefix('http://')}: ")
    page.one("#copy-command").click()
    page.wait_for(lambda: page.text("#copy-command") in ("Copied", "Selected"), "an answer of the button")
    page.wait_for(lambda: "are running" in page.text("#empty-worker"), "the state of the worker")
    assert not page.is_shown("#traffic")
    page.shot("empty-light")
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s, "/first")], now_s)
    page.wait_for(lambda: page.is_shown("#traffic") and page.routes() == ["/first"], "the first request")
    assert not page.is_shown("#empty")


def test_warnings_are_plain_and_come_back_when_there_is_more(page: Page, shop: redis.Redis) -> None:
    report_worker(shop, ago_s=90)
    report_worker(shop, "replay", ago_s=120)
    record_once(shop, "a", "shop", [Loss("L10", 1_200)], [], int(time.time()))
    page.open("#/?window=1h")
    page.wait_for(lambda: len(page.all("#alerts li")) == 3, "three warnings")
    severities = [item.get_attribute("data-severity") for item in page.all("#alerts li")]
    assert severities == ["alarm", "warning", "warning"]
    assert "No metrics worker is running" in page.text("#alerts")
    assert "1,200 messages from shop were lost" in page.text("#alerts")
    page.shot("warnings-light")
    assert page.all("#alerts li[data-severity=alarm] button") == [], "what is wrong now stays"
    page.one("#alerts li[data-code='losses:shop'] button").click()
    assert "were lost" not in page.text("#alerts")
    page.driver.refresh()
    page.wait_for(lambda: len(page.all("#alerts li")) == 2, "two warnings")
    record_once(shop, "b", "shop", [Loss("L10", 1)], [], int(time.time()))
    page.wait_for(lambda: "1,201 messages from shop were lost" in page.text("#alerts"), "the news")


def test_an_unreachable_redis_is_said_and_the_last_figures_stay(
    page: Page, shop: redis.Redis, unreachable_redis: Callable[[bool], None]
) -> None:
    page.open("#/?window=5m")
    page.wait_for(lambda: page.text("#live") == "live" and page.all("#table tbody tr"), "figures")
    count = len(page.all("#table tbody tr"))
    unreachable_redis(True)
    page.wait_for(lambda: page.is_shown("#outage"), "the outage")
    assert page.text("#outage").startswith("Redis is unreachable. Showing figures from ")
    assert " UTC." in page.text("#outage")
    assert page.text("#live") == "offline"
    assert len(page.all("#table tbody tr")) == count
    page.shot("redis-unreachable")
    unreachable_redis(False)
    page.wait_for(lambda: not page.is_shown("#outage") and page.text("#live") == "live", "recovery", 40)


def test_an_error_of_redis_is_not_taken_for_an_outage(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=5m")
    page.wait_for(lambda: page.text("#live") == "live", "figures")
    shop.set(APPS, "of another type")
    page.wait_for(lambda: page.is_shown("#outage"), "the error")
    assert page.text("#outage").startswith("Redis returned an error. Showing figures from ")


def test_an_unreachable_server_is_said_and_it_recovers(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=5m")
    page.wait_for(lambda: page.text("#live") == "live" and page.all("#table tbody tr"), "figures")
    page.site.stop()
    page.wait_for(lambda: page.text("#outage").startswith("The server does not answer"), "the outage")
    assert page.all("#table tbody tr") != []
    page.site.start()
    page.wait_for(lambda: not page.is_shown("#outage") and page.text("#live") == "live", "recovery", 40)


def test_nothing_is_asked_while_nobody_looks(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=5m")
    page.wait_for(lambda: page.text("#live") == "live", "figures")
    hide = (
        "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'));"
    )
    page.run(hide, True)
    time.sleep(0.5)  # What was under way comes to its end.
    page.site.asked.clear()
    time.sleep(5)
    assert page.site.asked == []
    page.run(hide, False)
    page.wait_for(lambda: "/api/health" in page.site.asked, "questions again")
