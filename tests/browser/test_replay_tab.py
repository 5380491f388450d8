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
    window = {
        "from": "2026-11-23T10:00:00.000Z",
        "until": "2026-11-23T11:00:00.000Z",
        "target": "https://old.example.com",
    }
    replay.record(shop, "2026-11-23T10-00", replayed(), {**window, "state": "done"})
    time.sleep(1.1)  # Runs are in order of whole seconds.
    replay.record(shop, "live", replayed(), {"target": "https://staging.example.com", "state": "running"})
    page.open("#/replay")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://staging.example.com", "the latest run")
    assert page.texts(".replay-head option") == ["live", "23 Nov 10:00 to 11:00, old.example.com"]
    page.one(".replay-head select").send_keys("23 Nov")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://old.example.com", "the chosen run")
    assert page.fragment().startswith("#/replay/2026-11-23T10-00")


def test_two_targets_are_shown_side_by_side_while_the_run_goes_on(page: Page, shop: redis.Redis) -> None:
    info = {
        "target": "https://new.example.com",
        "baseline": "https://old.example.com",
        "from": "2026-11-23T10:00Z",
        "until": "2026-11-23T11:00Z",
        "state": "running",
    }
    replay.record(shop, "20261123T120000Z-ab12", replayed(), {**info, "progress": "0.42"})
    page.open("#/replay")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://new.example.com", "the run")
    assert page.text(".replay-head .baseline") == "against https://old.example.com"
    assert page.text(".replay-head .fine").endswith("running, 42 %")
    assert "Before an arrow the baseline, behind it the target." in page.text("#replay .toolbar")
    assert "Status differs" in page.texts(".replayed thead th")
    page.shot("replay-two-targets-light")
    replay.record(shop, "20261123T120000Z-ab12", replayed(), {**info, "progress": "0.84"})
    page.wait_for(lambda: page.text(".replay-head .fine").endswith("running, 84 %"), "what was added")
    assert page.texts(".replayed tbody tr:first-child td")[1] == "802"
    assert page.complaints() == []


def test_a_run_that_was_killed_is_not_said_to_go_on(page: Page, shop: redis.Redis) -> None:
    info = {"target": "https://new.example.com", "state": "running"}
    replay.record(shop, "live", replayed(), info)
    shop.hset("tailrace:replay:live:info", "updated_at", str(int(time.time()) - 3_600))
    page.open("#/replay")
    page.wait_for(lambda: "cut off, no word since" in page.text("#replay"), "its end")


def test_without_a_replay_it_says_how_to_make_one(page: Page, shop: redis.Redis) -> None:
    page.open("#/replay")
    page.wait_for(lambda: "Nothing has been replayed yet" in page.text("#replay"), "the explanation")
    assert "REPLAY_HOST=" in page.text("#replay")
    page.shot("replay-empty-light")
