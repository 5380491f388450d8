"""The Replay tab: original against replayed, route by route."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from urllib.request import urlopen

import orjson
import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.store import replay
from app.store.run_figures import RunFigures
from drain.dashboard.endpoints import REPLAY_FRESH_S
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
    assert "12 of them percent-encoded again" in page.text("#replay")
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
    assert page.texts(".runs .run-name") == ["live", "23 Nov 10:00 to 11:00"]
    page.focus(".runs summary")
    page.press(Keys.ENTER, Keys.TAB, Keys.TAB, Keys.ENTER)
    page.wait_for(lambda: page.text(".replay-head h1") == "https://old.example.com", "the chosen run")
    assert page.fragment().startswith("#/replay/2026-11-23T10-00")
    assert not page.is_shown(".runs ul")
    page.run("history.back()")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://staging.example.com", "the run before")


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
    assert page.text(".verdict") == "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} running42 %"
    assert "Figures are baseline → target, service times" in page.text("#replay")
    assert "Status differs" in page.texts(".replayed thead th")
    page.shot("replay-two-targets-light")
    replay.record(shop, "20261123T120000Z-ab12", replayed(), {**info, "progress": "0.84"})
    page.wait_for(lambda: "84 %" in page.text(".verdict"), "what was added")
    assert page.texts(".replayed tbody tr:first-child td")[1] == "802"
    assert page.complaints() == []


def window_run(target: str, **more: str) -> dict[str, str]:
    return {
        "target": target,
        "from": "2026-11-23T10:00Z",
        "until": "2026-11-23T11:00Z",
        "state": "running",
        **more,
    }


def test_of_two_runs_that_go_on_the_one_that_is_looked_at_stays(page: Page, shop: redis.Redis) -> None:
    def write(run_id: str) -> None:
        replay.record(shop, run_id, replayed(), window_run(f"https://{run_id}.example.com"))
        time.sleep(1.1)  # Runs are in order of whole seconds.

    write("one")
    write("two")
    page.open("#/replay")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://two.example.com", "the latest run")
    write("one")
    page.wait_for(lambda: "one.example.com" in page.texts(".runs li")[0], "the new order")
    write("two")
    page.wait_for(lambda: page.texts(".replayed tbody tr:first-child td")[1] == "802", "what was added")
    assert page.text(".replay-head h1") == "https://two.example.com"
    page.one("#to-traffic").click()
    write("one")
    time.sleep(REPLAY_FRESH_S)
    page.one("#to-replay").click()
    page.wait_for(lambda: page.text(".replay-head h1") == "https://one.example.com", "the latest, seen anew")


def test_runs_of_the_same_window_are_told_apart_by_when_they_began(page: Page, shop: redis.Redis) -> None:
    for run_id, started_at in (("one", "1795400000"), ("two", "1795403600")):
        info = window_run("https://new.example.com", started_at=started_at)
        replay.record(shop, run_id, replayed(), info)
    page.open("#/replay")
    page.wait_for(lambda: len(page.all(".runs li")) == 2, "two runs")
    assert page.texts(".runs li .fine") == [
        "new.example.com · started 23 Nov 03:13:20",
        "new.example.com · started 23 Nov 02:13:20",
    ]


def test_figures_go_on_while_the_list_or_a_cell_has_the_focus(page: Page, shop: redis.Redis) -> None:
    replay.record(shop, "one", replayed(), window_run("https://one.example.com"))
    replay.record(shop, "two", replayed(), window_run("https://two.example.com", progress="0.10"))
    page.open("#/replay/two")
    about = ".verdict"
    for done, stop in (("20", ".runs summary"), ("30", ".replayed td[tabindex]"), ("40", ".replayed a")):
        page.wait_for(partial(page.all, stop), "the place")
        page.focus(stop)
        focused = page.run("return document.activeElement.outerHTML.slice(0, 40)")
        said, sent = page.text(about), page.text(".replayed [data-name='Sent']")
        replay.record(shop, "two", replayed(), window_run("https://two.example.com", progress=f"0.{done}"))
        page.wait_for(partial(_is_other, page, about, said), "more progress")
        assert f"running{done} %" in page.text(about)
        page.wait_for(partial(_is_other, page, ".replayed [data-name='Sent']", sent), "more figures")
        assert page.run("return document.activeElement.outerHTML.slice(0, 40)") == focused


def _is_other(page: Page, selector: str, text: str) -> bool:
    return page.text(selector) != text


def test_a_run_that_was_killed_is_not_said_to_go_on(page: Page, shop: redis.Redis) -> None:
    info = {"target": "https://new.example.com", "state": "running"}
    replay.record(shop, "live", replayed(), info)
    shop.hset("tailrace:replay:live:info", "updated_at", str(int(time.time()) - 3_600))
    page.open("#/replay")
    page.wait_for(lambda: page.text(".verdict-word").endswith("interrupted"), "its end")
    assert "It has not written since" in page.text(".verdict")


def test_a_run_that_is_not_there_is_said_and_the_others_can_be_chosen(page: Page, shop: redis.Redis) -> None:
    replay.record(shop, "one", replayed(), window_run("https://one.example.com"))
    page.open("#/replay/nope")
    page.wait_for(lambda: "No such replay" in page.text("#outage"), "the message")
    assert "comes back" not in page.text("#outage")
    assert page.text(".replay-head h1") == "nope"
    page.one(".runs summary").click()
    page.one(".runs a").click()
    page.wait_for(lambda: page.text(".replay-head h1") == "https://one.example.com", "the chosen run")
    page.wait_for(lambda: not page.is_shown("#outage"), "the message's end")


def test_the_latest_run_is_there_at_once(page: Page, shop: redis.Redis) -> None:
    replay.record(shop, "one", replayed(), window_run("https://one.example.com"))
    with urlopen(f"{page.site.url}/api/replay/one") as answer:
        run = orjson.loads(answer.read())
    lists: list[int] = []

    def count_lists(_: Mapping[str, str]) -> object:
        time.sleep(0.5)  # By now all that is asked for at the same time has come.
        lists.append(page.site.asked.count("/api/replay"))
        return run

    page.site.answers["/api/replay/one"] = count_lists
    page.open("#/replay")
    page.wait_for(lambda: page.text(".replay-head h1") == "https://one.example.com", "the run")
    assert lists[0] == 1  # The next look, after two seconds, asks for the list again.


def test_each_change_is_a_percentage(page: Page, shop: redis.Redis) -> None:
    figures = RunFigures()
    for route, before_ms, after_ms in (
        ("/worse", 10.0, 130.0),
        ("/better", 13_800.0, 47.0),
        ("/same", 5.0, 5.0),
    ):
        for _ in range(200):
            figures.of(route).add("answered", 200, after_ms, 200, before_ms)
    replay.record(shop, "one", figures, window_run("https://one.example.com"))
    page.open("#/replay")
    page.wait_for(lambda: len(page.all(".replayed tbody tr")) == 3, "routes")
    changes = dict(zip(page.texts(".replayed .route"), page.texts("[data-name='p95 change']"), strict=True))
    assert changes["/same"] == "no change"
    assert changes["/better"] == "\N{MINUS SIGN}99.7 %"
    assert changes["/worse"].startswith("+1,")
    assert "ms" in page.texts("[data-name='p99']")[0]


def test_without_a_replay_it_says_how_to_make_one(page: Page, shop: redis.Redis) -> None:
    page.open("#/replay")
    page.wait_for(lambda: "No replays yet" in page.text("#replay"), "the explanation")
    assert "REPLAY_HOST=" in page.text("#replay")
    page.shot("replay-empty-light")
