"""The Replay tab: original against replayed, route by route."""

from __future__ import annotations

import time

import pytest
import redis

from app.store import replay
from tests.browser.conftest import Page
from tests.browser.traffic import replayed

pytestmark = pytest.mark.browser


def test_a_replay_is_shown_with_the_worst_route_first(page: Page, shop: redis.Redis) -> None:
    info = {"target": "https://staging.example.com", "started_at": "1795400000", "state": "running"}
    replay.record(shop, "live", replayed(), info)
    page.open("#/replay")
    page.wait_for(lambda: len(page.all(".replayed tbody tr")) == 3, "routes of the run")
    assert page.texts(".replayed .route")[0] == "/search"
    first = page.texts(".replayed tbody tr:first-child td")
    assert first[1:4] == ["401", "4.00 %", "1"]
    tones = [cell.get_attribute("data-tone") for cell in page.all(".replayed [data-name='p95 change']")]
    assert tones == ["bad", "good", None]
    assert page.run("return window.hacked") is None
    assert page.complaints() == []
    page.shot("replay-light")


def test_one_of_several_runs_is_chosen(page: Page, shop: redis.Redis) -> None:
    window = {"from": "2026-11-23T10:00Z", "until": "11:00Z", "target": "https://old.example.com"}
    replay.record(shop, "2026-11-23T10-00", replayed(), {**window, "state": "done"})
    time.sleep(1.1)  # Runs are in order of whole seconds.
    replay.record(shop, "live", replayed(), {"target": "https://staging.example.com", "state": "running"})
    page.open("#/replay")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://staging.example.com", "the latest run")
    page.one(".replay-head select").send_keys("2026")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://old.example.com", "the chosen run")
    assert page.fragment().startswith("#/replay/2026-11-23T10-00")


def test_without_a_replay_it_says_how_to_make_one(page: Page, shop: redis.Redis) -> None:
    page.open("#/replay")
    page.wait_for(lambda: "Nothing has been replayed yet" in page.text("#replay"), "the explanation")
    assert "REPLAY_HOST=" in page.text("#replay")
    page.shot("replay-empty-light")
