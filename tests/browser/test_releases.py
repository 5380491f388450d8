"""Releases on the plots, the list of events, and where both lead."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.platform.release import Release
from app.store.keys import digest
from app.store.queries.events import EventRow
from tests.browser.conftest import PHONE, Page, Site
from tests.browser.dynos import answer_with, incident
from tests.browser.releases import events, release, shop_rows

pytestmark = pytest.mark.browser


@pytest.fixture
def said(site: Site) -> Callable[..., None]:
    """Makes the API answer with these releases and rows."""

    def answer(releases: Sequence[Release], rows: Sequence[EventRow] = (), left_out: int = 0) -> None:
        site.answers["/api/events"] = lambda arguments: events(list(releases), list(rows), left_out)

    return answer


def labels(page: Page) -> list[str]:
    """What stands above the first plot, from left to right."""
    return page.texts(".plots figure:first-child .mark-label")


def wait_for_marks(page: Page, count: int) -> None:
    page.wait_for(lambda: len(labels(page)) == count, f"{count} labels")


def test_every_plot_has_a_line_at_each_release(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    said([release(41, 2_900), release(42, 1_500, commit="9154a1d2"), release(43, 30, "rollback")])
    page.open("#/?app=shop&window=1h")
    wait_for_marks(page, 3)
    assert labels(page) == ["v41 0000029a", "v42 9154a1d2", "v43"]
    page.shot("marks")
    assert len(page.all(".plots .mark")) == 9, "three on each of three plots"
    lines = page.run(
        """
        const over = document.querySelector(".plot .u-over").getBoundingClientRect();
        return [...document.querySelectorAll(".plots figure:first-child .mark")].map((one) => {
          const box = one.getBoundingClientRect();
          return [(box.left - over.left) / over.width, box.bottom - over.bottom];
        });
        """
    )
    assert [share for share, _ in lines] == pytest.approx([7 / 36, 7 / 12, 1.0], abs=0.02)
    assert all(abs(below) <= 1 for _, below in lines), "down to the axis"


def test_marks_that_would_cover_one_another_are_one_with_a_count_and_a_list(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    close = [release(40 + n, 1_500 - 20 * n, "config" if n % 2 else "deploy") for n in range(5)]
    said([release(39, 3_000), *close])
    page.open("#/?app=shop&window=1h")
    wait_for_marks(page, 2)
    assert labels(page) == ["v39 0000027a", "5 releases"]
    assert len(page.all(".plots figure:first-child .mark")) >= 4, "still a line at each"
    label = ".plots figure:first-child .mark button"
    assert "v44: deploy" in (page.one(label).get_attribute("data-tip") or "").splitlines()[0]
    page.one(label).click()
    page.wait_for(lambda: page.is_shown(".release-group"), "the list")
    found = page.texts(".release-group li")
    assert len(found) == 5
    assert found[0].startswith("v44: deploy")
    assert page.run("return document.activeElement.textContent") == found[0]
    page.shot("marks-group")
    page.press(Keys.ESCAPE)
    page.wait_for(lambda: not page.is_shown(".release-group"), "the end of the list")
    assert page.fragment() == "#/?app=shop&window=1h", "Esc closed the list alone"
    page.one(label).click()
    page.one(".release-group .button").click()
    page.wait_for(lambda: "from=" in page.fragment(), "the zoom")
    page.wait_for(lambda: len(labels(page)) > 1, "labels apart from one another")
    page.wait_for(lambda: page.is_shown("#zoom-back"), "the way back")


def test_a_mark_says_what_it_is_and_leads_to_the_comparison(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    found = release(42, 1_500, commit="9154a1d2")
    said([found])
    page.open("#/?app=shop&window=1h")
    wait_for_marks(page, 1)
    moment = time.strftime("%H:%M:%S UTC", time.gmtime(found.at_ms / 1000))
    mark = ".plots figure:first-child .mark a"
    assert (
        page.one(mark).get_attribute("data-tip") == f"v42: deploy 9154a1d2, {moment}\nClick: before and after"
    )
    # By keyboard: in front of the first plot, and of no other.
    page.run("document.querySelector(arguments[0]).focus()", mark)
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.className") == "plot"
    page.press(Keys.TAB, Keys.TAB)
    assert page.run("return document.activeElement.className") == "plot", "no marks in front of the second"
    # Where the cursor of a plot is at a release, it says so.
    slider = page.one(".plots .plot")
    page.run("arguments[0].focus()", slider)
    page.press(Keys.HOME)
    said_of = []
    for _ in range(150):
        page.press(Keys.ARROW_RIGHT)
        said_of.append(slider.get_attribute("aria-valuetext") or "")
        if said_of[-1].endswith("; v42 released"):
            break
    assert said_of[-1].endswith("; v42 released")
    # Found anew: as time goes on the marks move, and are drawn again.
    page.run("document.querySelector(arguments[0]).click()", mark)
    page.wait_for(lambda: page.fragment().startswith("#/compare/v42?app=shop&window=1h"), "the comparison")


def test_marks_of_several_apps_say_whose_they_are(
    page: Page, two_apps: redis.Redis, said: Callable[..., None]
) -> None:
    said(
        [
            release(42, 2_800),
            release(7, 1_500, app="api"),
            release(0, 600, "deploy", app="", commit="abcdef01"),
        ]
    )
    page.open("#/?app=*&window=1h")
    wait_for_marks(page, 3)
    assert [label.split(" 0")[0].removesuffix(" abcdef01") for label in labels(page)] == [
        "shop v42",
        "api v7",
        "deploy",
    ]
    page.wait_for(lambda: len(page.all(".event-list li")) == 3, "the list")
    assert page.texts(".event-app") == ["(without a name)", "api", "shop"]
    link = page.one(".plots figure:first-child .mark:nth-child(2) a").get_attribute("href") or ""
    assert "#/compare/v7?app=api&" in link
    page.shot("marks-apps")
    # The overview has no plots; its trends have the lines.
    page.open("#/?window=1h")
    page.wait_for(lambda: page.all("#apps-table tbody tr"), "the apps")
    trend = "#apps-table .col-app-trend svg"
    page.wait_for(
        lambda: any("v42: deploy" in (one.get_attribute("aria-label") or "") for one in page.all(trend)),
        "a release in a trend",
    )
    own = page.run(
        "return [...document.querySelectorAll('#apps-table .released')].map((one) => one.getAttribute('d'))"
    )
    assert sum(bool(path) for path in own) == 2
    page.wait_for(lambda: len(page.all(".event-list li")) == 3, "the list")
    page.shot("overview-releases")


def test_the_events_are_listed_newest_first_and_filtered_by_kind(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    said(
        [
            release(42, 1_200, commit="9154a1d2"),
            replace(release(41, 3_000, "config"), text="v41: config CRON_ENABLED"),
        ],
        shop_rows(),
    )
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown("#events .more"), "the first events")
    first, second = page.texts(".event-text")[:2]
    assert first.startswith("web.3 Error R14 (Memory quota exceeded)\u00d728 since ")
    assert second == "web.2 State changed from up to crashed"
    assert page.texts(".event-filters button") == ["All10", "Releases2", "Dynos5", "Errors3"]
    page.one("#events .more").click()
    page.wait_for(lambda: len(page.all(".event-list li")) == 10, "all events")
    assert not page.is_shown("#events .more")
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('.event-list img').length") == 0
    assert any("<img src=x onerror=window.hacked=9>\\u202e" in text for text in page.texts(".event-text"))
    page.shot("events")
    page.one(".event-filters [data-filter=errors]").click()
    assert page.texts(".event-kind") == ["error", "state", "build"]
    page.one(".event-filters [data-filter=releases]").click()
    assert page.texts(".event-text") == ["v42 deploy 9154a1d2", "v41 config CRON_ENABLED"]
    assert page.one(".event-filters [data-filter=releases]").get_attribute("aria-pressed") == "true"
    said([], shop_rows()[:1])
    page.wait_for(lambda: page.text("#events .none") == "No releases in this window.", "nothing of the kind")


def test_an_event_leads_to_the_ten_minutes_around_it(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    found = release(42, 1_500)
    said([found])
    page.open(f"#/routes/{digest('/search')}?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown(".event-list li"), "the events, in a route's view, too")
    at_s = found.at_ms // 1000
    page.one(".event-time a").click()
    page.wait_for(lambda: "from=" in page.fragment(), "the zoom")
    assert page.fragment().startswith(f"#/routes/{digest('/search')}?app=shop&from=")
    start, end = (
        time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        for text in re.findall(r"(?:from|to)=([^&]+)", page.fragment())
    )
    assert start <= at_s - 300
    assert end >= at_s + 300
    assert end - start <= 620
    page.wait_for(lambda: page.text("#zoom-back") == "Back to the last hour", "the way back")
    page.wait_for(lambda: labels(page) and labels(page)[0].startswith("v42"), "its mark")


def test_times_of_events_follow_the_zone_of_the_page(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    said([release(42, 1_500)])
    page.open("#/?app=shop&window=1h")
    page.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    page.driver.refresh()
    page.wait_for(lambda: page.text(".event-time").endswith(" UTC+9"), "the reader's own zone")
    page.one("#zone").click()
    page.wait_for(lambda: page.text(".event-time").endswith(" UTC"), "UTC")
    tip = page.one(".plots .mark a").get_attribute("data-tip") or ""
    page.wait_for(
        lambda: " UTC\n" in (page.one(".plots .mark a").get_attribute("data-tip") or ""), f"UTC in {tip!r}"
    )


def test_an_app_without_events_is_told_how_they_come(
    page: Page, shop: redis.Redis, said: Callable[..., None]
) -> None:
    said([])
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: "arrive by themselves" in page.text("#events .none"), "the explanation")
    assert not page.is_shown(".event-list")
    assert not page.is_shown(".plots .marks")
    said([release(1, 900)], left_out=1_200)
    page.wait_for(lambda: page.text("#events .fine") == "1,200 older events are left out", "what is missing")
    said([], [])
    page.wait_for(lambda: not page.is_shown(".plots .marks"), "no marks again")


def test_releases_fit_a_phone_in_the_dark(page: Page, shop: redis.Redis, said: Callable[..., None]) -> None:
    said(
        [release(40 + n, 3_400 - 300 * n, "rollback" if n == 5 else "deploy") for n in range(11)], shop_rows()
    )
    page.open("#/?app=shop&window=1h", size=PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: labels(page), "marks")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    boxes = page.run(
        "return [...document.querySelectorAll('.plots figure:first-child .mark-label')]"
        ".map((one) => one.getBoundingClientRect().toJSON())"
    )
    assert all(one["right"] <= PHONE[0] and one["left"] >= 0 for one in boxes)
    assert all(one["right"] <= other["left"] + 1 for one, other in itertools.pairwise(boxes)), "side by side"
    page.shot("phone-marks-dark")


def test_the_plots_of_a_dyno_have_the_marks_too(
    page: Page, shop: redis.Redis, said: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch)(incident(time.time()))
    said([release(42, 150, commit="9154a1d2")])
    page.open("#/dynos/web.3?app=shop&window=5m")
    label = ".dyno-detail figure:first-child .mark-label"
    page.wait_for(lambda: page.is_shown(label), "the mark")
    assert page.texts(label) == ["v42 9154a1d2"]
    page.one(".dyno-detail figure:first-child .mark a").click()
    page.wait_for(lambda: page.fragment().startswith("#/compare/v42?app=shop&"), "the comparison")
    assert page.complaints() == []
