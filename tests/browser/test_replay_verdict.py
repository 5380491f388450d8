"""The Replay tab's verdict: what it says of a run, what it rests on, and where its links lead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.store import replay
from app.store.keys import digest
from tests.browser.conftest import Page
from tests.browser.traffic import WINDOW_RUN, judged_run, replayed
from tests.support import sample_result

pytestmark = pytest.mark.browser

CROSS, CHECK, SQUARE = "\N{BALLOT X}", "\N{CHECK MARK}", "\N{BLACK SQUARE}"


def open_run(page: Page, run_id: str, **options: object) -> None:
    page.open(f"#/replay/{run_id}", **options)  # type: ignore[arg-type]
    page.wait_for(lambda: page.is_shown(".verdict"), "the verdict")


def test_a_failed_run_says_why_and_shows_the_gravest_findings(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.failed())
    open_run(page, "r1")
    assert page.text(".verdict-word") == f"{CROSS} failed"
    assert page.texts(".reasons li") == [
        "/search: p95 340 -> 486 ms, +43 %, limit +20 %",
        "<b>window.hacked=5</b>",
    ]
    assert page.texts(".threshold h3") == ["p95>+20%", "status-changed>1%", "late>1s"]
    assert page.texts(".threshold-head > .state") == [f"{CROSS} crossed", f"{CHECK} met", f"{CHECK} met"]
    shown = [cell.text for cell in page.all(".findings tbody tr:first-child td") if cell.is_displayed()]
    assert shown == [
        "/search",
        f"{CROSS} crossed",
        "340 ms → 486 ms",
        "+43 %",
        "+27 % to +66 %",
        "+20 %",
        "599",
    ]
    assert "599, about 1,200 more would decide" in page.text(".findings")
    assert "late>1s" in page.texts(".threshold")[2]
    assert "12 ms · limit 1.00 s · 3,726 samples" in page.texts(".threshold")[2]
    # What decides nothing is folded away.
    assert page.text(".threshold .more summary") == "2 routes: 1 not judged, 1 met"
    assert not any(cell.is_displayed() for cell in page.all(".more .findings td"))
    page.focus(".threshold .more summary")
    page.press(Keys.ENTER)
    assert [cell.text for cell in page.all(".more .findings .route")] == ["/products/:id", "/gone"]
    assert page.run("return window.hacked") is None
    assert page.complaints() == []
    page.shot("replay-failed-light")


def test_a_passed_run_says_so_with_pace_coverage_and_plots(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.passed())
    open_run(page, "r1", prefers_color_scheme="dark")
    assert page.text(".verdict-word") == f"{CHECK} passed"
    pace, coverage = page.texts(".run-facts .panel")
    assert f"{CHECK} kept" in pace
    assert "10x · 460 requests/s" in pace
    assert "9.90x · 455 requests/s · 99.0 % of what was asked for" in pace
    assert "31 of at most 64" in pace
    assert "2026-11-23T10:00:00Z to 2026-11-23T11:00:00Z" in pace
    assert "3,800 of 4,000 requests in the window" in coverage
    assert "too late to be sent74" in coverage
    assert "method not replayed200" in coverage
    assert "304: unlike31" in coverage
    page.wait_for(lambda: len(page.all("#replay .plot canvas")) == 3, "plots")
    late = page.all("#replay .plot")[1]
    assert late.get_attribute("aria-label") == "Sent late, largest"
    described = page.text(f"#{late.get_attribute('aria-describedby')}")
    assert described == "Over 7 s. late: last 12 ms, highest 12 ms."
    assert page.texts("#replay .figures dt")[-1] == "Response p95"
    assert page.complaints() == []
    page.shot("replay-passed-dark")


def test_a_run_that_could_not_keep_its_pace_says_by_whose_fault(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.too_slow())
    open_run(page, "r1")
    assert page.text(".verdict-word") == "? inconclusive"
    assert page.texts(".reasons li") == ["the run reached 11 % of the speed asked for"]
    pace = page.texts(".run-facts .panel")[0]
    assert "not kept" in pace
    assert "The target answered 50 requests/s, and 460 were asked for." in pace
    assert "8.20 s · median 4.00 s, largest 8.30 s" in pace
    # A threshold on which nothing was found is not taken for met.
    assert "status-changed>1%Nothing was measured." in "".join(page.texts(".threshold"))


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"state": "interrupted"}, "It was stopped before the end of the window. By then: failed."),
        ({"state": "target down"}, "The target stopped answering before the end of the window."),
        ({"state": "log down"}, "The log became unreachable before the end of the window."),
    ],
)
def test_a_run_that_was_broken_off_is_called_interrupted(
    page: Page, shop: redis.Redis, info: dict[str, str], words: str
) -> None:
    judged_run(shop, "r1", sample_result.failed(), **info)
    open_run(page, "r1")
    assert page.text(".verdict-word") == f"{SQUARE} interrupted"
    assert words in page.text(".verdict")
    assert page.texts(".runs li b") == [f"{SQUARE} interrupted"]


def test_a_run_of_an_earlier_version_shows_its_figures_without_a_verdict(
    page: Page, shop: redis.Redis
) -> None:
    replay.record(shop, "r1", replayed(), WINDOW_RUN)
    open_run(page, "r1")
    assert page.text(".verdict-word") == "\N{EN DASH} finished"
    assert "The run has no verdict." in page.text(".verdict")
    assert len(page.all(".replayed tbody tr")) == 3
    assert not page.all(".threshold, .run-facts .panel, .findings, .steps")
    assert page.complaints() == []


def test_a_run_that_is_resumed_is_running_whatever_it_came_to_before(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.failed(), state="running", progress="0.60")
    open_run(page, "r1")
    assert page.text(".verdict").endswith("running60 %")
    assert not page.all(".threshold")


def test_answers_that_differ_are_named_by_their_keys(page: Page, shop: redis.Redis) -> None:
    figures = replayed()
    keys = {"body.items[].price": 30, "<img src=x onerror=window.hacked=6>": 2}
    figures.of("/search").bodies = sample_result.bodies(compared=400, changed=30, noisy=12, keys=keys)
    figures.of("/search").bodies.uncompared["<i>too slow</i>"] = 5
    figures.of("/search").bodies.cut = 3
    figures.of("/products/:id").bodies = sample_result.bodies(compared=400, changed=0, noisy=0, keys={})
    replay.record(shop, "r1", figures, {**WINDOW_RUN, "baseline": "https://old.example.com"})
    open_run(page, "r1")
    assert "30 of 800 answers differ beyond" in page.text("#replay")
    assert "Of 3, only the first part was compared. Not compared: <i>too slow</i>: 5." in page.text("#replay")
    assert page.texts(".bodies li") == [
        "/search7.50 % differ, noise 3.00 %body.items[].price30<img src=x onerror=window.hacked=6>2"
    ]
    cells = dict(zip(page.texts(".replayed .route"), page.texts("[data-name='Body differs']"), strict=True))
    assert cells["/search"] == "7.50 %"
    assert cells["/products/:id"] == "0"
    assert cells["/<script>window.hacked=1</script>"] == "\N{EN DASH}"
    assert page.run("return window.hacked") is None
    assert page.complaints() == []


def test_of_hundreds_of_findings_the_gravest_are_shown_and_the_rest_counted(
    page: Page, shop: redis.Redis
) -> None:
    result = sample_result.failed()
    result.findings.extend(sample_result.finding(route=f"/route-{number}") for number in range(400))
    judged_run(shop, "r1", result)
    open_run(page, "r1")
    shown = [cell.text for cell in page.all(".findings td.route") if cell.is_displayed()]
    assert shown == ["/search", "/<script>window.hacked=1</script>"]
    assert page.text(".threshold .more summary") == "402 routes: 1 not judged, 401 met"
    listed = len(page.all(".more .findings tbody tr"))
    assert f"{402 - listed} more not listed here; a report has all" in page.text(".threshold .more")
    assert listed < 100


def test_an_address_that_is_none_does_not_break_the_page(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.passed())
    page.open("#/replay/%zz")
    page.wait_for(lambda: page.is_shown(".runs summary"), "the list of runs")
    page.one(".runs summary").click()
    page.one(".runs a").click()
    page.wait_for(lambda: page.text(".verdict-word") == f"{CHECK} passed", "the run")


def test_the_speeds_that_were_tried_are_listed_with_the_highest_that_held(
    page: Page, shop: redis.Redis
) -> None:
    judged_run(shop, "r1", sample_result.found_limit())
    open_run(page, "r1")
    assert "The highest speed that held is 4.00x." in page.text("#replay")
    last = page.texts(".steps tbody tr:last-child td")
    assert last == ["8.00x", f"{CROSS} broke", "290", "1.90 s", "2.00 %", "p95>500ms: 1,900 ms"]


def test_the_list_says_which_run_failed_and_each_has_an_address(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "old", sample_result.failed(), started_at="1795400000")
    judged_run(shop, "new", sample_result.passed(), started_at="1795400001")
    replay.record(shop, "live", replayed(), {"target": "https://live.example.com", "state": "running"})
    page.open("#/replay")
    page.wait_for(lambda: page.text(".verdict-word") == f"{CHECK} passed", "the run started last")
    assert page.text(".runs summary") == "All runs: 3, 1 failed"
    assert [text.split()[1] for text in page.texts(".runs li b")] == ["passed", "failed", "running"]
    # The address without an id shows the latest; that with the id always the same run.
    assert page.one(".run-link").get_attribute("href").split("?")[0].endswith("#/replay/new")  # type: ignore[union-attr]
    page.one(".runs summary").click()
    page.one(".runs li:nth-child(2) a").click()
    page.wait_for(lambda: page.text(".verdict-word") == f"{CROSS} failed", "the other run")
    assert page.fragment().startswith("#/replay/old")
    page.run("history.back()")
    page.wait_for(lambda: page.text(".verdict-word") == f"{CHECK} passed", "the run before")
    page.focus(".runs summary")
    page.press(Keys.ENTER, Keys.TAB)
    assert page.is_shown(".runs ul")
    page.press(Keys.ESCAPE)
    assert not page.is_shown(".runs ul")
    assert page.run("return document.activeElement.tagName") == "SUMMARY"


def test_the_link_is_copied_or_stands_in_the_address_bar(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.passed())
    page.open("#/replay")
    page.wait_for(lambda: page.is_shown(".about button"), "the button")
    page.run(
        "Object.defineProperty(navigator, 'clipboard', {configurable: true,"
        " value: {writeText: async (text) => { window.copied = text; }}})"
    )
    page.one(".about button").click()
    page.wait_for(lambda: page.text(".about button") == "Copied", "the word")
    assert page.run("return window.copied").startswith(f"{page.site.url}/#/replay/r1?")
    page.run("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: undefined})")
    page.one(".about button").click()
    page.wait_for(lambda: page.fragment().startswith("#/replay/r1"), "the address")


def test_a_route_leads_to_its_own_view_over_the_runs_time_and_app(page: Page, shop: redis.Redis) -> None:
    from_ = datetime.fromtimestamp(time.time() // 10 * 10 - 3_000, UTC)
    times = {"from": from_.isoformat(), "until": (from_ + timedelta(minutes=5)).isoformat()}
    judged_run(shop, "r1", sample_result.failed(), app="shop", **times)
    page.open("#/?window=5m")
    page.wait_for(lambda: page.text("#live") == "live", "the page")
    for link in (".findings td.route a", ".replayed td.route a"):
        open_run(page, "r1")
        page.one(link).click()
        page.wait_for(lambda: page.text("#route-name") == "/search", "the route's view")
        start, end = (datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ") for text in times.values())
        assert page.fragment() == f"#/routes/{digest('/search')}?app=shop&from={start}&to={end}"
    page.run("history.back()")
    page.wait_for(lambda: page.is_shown(".verdict"), "the run")


@contextmanager
def redis_away(store: redis.Redis) -> Iterator[None]:
    store.config_set("maxclients", 1)
    store.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        store.config_set("maxclients", 10_000)


def test_another_run_never_shows_the_figures_of_the_one_before(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.failed())
    judged_run(shop, "r2", sample_result.passed(), target="https://other.example.com")
    open_run(page, "r1")
    with redis_away(shop):
        page.run("location.hash = '#/replay/r2'")
        page.wait_for(lambda: page.text(".replay-head h1") == "https://other.example.com", "its head")
        assert not page.is_shown(".verdict")
        assert not page.is_shown(".replayed")
    page.wait_for(lambda: page.text(".verdict-word") == f"{CHECK} passed", "its own verdict", 40)
