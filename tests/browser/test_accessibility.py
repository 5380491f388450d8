"""axe-core finds no fault of accessibility in any view, light or dark, on a desktop or on a phone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from app.comparison.result import Comparison
from app.store.frame_events import Loss, record_once
from app.store.keys import digest
from drain.dashboard.endpoints import HEALTH_FRESH_S
from servers.axe_core import NoAxe, axe_script
from tests.browser import alerts, releases
from tests.browser.conftest import PHONE, Page
from tests.browser.dynos import answer_with, incident, of_dyno, postgres
from tests.browser.traffic import fill_shop, judged_run, report_worker
from tests.conftest import skip_or_fail
from tests.support import sample_result

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESKTOP = (1280, 900)
LOOKS = (("dark", DESKTOP), ("light", PHONE))
"""Each colour scheme and each size once: what axe-core finds depends on either alone."""

RUN = """
    const done = arguments[0];
    const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then(
      ({ violations, testEngine }) => done({
        version: testEngine.version,
        found: violations.flatMap(({ id, nodes }) =>
          nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`)),
      }),
      (fault) => done({ version: "", found: [String(fault)] }),
    );
"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    try:
        return axe_script()
    except NoAxe as reason:
        skip_or_fail("axe", str(reason))


def faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds wrong with what is shown, in any look."""
    page.run(axe)
    found = []
    for scheme, size in LOOKS:
        page.show_in(size, prefers_color_scheme=scheme)
        answer: dict[str, Any] = page.driver.execute_async_script(RUN)
        assert answer["version"] == "4.14.1"
        found += [f"{fault} ({scheme}, {size[0]} px wide)" for fault in answer["found"]]
    page.show_in(DESKTOP)
    return found


def open_all_details(page: Page) -> None:
    page.run("for (const one of document.querySelectorAll('main details')) one.open = true")


def wait_for_traffic(page: Page) -> None:
    page.wait_for(lambda: page.all("#table tbody tr"), "routes")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")


def test_it_finds_what_is_wrong(page: Page, axe: str, shop: redis.Redis) -> None:
    page.open("#/?window=1h", size=DESKTOP)
    wait_for_traffic(page)
    page.run("document.getElementById('filter').parentElement.replaceWith(document.createElement('input'))")
    page.run("document.querySelector('footer .fine').style.color = '#bbb'")
    found = {fault.split(":")[0] for fault in faults(page, axe)}
    assert {"label", "color-contrast"} <= found


def test_nothing_is_wrong_with_any_view_of_traffic(page: Page, axe: str, redis_client: redis.Redis) -> None:
    def look(fragment: str, is_there: Callable[[], object], name: str) -> None:
        page.open(fragment, size=DESKTOP)
        page.wait_for(is_there, name)
        assert faults(page, axe) == [], name

    report_worker(redis_client)
    look("#/", lambda: page.is_shown("#empty"), "empty")
    fill_shop(redis_client)
    record_once(redis_client, "a", "shop", [Loss("L10", 1_200)], [], int(time.time()))
    report_worker(redis_client, "replay", ago_s=120)
    time.sleep(HEALTH_FRESH_S)  # The server still has its answers of before.
    look("#/?window=1h&compare=hour", lambda: page.all("#apps-table tbody tr"), "the overview of apps")
    look("#/?app=shop&window=1h", lambda: page.all("#table tbody tr") and page.all("#alerts li"), "warnings")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    open_all_details(page)
    page.wait_for(lambda: page.all("#memory-parts li"), "the parts of the memory")
    page.focus(".plot")
    assert faults(page, axe) == [], "all that unfolds"
    look(
        "#/?app=shop&window=1h&compare=hour",
        lambda: page.all("#table tbody tr") and page.all(".names tbody tr"),
        "compared",
    )
    look("#/?app=shop&window=all&filter=nowhere", lambda: page.is_shown("#table .none"), "no match")
    search = digest("/search")
    look(f"#/routes/{search}?window=1h&compare=hour", lambda: page.all(".histogram"), "a route")
    page.one(".breakdown button").click()
    page.wait_for(lambda: page.text(".breakdown [role=status]") != "Reading the log …", "the breakdown")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    assert faults(page, axe) == [], "a route, broken down"
    now_s = int(time.time())
    past = f"app=shop&from={now_s - 1_800}&to={now_s - 900}"
    look(f"#/routes/{search}?{past}", lambda: page.is_shown("#go-live") and page.all(".histogram"), "past")
    look(f"#/routes/{'0' * 64}?from=never", lambda: page.is_shown("#missing"), "no such route")
    look("#/?app=nobody", lambda: page.is_shown("#missing"), "no such app")


def test_nothing_is_wrong_with_dynos(
    page: Page, axe: str, shop: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = time.time()
    answer_with(monkeypatch)(
        incident(now_s), addons=[postgres(now_s)], events=of_dyno(now_s), without_metrics=["shop"]
    )

    def look(fragment: str, is_there: Callable[[], object], name: str) -> None:
        page.open(fragment, size=DESKTOP)
        page.wait_for(is_there, name)
        open_all_details(page)
        assert faults(page, axe) == [], name

    look(
        "#/dynos?app=shop&window=5m",
        lambda: page.is_shown(".dyno-findings") and page.is_shown(".addon"),
        "dynos",
    )
    page.one("#dynos-filter").send_keys("nowhere")
    page.wait_for(lambda: page.is_shown(".dynos-list .none"), "no match")
    assert faults(page, axe) == [], "no match"
    shown = ".dyno-detail .plot canvas"
    look(
        "#/dynos/web.3?app=shop&window=5m",
        lambda: len(page.all(shown)) == 3 and page.is_shown(".dyno-events"),
        "a dyno",
    )
    look("#/dynos/web.99?app=shop&window=5m", lambda: page.is_shown(".dyno-detail .none"), "no such dyno")
    look("#/?app=shop&window=5m", lambda: page.all(".names .against"), "the summary")


def test_nothing_is_wrong_with_a_replay(page: Page, axe: str, shop: redis.Redis) -> None:
    page.open("#/replay", size=DESKTOP)
    page.wait_for(lambda: "No replays yet" in page.text("#replay"), "the explanation")
    assert faults(page, axe) == [], "none yet"
    for run_id, result in (
        ("failed", sample_result.failed()),
        ("slow", sample_result.too_slow()),
        ("limit", sample_result.found_limit()),
        ("passed", sample_result.passed()),
    ):
        judged_run(shop, run_id, result)
        page.open(f"#/replay/{run_id}", size=DESKTOP)
        page.wait_for(lambda: page.is_shown(".verdict"), run_id)
        open_all_details(page)
        assert faults(page, axe) == [], run_id


def test_nothing_is_wrong_with_releases_their_comparison_and_alerts(
    page: Page, axe: str, shop: redis.Redis
) -> None:
    def look(fragment: str, is_there: Callable[[], object], name: str) -> None:
        page.open(fragment, size=DESKTOP)
        page.wait_for(is_there, name)
        assert faults(page, axe) == [], name

    made = [releases.release(40 + n, 3_400 - 250 * n, "rollback" if n == 5 else "deploy") for n in range(12)]
    answers = page.site.answers
    answers["/api/events"] = lambda arguments: releases.events(made, releases.shop_rows(), left_out=3)
    answers["/api/compare"] = lambda arguments: releases.worse()
    firing = alerts.full_view()
    answers["/api/alerts"] = lambda arguments: firing
    marks = ".plots figure:first-child .mark button"
    look(
        "#/?app=shop&window=1h",
        lambda: page.is_shown("#events .more") and page.all(marks) and page.all(".incident-mark"),
        "marks, events, and alerts that fire",
    )
    page.run("document.querySelector(arguments[0]).click()", marks)
    page.wait_for(lambda: page.is_shown(".release-group"), "the list of a mark")
    assert faults(page, axe) == [], "the list of a mark"
    look("#/alerts?window=1h", lambda: page.is_shown(".budget"), "the view of alerts")
    open_all_details(page)
    page.one(".silence button").click()
    assert faults(page, axe) == [], "all of the alerts"
    answers["/api/alerts"] = lambda arguments: alerts.view(incomplete="metrics is 42 s behind")
    shown = "#comparison .verdict-text"
    look("#/compare/v42?app=shop", lambda: page.is_shown(shown), "a comparison")
    open_all_details(page)
    assert faults(page, axe) == [], "all of a comparison"
    answers["/api/compare"] = lambda arguments: Comparison("", refused="Name the app: `DRAIN_TOKENS`.")
    look("#/compare/v42", lambda: page.is_shown(shown), "one that is refused")
    answers["/api/events"] = lambda arguments: releases.events([])
    look("#/compare", lambda: page.is_shown(shown), "no release at all")
    look("#/?app=shop&window=1h", lambda: page.is_shown("#events .none"), "no events")
