"""The table of routes: long paths, many rows, warnings beside it, and what has changed since before."""

from __future__ import annotations

import time

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.store.frame_events import Loss, record_once
from servers.figures import SeenRequest, fill
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import report_worker

pytestmark = pytest.mark.browser

LAPTOP = (1280, 800)
LONG = "/reports/" + "a-very-long-segment-" * 40 + "the-end"

RIGHT_EDGES = """
    const right = (one) => one.getBoundingClientRect().right;
    const cells = [...document.querySelectorAll("#table tbody tr > :last-child")].map(right);
    const { scrollWidth, clientWidth } = document.documentElement;
    return [right(document.querySelector("#table .sheet")), Math.max(...cells), scrollWidth - clientWidth];
"""


def test_one_very_long_path_takes_no_column_away_at_1280(page: Page, redis_client: redis.Redis) -> None:
    at_s = time.time() - 60
    seen = [SeenRequest(at_s, LONG, service_ms=123_456)] * 3
    seen += [SeenRequest(at_s, "/search", status="503", code=code) for code in ("H12", "H13", "H18", "H99")]
    fill(redis_client, seen, time.time())
    page.open("#/?window=5m", size=LAPTOP)
    page.wait_for_routes(2)
    sheet, cells, overflow = page.run(RIGHT_EDGES)
    assert overflow == 0
    assert cells <= sheet
    assert page.is_shown("#table td.col-max")
    longest = page.texts("#table td.col-max")
    assert any(text.endswith(" min") for text in longest), longest
    link = next(one for one in page.all("#table td.route a") if "the-end" in one.text)
    assert link.get_attribute("title") == LONG
    assert page.run(
        "const one = arguments[0].querySelector('.front'); return one.scrollWidth > one.clientWidth", link
    )
    assert page.run("return arguments[0].querySelector('.end').offsetWidth > 60", link), "its end is in sight"
    page.shot("long-path-1280")
    for size in ((760, 900), PHONE):
        page.open("#/?window=5m", size=size)
        page.wait_for_routes(2)
        assert page.run(RIGHT_EDGES)[2] == 0


def test_the_head_stays_in_sight_over_many_routes_and_says_how_many_there_are(
    page: Page, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    fill(
        redis_client,
        [SeenRequest(now_s - 60, f"/r{n:04}") for n in range(1_001) for _ in range(1 + (n > 0))],
        now_s,
        1_100,
    )
    page.open("#/?window=5m", size=LAPTOP)
    page.wait_for_routes(1_000)
    assert page.text("#routes-count") == "1,000 of 1,001 routes; the least used is left out"
    page.run("document.querySelectorAll('#table tbody tr')[300].scrollIntoView({block: 'center'})")
    bar, head, row = page.run(
        "const at = (one) => { const { top, bottom } = one.getBoundingClientRect(); return [top, bottom]; };"
        "return [document.querySelector('.bar'), document.querySelector('#table th.col-p95'),"
        " document.querySelectorAll('#table tbody tr')[300]].map(at)"
    )
    assert head[0] == pytest.approx(bar[1], abs=1), "the head stands right below the bar"
    assert row[0] > head[1]
    # By keyboard the focus is never hidden below the head.
    page.run("document.querySelectorAll('#table td.route a')[200].focus()")
    focused = page.run("return document.activeElement.getBoundingClientRect().top")
    assert focused >= head[1] - 1
    page.press("/", "r000")
    assert page.text("#routes-count") == "9 of 1,000 routes; the least used is left out"


def test_warnings_of_other_apps_take_one_line(page: Page, two_apps: redis.Redis) -> None:
    now_s = int(time.time())
    report_worker(two_apps, "replay", ago_s=120)
    record_once(two_apps, "a", "api", [Loss("L10", 12)], [], now_s)
    record_once(two_apps, "b", "billing", [Loss("L10", 7)], [], now_s)
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: len(page.all("#alerts li")) == 2, "one warning and one line")
    assert "No replay worker" in page.texts("#alerts li")[0]
    assert page.texts("#alerts li")[1] == "2 warnings of other apps"
    page.one("#alerts .fold button").click()
    assert len(page.all("#alerts li")) == 4
    assert page.run("return document.activeElement.textContent") == "Show fewer warnings"
    page.open("#/?app=api&window=1h")
    page.wait_for(
        lambda: page.texts("#alerts li")[-1:] == ["1 warning of other apps"], "its own warning first"
    )
    assert "12 messages from api were lost" in page.text("#alerts")
    page.open("#/?app=shop&window=1h", size=PHONE)
    page.wait_for(lambda: page.is_shown("#alerts"), "the line")
    assert page.texts("#alerts li") == ["1 warning: No replay worker is running; 2 warnings of other apps"]
    height = page.run("return document.getElementById('alerts').offsetHeight")
    assert height < 48, "one line"
    page.shot("phone-warnings")
    page.focus("#alerts button")
    page.press(Keys.ENTER)
    assert len(page.all("#alerts li")) == 4


CHANGES = """
    return [...document.querySelectorAll("#table tbody tr")].map((row) => {
      const cell = row.querySelector(".col-change-p95");
      const mark = cell.querySelector(".delta")?.dataset.shown ?? "none";
      return [row.querySelector(".route").textContent, cell.textContent, mark];
    });
"""


def test_changes_since_the_hour_before_are_sorted_by_size_and_marked_where_they_are_too_few(
    page: Page, redis_client: redis.Redis
) -> None:
    now_s = time.time()

    def spread(path: str, count: int, service_ms: float, ago_s: float) -> list[SeenRequest]:
        return [
            SeenRequest(now_s - ago_s - 1_500 * n / count, path, service_ms=service_ms + n % 7)
            for n in range(count)
        ]

    seen = [
        *spread("/slower", 400, 100, 3_700), *spread("/slower", 400, 300, 100),
        *spread("/faster", 400, 300, 3_700), *spread("/faster", 400, 100, 100),
        *spread("/seldom", 3, 10, 3_700), *spread("/seldom", 3, 900, 100),
        *spread("/new", 50, 50, 100),
    ]  # fmt: skip
    fill(redis_client, seen, now_s)
    report_worker(redis_client)
    page.open("#/?window=1h")
    page.wait_for_routes(4)
    assert not page.is_shown("#table th.col-change-p95")
    chooser = page.one("#routes .compare-with")
    assert [option.text for option in chooser.find_elements("css selector", "option")] == [
        "nothing",
        "the hour before",
        "yesterday",
        "a week ago",
    ]
    chooser.send_keys("the hour before")
    page.wait_for(lambda: page.fragment() == "#/?window=1h&compare=hour", "the choice in the address")
    page.wait_for(lambda: page.is_shown("#table th.col-change-p95"), "the columns of change")
    page.one("#table th.col-change-p95 button").click()
    rows = page.run(CHANGES)
    assert [name for name, *_ in rows] == ["/slower", "/faster", "/seldom", "/new"]
    assert [mark for *_, mark in rows] == ["yes", "yes", "no", "none"]
    assert rows[0][1].startswith("+")
    assert rows[1][1].startswith("\N{MINUS SIGN}")
    assert rows[2][1].endswith("? too few requests to say that it changed")
    page.one("#table th.col-change-p95 button").click()
    assert [name for name, *_ in page.run(CHANGES)] == ["/faster", "/slower", "/seldom", "/new"]
    page.run("document.querySelector('#table .delta[data-shown=no]').focus()")
    assert page.text("#tip").endswith("too few requests to say that it changed")
    assert "hour before" in page.text("#figures .before")
    same = set(page.texts("#table td.col-change-error_rate"))
    assert same == {"no change", "\N{EN DASH}"}, "what is the same is not in doubt"
    page.shot("changes-light")
    page.open("#/?window=1h&compare=hour", size=LAPTOP, prefers_color_scheme="dark")
    page.wait_for(lambda: page.is_shown("#table th.col-change-p95"), "the columns of change")
    sheet, cells, overflow = page.run(RIGHT_EDGES)
    assert (cells <= sheet, overflow) == (True, 0)
    page.shot("changes-1280-dark")
