"""The page on a phone of 390 by 844: nothing runs out of the screen."""

from __future__ import annotations

import time
from functools import partial

import pytest
import redis

from app.store import replay
from app.store.frame_events import Loss, record_once
from app.store.keys import digest
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import HOSTILE, ROUTES, fill_hostile, replayed

pytestmark = pytest.mark.browser


def test_it_fits_a_phone(page: Page, shop: redis.Redis) -> None:
    replay.record(shop, "live", replayed(), {"target": "https://staging.example.com", "state": "running"})
    fill_hostile(shop)
    record_once(shop, "frame", "shop", [Loss("L10", 12)], [], int(time.time()))
    for name, fragment, is_there in (
        ("page", "#/?window=1h", "#table tbody tr"),
        ("route", f"#/routes/{digest('/search')}?window=1h", ".histogram"),
        ("route-long", f"#/routes/{digest(HOSTILE[-1])}?window=1h", ".histogram"),
        ("replay", "#/replay", ".replayed tbody tr"),
    ):
        page.open(fragment, size=PHONE)
        page.wait_for(partial(page.all, is_there), name)
        page.wait_for(lambda: page.is_shown("#alerts"), "warnings")
        assert page.run("return document.documentElement.scrollWidth") == PHONE[0], name
        page.shot(f"phone-{name}")
    targets = page.run(
        "return [...document.querySelectorAll('.windows label, .views a, #theme')]"
        ".filter((one) => one.offsetParent).map((one) => one.getBoundingClientRect().height)"
    )
    assert min(targets) >= 28


def test_the_table_can_be_sorted_on_a_phone(page: Page, shop: redis.Redis) -> None:
    page.open("#/?window=1h", size=PHONE)
    page.wait_for_routes(len(ROUTES))
    page.one("#sort").send_keys("by p99")
    page.wait_for(lambda: page.routes()[0] == "/reports/:date", "the slowest first")


def test_the_empty_page_fits_a_phone(page: Page, redis_client: redis.Redis) -> None:
    page.open("#/", size=PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: page.is_shown("#empty") and page.is_shown("#alerts"), "the empty state")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("phone-empty-dark")
