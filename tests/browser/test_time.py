"""Any moment: zoomed into, stepped to, typed in, shared, and read in UTC or in the reader's own time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from app.store.keys import digest
from servers.figures import SeenRequest, fill
from tests.browser.conftest import Page
from tests.browser.traffic import ROUTES, report_worker

pytestmark = pytest.mark.browser

PAST = re.compile(r"#/\?from=(\S+Z)&to=(\S+?Z)(?:&|$)")


@pytest.fixture
def burst(redis_client: redis.Redis) -> int:
    """A quiet hour with one minute of 500s in it; gives the minute's start (Unix s)."""
    now_s = time.time()
    start_s = (int(now_s) // 60 - 12) * 60
    quiet = [SeenRequest(now_s - 5 - 13 * at, "/calm", app="shop") for at in range(300)]
    loud = [SeenRequest(start_s + at / 2, "/cart", status="500", app="shop") for at in range(120)]
    fill(redis_client, quiet + loud, now_s)
    report_worker(redis_client)
    return start_s


def shown_span(page: Page) -> tuple[int, int] | None:
    """The times of the address, Unix seconds."""
    found = PAST.match(page.fragment())
    if found is None:
        return None
    start, end = (int(datetime.fromisoformat(text).timestamp()) for text in found.groups())
    return start, end


def wait_for_plots(page: Page) -> None:
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    page.wait_for(lambda: "in steps of" in page.text("#span-times"), "the length of a step")


def x_of(page: Page, moment_s: int) -> float:
    """Where a moment is in the first plot, from its middle, in pixels."""
    script = """
        const box = document.querySelector(".plot .u-over").getBoundingClientRect();
        const times = arguments[0];
        return (times[0] - times[1]) / (times[2] - times[1]) * box.width - box.width / 2;
    """
    span = page.run("return window.plotted")
    return float(page.run(script, [moment_s, *span]))


def know_what_is_plotted(page: Page) -> None:
    """Puts the first and last time of the plots into `window.plotted`."""
    page.driver.execute_async_script(
        """
        const done = arguments[0];
        const query = new URLSearchParams(location.hash.split("?")[1]);
        const asked = new URLSearchParams();
        for (const name of ["window", "from", "to"]) if (query.has(name)) asked.set(name, query.get(name));
        fetch(`api/series?${asked}`).then((answer) => answer.json()).then((series) => {
          window.plotted = [series.times[0], series.times.at(-1)];
          done();
        });
        """
    )


def hands(page: Page) -> webdriver.ActionChains:
    return webdriver.ActionChains(page.driver, duration=0)


def drag(page: Page, from_s: int, to_s: int) -> None:
    know_what_is_plotted(page)
    over = page.one(".plot .u-over")
    start, end = x_of(page, from_s), x_of(page, to_s)
    actions = hands(page).move_to_element_with_offset(over, round(start), 0).click_and_hold()
    middle = round((start + end) / 2)
    actions.move_to_element_with_offset(over, middle, 5).move_to_element_with_offset(over, round(end), 5)
    actions.release().perform()


def test_a_drag_zooms_and_a_double_click_goes_back(page: Page, burst: int) -> None:
    page.open("#/?window=1h")
    wait_for_plots(page)
    drag(page, burst - 40, burst + 80)
    page.wait_for(lambda: shown_span(page) is not None, "the zoom")
    start, end = shown_span(page) or (0, 0)
    assert start <= burst
    assert end >= burst + 60
    assert end - start <= 300
    assert start % 10 == end % 10 == 0, "whole steps"
    page.wait_for(lambda: page.text("#live") == "past", "the state")
    page.wait_for(lambda: "in steps of 10 s" in page.text("#span-times"), "finer steps")
    assert page.text("#span-title").endswith(" UTC")
    assert page.is_shown("#go-live")
    page.wait_for(lambda: page.routes()[:1] == ["/cart"], "the route of that minute")
    page.shot("zoomed-light")
    first = page.fragment()
    drag(page, start + 60, start + 90)
    page.wait_for(lambda: page.fragment() != first, "a second zoom")
    inner = shown_span(page) or (0, 0)
    assert inner[1] - inner[0] in (30, 40, 50)
    wait_for_plots(page)
    hands(page).double_click(page.one(".plot .u-over")).perform()
    page.wait_for(lambda: page.fragment() == first, "the first zoom again")
    page.driver.refresh()
    wait_for_plots(page)
    assert page.text("#zoom-back") == "Back to the last hour", "a reload knows the way back"
    page.focus("#zoom-back")
    page.press(Keys.ENTER)
    page.wait_for(lambda: page.fragment() == "#/?window=1h", "the hour again")
    assert not page.is_shown("#zoom-back")
    page.wait_for(lambda: page.text("#live") == "live", "the state")
    page.driver.back()
    page.wait_for(lambda: page.fragment() == first, "Back works, too")
    page.one("#go-live").click()
    page.wait_for(lambda: page.fragment() == "#/?window=1h", "now")
    page.driver.back()
    page.wait_for(lambda: page.fragment() == first, "the zoom")
    page.one("#windows input[value='24h']").click()
    page.wait_for(lambda: page.fragment() == "#/?window=24h", "a window that ends now")
    assert page.complaints() == []


ZOOM = """
    const done = arguments[0];
    import("./static/js/travel.js").then(({ Travel }) => {
      let nav = { window: "5m", from: null, to: null };
      const travel = new Travel(() => nav, (next) => { nav = next; });
      travel.zoomTo({ from: 1003, to: 1017 });
      nav = { window: "", from: 1000, to: 1020 };
      travel.arrived();
      done([nav.from, nav.to, travel.last?.window]);
    });
"""


def test_a_zoom_to_between_two_steps_knows_the_way_back(page: Page, redis_client: redis.Redis) -> None:
    # Live figures may end between two steps, and an address has whole ones.
    page.open("#/?window=5m")
    assert page.driver.execute_async_script(ZOOM) == [1_000, 1_020, "5m"]


def test_a_past_span_stands_still(page: Page, burst: int, redis_client: redis.Redis) -> None:
    now_s = int(time.time())
    page.open(f"#/?from={now_s - 1_500}&to={now_s - 700}")
    wait_for_plots(page)
    page.wait_for_routes(2)
    page.site.asked.clear()
    page.wait_for(lambda: page.site.asked.count("/api/health") > 2, "the look at warnings")
    assert not {"/api/series", "/api/routes"} & set(page.site.asked)
    assert page.text("#live") == "past"


def test_the_cursor_tells_time_and_values_by_mouse_and_by_keyboard(page: Page, burst: int) -> None:
    page.open(f"#/?from={burst - 300}&to={burst + 300}")
    wait_for_plots(page)
    know_what_is_plotted(page)
    over = page.one(".plot .u-over")
    hands(page).move_to_element_with_offset(over, round(x_of(page, burst + 30)), 0).perform()
    labels = page.texts(".plot-time")
    moment = datetime.fromtimestamp(burst + 30, UTC).strftime("%H:%M:%S UTC")
    assert len(labels) == 3
    assert all(label.endswith(moment) for label in labels), labels
    assert len([label for label in page.all(".plot-time") if label.is_displayed()]) == 3
    assert page.texts(".keys b")[1] == "2.00", "errors per second in that step"
    page.shot("cursor-light")
    hands(page).move_to_element(page.one("#span-title")).perform()
    page.wait_for(lambda: not page.is_shown(".plot-time"), "the end of the label")

    slider = page.one(".plot")
    page.focus("#share")
    while page.run("return document.activeElement.className") != "plot":
        page.press(Keys.TAB)
    assert slider.get_attribute("role") == "slider"
    page.press(Keys.HOME)
    assert slider.get_attribute("aria-valuenow") == "0"
    page.press(*[Keys.ARROW_RIGHT] * 33)
    said = slider.get_attribute("aria-valuetext") or ""
    assert moment in said
    assert "errors 2.00" in said
    assert len([label for label in page.all(".plot-time") if label.is_displayed()]) == 3, "on all plots"
    page.press(Keys.ARROW_LEFT, Keys.END)
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax") == "59"
    page.press(Keys.HOME, *[Keys.PAGE_UP] * 3, Keys.ENTER)
    page.wait_for(lambda: shown_span(page) == (burst - 60, burst + 60), "the zoom around the cursor")
    page.press(Keys.ESCAPE)
    page.wait_for(lambda: shown_span(page) == (burst - 300, burst + 300), "what was before")
    hands(page).key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT).key_up(Keys.SHIFT).perform()
    page.wait_for(lambda: shown_span(page) == (burst - 900, burst - 300), "the ten minutes before")
    page.one("button[aria-keyshortcuts='Shift+ArrowRight']").click()
    page.wait_for(lambda: shown_span(page) == (burst - 300, burst + 300), "and those after")


def test_times_are_typed_in(page: Page, burst: int) -> None:
    page.open("#/?window=5m")
    wait_for_plots(page)
    page.one("#times summary").click()
    page.wait_for(lambda: page.run("return document.activeElement.id") == "time-from", "the form")
    page.press("soon", Keys.ENTER)
    assert page.text("#time-wrong").startswith("“soon” is not a time. Write ")
    clock = datetime.fromtimestamp(burst, UTC).strftime("%H:%M")
    page.run("document.activeElement.select()")
    page.press(clock, Keys.TAB)
    page.press(datetime.fromtimestamp(burst + 60, UTC).strftime("%Y-%m-%d %H:%M"), Keys.ENTER)
    page.wait_for(lambda: shown_span(page) == (burst, burst + 60), "that minute")
    page.wait_for(lambda: page.routes()[:1] == ["/cart"], "its routes")
    assert page.run("return document.activeElement.tagName") == "SUMMARY"
    page.press(Keys.ENTER)
    typed = datetime.fromtimestamp(burst, UTC).strftime("%Y-%m-%d %H:%M:%S")
    page.wait_for(lambda: page.one("#time-from").get_attribute("value") == typed, "the times shown")
    page.press(Keys.ESCAPE)
    assert not page.is_shown("#time-from")
    assert shown_span(page) == (burst, burst + 60), "Escape closed the form alone"
    page.open("#/?from=yesterday&to=now")
    page.wait_for(lambda: "Showing the last 5 minutes instead." in page.text(".time-fault"), "the reason")


READ = """
    const [cases, nowS, done] = arguments;
    import("./static/js/moments.js").then(({ readSpan }) => done(cases.map(([from, to]) => {
      const found = readSpan(from, to, nowS, true);
      return found.fault ?? [found.from - nowS, found.to - nowS];
    })));
"""
NOW_S = 1_795_600_200
"""2026-11-25 09:50 UTC."""


def test_times_as_people_write_them(page: Page, redis_client: redis.Redis) -> None:
    hour, day = 3_600, 86_400
    kept = "The start is too long ago: figures are kept for 31 days."
    cases: list[tuple[str, str, object]] = [
        ("2h", "", [-2 * hour, 0]),
        ("2h ago", "1h ago", [-2 * hour, -hour]),
        ("-90s", "now", [-90, 0]),
        ("1w", "3d", [-7 * day, -3 * day]),
        ("09:00", "09:30", [-50 * 60, -20 * 60]),
        ("23:50", "00:10", [-10 * hour, -9 * hour - 40 * 60]),
        ("23:50", "23:55:30", [-10 * hour, -10 * hour + 330]),
        ("2026-11-24 09:50", "09:55", [-day, -day + 300]),
        ("2026-11-24", "2026-11-25T00:00Z", [-day - 35_400, -35_400]),
        ("2026-11-25T10:30+01:00", "09:40 UTC", [-20 * 60, -10 * 60]),
        ("24 Nov 09:50:03", "25 Nov", [-day, -35_400]),
        (str(NOW_S - 60), str(NOW_S + 600), [-60, 0]),
        ("4s", "", [-10, 0]),
        ("31d", "", [-31 * day, 0]),
        ("40d", "", kept),
        ("2026-02-31", "now", "“2026-02-31” is not a time."),
        ("25:00", "now", "“25:00” is not a time."),
        ("1h", "5 o'clock", "“5 o'clock” is not a time."),
        ("2026-11-26", "", "The start is in the future."),
        ("1h", "2h", "The end must be after the start."),
    ]
    page.open("#/")
    found = page.driver.execute_async_script(READ, [case[:2] for case in cases], NOW_S)
    for (start, end, wanted), got in zip(cases, found, strict=True):
        if isinstance(wanted, str):
            assert str(got).startswith(wanted), (start, end)
        else:
            assert got == wanted, (start, end)


@pytest.fixture
def elsewhere(page: Page) -> Iterator[Page]:
    """A second window of the browser, with nothing remembered, whose clocks are eight hours behind UTC."""
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    page.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "America/Los_Angeles"})
    yield page
    page.driver.close()
    page.driver.switch_to.window(first)


def figures(page: Page) -> list[str]:
    return [*page.texts("#figures dd:not(.sub)"), *page.texts("#table td.col-count"), *page.routes()]


def test_a_shared_link_shows_the_same_in_another_time_zone(
    page: Page, burst: int, request: pytest.FixtureRequest
) -> None:
    page.open(f"#/?from={burst - 300}&to={burst + 300}&app=shop")
    page.wait_for_routes(2)
    page.run("document.querySelector('th.col-route button').click()")
    page.focus("#filter")
    page.press("ca")
    page.run(
        "Object.defineProperty(navigator, 'clipboard', {configurable: true,"
        " value: {writeText: async (text) => { window.copied = text; }}})"
    )
    page.one("#share").click()
    page.wait_for(lambda: page.text("#share") == "Copied", "the word")
    link = page.run("return window.copied")
    assert link.endswith("&sort=route&filter=ca")
    assert "app=shop&from=20" in link
    page.run("Object.defineProperty(navigator, 'clipboard', {configurable: true, value: undefined})")
    page.one("#share").click()
    page.wait_for(lambda: page.is_shown("#share-link"), "the link, to be copied by hand")
    assert page.run("return getSelection().toString() || document.activeElement.value") == link
    wait_for_plots(page)
    mine, span = figures(page), page.text("#span-title")

    other: Page = request.getfixturevalue("elsewhere")
    other.driver.get(link)
    other.wait_for_routes(2)
    wait_for_plots(other)
    assert figures(other) == mine
    assert other.one("#filter").get_attribute("value") == "ca"
    local = other.text("#span-title")
    assert local.endswith(" UTC-8")
    assert local != span
    other.one("#zone").click()
    assert other.text("#span-title") == span, "the same moment, in UTC"
    other.driver.refresh()
    wait_for_plots(other)
    assert other.text("#span-title") == span, "the choice is remembered"
    assert other.text("#zone") == "UTC"
    other.one("#zone").click()
    assert other.text("#span-title") == local


def test_a_link_of_a_live_view_has_the_times_that_were_shown(page: Page, burst: int) -> None:
    page.open(f"#/routes/{digest('/cart')}?app=shop&window=1h")
    wait_for_plots(page)
    page.one("#share").click()
    page.wait_for(lambda: page.text("#share") != "Copy link", "the answer of the button")
    link = page.one("#share-link").get_attribute("value") or ""
    found = re.search(rf"#/routes/{digest('/cart')}\?app=shop&from=(\S+Z)&to=(\S+Z)&sort=-count$", link)
    assert found, link
    start, end = (datetime.fromisoformat(text).timestamp() for text in found.groups())
    assert end - start == pytest.approx(3_600, abs=70)
    assert end == pytest.approx(time.time(), abs=40)


def test_sort_and_filter_are_kept_by_a_reload_and_by_back(page: Page, shop: redis.Redis) -> None:
    page.open("#/?app=shop&window=1h")
    page.wait_for_routes(len(ROUTES))
    page.run("document.querySelector('th.col-p95 button').click()")
    page.focus("#filter")
    page.press("product")
    page.wait_for_routes(2)
    assert page.fragment() == "#/?app=shop&window=1h&sort=-p95&filter=product"
    page.run("localStorage.clear()")
    page.driver.refresh()
    page.wait_for_routes(2)
    assert page.one("th.col-p95").get_attribute("aria-sort") == "descending"
    assert page.one("#filter").get_attribute("value") == "product"
    page.one("td.route a").click()
    page.wait_for(lambda: page.all(".histogram"), "the route")
    page.driver.back()
    page.wait_for_routes(2)
    assert page.text("#routes-count") == f"2 of {len(ROUTES)} routes"
    page.run("location.hash = '#/?app=shop&window=1h&sort=nonsense'")
    page.wait_for_routes(len(ROUTES))


def test_a_plot_has_a_table_behind_it(page: Page, burst: int) -> None:
    page.open(f"#/?from={burst - 60}&to={burst + 60}")
    wait_for_plots(page)
    assert page.all(".plot-data tbody tr") == [], "nothing is built while it is closed"
    page.one(".plot-data summary").click()
    page.wait_for(lambda: len(page.all(".plot-data tbody tr")) == 12, "twelve steps")
    assert page.texts(".plot-data[open] thead th") == ["Time (UTC)", "all", "errors"]
    moment = datetime.fromtimestamp(burst, UTC).strftime("%H:%M:%S")
    row = page.texts(".plot-data[open] tbody tr:nth-child(6) :is(th, td)")
    assert row[0].endswith(moment)
    assert row[2] == "2.00"
    csv = page.one(".plot-data[open] a.button").get_attribute("href") or ""
    assert csv.endswith(f"/api/series.csv?from={burst - 60}&to={burst + 60}")
    page.shot("plot-data-light")
