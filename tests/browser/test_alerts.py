"""Incidents on top of every view, the view of alerts, marks on the plots, and the tab's title and icon."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.alerts.board import Silence
from app.alerts.redis.view import AlertsView
from app.store.keys import digest
from tests.browser.alerts import HOSTILE_TITLE, REQUEST_ID, alarm, full_view, now, reasoned, view
from tests.browser.conftest import PHONE, WIDE, Page, Site

pytestmark = pytest.mark.browser

CARD = ".incident"
ICON = "document.getElementById('icon').href"


@pytest.fixture
def answer(page: Page, site: Site) -> Callable[[AlertsView], None]:
    """Makes the API answer with a view of alerts from now on, and the page ask for it."""

    def answer(found: AlertsView) -> None:
        site.answers["/api/alerts"] = lambda arguments: found
        page.run("dispatchEvent(new Event('online'))")

    return answer


def span_of(address: str) -> tuple[float, float]:
    """The times in an address."""
    start, end = (
        time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        for text in re.findall(r"(?:from|to)=([^&]+)", address)
    )
    return start, end


def wait_for_text(page: Page, selector: str, part: str) -> None:
    page.wait_for(lambda: part in page.text(selector), f"{part!r} in {selector}")


def icon(page: Page) -> str:
    return str(page.run(f"return {ICON}")).rpartition("/")[2]


def test_what_fires_is_on_top_of_every_view_with_its_reason_until_it_is_resolved(
    page: Page, two_apps: redis.Redis, answer: Callable[[AlertsView], None]
) -> None:
    answer(view(reasoned(), alarm("i3", HOSTILE_TITLE, app="api", route="", ago_s=700)))
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: page.is_shown(CARD), "the incident")
    page.wait_for(lambda: len(page.all(".plot canvas")) == 3, "plots")
    assert page.text(f"{CARD} .severity") == "▲ Critical", "not by colour alone"
    assert page.text(f"{CARD} .incident-title") == "shop: 20.3 % of requests to /checkout fail"
    card = page.text(CARD)
    for part in (
        "20.3 % of 1,240 requests failed, the limit is 2 %.",
        "Usual: 0.1 % at this time yesterday.",
        "web.3 has 96 % of the failures and 10 % of the requests",
        "7 min after v42, 9154a1d2: deploy",
        "POST /checkout 503 H12 web.3 30.0 s",
        "Restart the dyno: heroku ps:restart web.3 -a shop.",
    ):
        assert part in card
    since = page.text(".incident-since")
    assert re.fullmatch(r"for 4 min \d+ s, since \d\d:\d\d:\d\d UTC", since)
    page.wait_for(lambda: page.text(".incident-since") != since, "another second")
    page.shot("alerts-firing-light")
    page.show_in(WIDE, prefers_color_scheme="dark")
    page.shot("alerts-firing-dark")
    page.show_in(PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: len(page.all(".incident-mark")) == 3, "its marks")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("alerts-firing-phone-dark")
    page.show_in(WIDE)
    # Where its parts lead.
    links = {
        link.text or "moment": link.get_attribute("href") or ""
        for link in page.all(f"{CARD} a")
    }  # fmt: skip
    route = f"#/routes/{digest('/checkout')}?app=shop&from="
    assert all(route in links[name] for name in ("Show that moment", "/checkout", REQUEST_ID))
    assert span_of(links["Show that moment"])[0] == pytest.approx(now() - 252 - 600, abs=60)
    assert "#/compare/v42?app=shop&" in links["Before and after"]
    # Of another app, one line.
    assert len(page.all(CARD)) == 1
    assert page.text(".incident-fold").startswith("1 alert of other apps: shop: <img src=x onerror")
    page.one(".incident-fold").click()
    page.wait_for(lambda: len(page.all(CARD)) == 2, "the other one")
    assert page.run("return [window.hacked, document.querySelectorAll('.incident img').length]") == [None, 0]
    # On every view, and in the tab.
    assert (page.driver.title, icon(page)) == ("(2) shop · Tailrace", "icon-firing.svg")
    for fragment in ("#/dynos?app=shop&window=1h", "#/replay", "#/compare?app=shop", "#/alerts?app=shop"):
        page.run("location.hash = arguments[0]", fragment)
        page.wait_for(lambda: page.is_shown(CARD) and page.driver.title.startswith("(2) "), fragment)
    assert page.text("#alerts-count") == "2 firing"
    answer(view(reasoned()))
    page.wait_for(
        lambda: page.driver.title == "● shop: 20.3 % of requests to /checkout fail · Tailrace", "its title"
    )
    answer(view(history=[reasoned(lasted_s=120)]))
    wait_for_text(
        page, ".lately", "✓ Resolved 2 min ago after 2 min: shop: 20.3 % of requests to /checkout fail"
    )
    assert not page.is_shown(CARD)
    assert page.text(".incidents [role=alert]") == "Resolved: shop: 20.3 % of requests to /checkout fail."
    assert (page.driver.title, icon(page)) == ("Alerts · shop · Tailrace", "icon.svg")
    assert page.complaints() == []


def test_nothing_is_green_while_nothing_is_known(
    page: Page, shop: redis.Redis, answer: Callable[[AlertsView], None], site: Site
) -> None:
    answer(view())
    page.open("#/?app=shop&window=5m")
    page.wait_for(lambda: page.text("#live") == "live", "figures")
    page.wait_for(lambda: "/api/alerts" in site.asked, "the question")
    assert not page.is_shown("#incidents"), "nothing fires, and nothing is said"
    answer(view(reasoned(), incomplete="metrics is 42 s behind"))
    wait_for_text(
        page,
        ".alerts-unknown",
        "Alerts: not known, because metrics is 42 s behind. What follows was last known at ",
    )
    assert page.is_shown(CARD)
    page.shot("alerts-unknown")
    answer(view(incomplete="metrics is 42 s behind"))
    page.wait_for(
        lambda: (page.driver.title, icon(page)) == ("(?) shop · Tailrace", "icon-unknown.svg"),
        "it in the tab",
    )
    answer(view(evaluated_by="", evaluated_s=None))
    wait_for_text(
        page, ".alerts-unknown", "because no process judges the rules. Start metrics, which judges them, too"
    )
    answer(view(evaluated_s=now() - 300))
    wait_for_text(page, ".alerts-unknown", "because the rules were last judged at ")
    assert page.text("#alerts-count") == "? not known"
    # The answer itself fails, and nothing else does.
    answer(view(reasoned()))
    page.wait_for(lambda: not page.is_shown(".alerts-unknown"), "what is known")
    # A reader's clock that is wrong makes nothing unknown.
    page.run("window.right = Date.now; Date.now = () => window.right() + 600000")
    answer(view(reasoned(title="shop: another")))
    wait_for_text(page, ".incident-title", "shop: another")
    assert not page.is_shown(".alerts-unknown")
    page.run("Date.now = window.right")

    def fail(arguments: object) -> object:
        raise redis.ConnectionError

    site.answers["/api/alerts"] = fail
    page.run("dispatchEvent(new Event('online'))")
    wait_for_text(page, ".alerts-unknown", "because they cannot be read (Redis is unreachable)")
    assert page.is_shown(CARD), "what was known stays"
    assert page.text("#live") == "live"
    assert not page.is_shown("#outage")


def test_more_than_three_are_folded_and_silenced_ones_come_last(
    page: Page, shop: redis.Redis, answer: Callable[[AlertsView], None]
) -> None:
    many = [alarm(f"i{n}", f"shop: number {n}", rule=f"r{n}") for n in range(4)]
    many.append(alarm("i4", "number 4", rule="r4", app=""))
    answer(view(*many, silences=[Silence("r0", "shop", now() + 3_600)]))
    page.open("#/?app=shop&window=1h")
    page.wait_for(lambda: len(page.all(CARD)) == 3, "three")
    assert page.texts(".incident-title") == [f"shop: number {n}" for n in (1, 2, 3)]
    assert page.text(".incident-fold") == "2 more alerts"
    assert len(page.all(".incident [open]")) == 1, "the others say how bad and what"
    page.focus(".incident:nth-child(2) summary")
    page.press(Keys.ENTER)
    page.wait_for(lambda: len(page.all(".incident [open]")) == 2, "the second one, by keyboard")
    page.focus(".incident-fold")
    page.press(Keys.ENTER)
    page.wait_for(lambda: len(page.all(CARD)) == 5, "all of them")
    assert page.texts(".incident-title")[-1] == "shop: number 0"
    assert page.text(".incident:last-child .silenced").startswith("silenced until ")
    assert page.text(".incident:nth-child(4) .silence button") == "Silence for every app"
    assert page.driver.title == "(4) shop · Tailrace", "not the one that somebody has silenced"


def test_the_view_of_alerts_has_incidents_rules_targets_silences_and_budgets(
    page: Page, two_apps: redis.Redis, answer: Callable[[AlertsView], None]
) -> None:
    answer(full_view())
    page.open("#/?window=1h")
    page.wait_for(lambda: page.is_shown("#apps-table tbody tr"), "the overview")
    trend = "#apps-table .col-errors-trend svg"
    page.wait_for(
        lambda: "Alert: shop: 20.3 %" in (page.one(trend).get_attribute("aria-label") or ""),
        "marks in the trends",
    )
    assert page.texts(".budget-lines li") == [
        "Objective search, shop /search, 99 % over 30 d: ▲ overdrawn by 31.0 %"
    ]
    page.shot("alerts-overview")
    page.one("#to-alerts").click()
    page.wait_for(lambda: page.is_shown("#alerts-view tbody tr"), "the view")
    assert page.fragment() == "#/alerts?window=1h"
    states = page.texts("[aria-label=Incidents] .alert-state")
    assert states == [
        "▲critical, firing",
        "◆warning, firing",
        "▲critical, firing",
        "✓warning, resolved",
        "✓critical, resolved",
    ]
    assert page.texts("[aria-label=Incidents] .col-length")[1:] == [
        "4 min",
        "25 min",
        "12 min",
        "22 min",
        "8 min",
    ]
    assert page.texts("[aria-label=Rules] .alert-state") == ["▲firing", "◔pending (3)", "?not known", "✓fine"]
    slow = page.texts("[aria-label=Rules] tbody tr:nth-child(2) > *")
    assert slow[1:6] == ["slow", "p95 > 800ms", "each route of shop", "2 min", "ops"]
    assert page.texts("[aria-label=Targets] .alert-state") == ["✓works", "▲failing", "○not used yet"]
    trouble = page.texts("[aria-label=Targets] .col-trouble")[2]
    assert "answered 503" in trouble
    assert "2 messages waiting; 1 message given up, the last at " in trouble
    assert page.text(".silences li").startswith("The rule memory of shop")
    assert page.texts(".budget strong") == ["62.0 % left", "▲ overdrawn by 31.0 %", "no requests yet"]
    assert "471 of 1,240,000 requests missed it: 0.4 times the pace that lasts for 30 d." in page.text(
        ".budgets"
    )
    page.shot("alerts-view-light")
    page.show_in(PHONE, prefers_color_scheme="dark")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("alerts-view-phone-dark")
    page.show_in(WIDE)
    page.focus("[aria-label=Rules] th.col-rule button")
    page.press(Keys.ENTER)
    assert page.texts("[aria-label=Rules] tbody th")[0].startswith("errors")
    # Of one app, its own.
    page.open("#/alerts?app=api&window=1h")
    page.wait_for(lambda: len(page.all("[aria-label=Incidents] tbody tr")) == 1, "the incident of api")
    assert len(page.all(".budget")) == 1
    answer(AlertsView())
    wait_for_text(page, ".alerts-standing", "No rule is in force: nothing is judged.")
    page.wait_for(lambda: page.is_shown(".budgets") is False, "empty states")
    told = page.text("#alerts-view")
    for part in (
        "No incident in this window.",
        "under alerts: in the file of TAILRACE_CONFIG",
        "set ALERT_SLACK_URL",
        "slo: {objective: 99.9%",
        "Nothing is silenced.",
    ):
        assert part in told
    page.shot("alerts-view-empty")


def test_incidents_are_marked_on_the_plots_from_their_beginning_to_their_end(
    page: Page, shop: redis.Redis, answer: Callable[[AlertsView], None]
) -> None:
    over = alarm("h1", ago_s=1_800, lasted_s=600)
    elsewhere = alarm(
        "h2",
        "shop: p95 of /search is 1.4 s",
        ago_s=3_000,
        lasted_s=300,
        rule="slow",
        route="/search",
        severity="warning",
    )
    answer(
        view(alarm("i1", "shop: no request", ago_s=300, route="", rule="silence"), history=[over, elsewhere])
    )
    page.open("#/?app=shop&window=1h")
    marks = ".plots figure:first-child .incident-mark"
    page.wait_for(lambda: len(page.all(marks)) == 3, "the marks")
    assert page.texts(f"{marks} .incident-label") == ["◆ slow", "▲ errors", "▲ silence"]
    assert len(page.all(".plots .incident-mark")) == 9, "three on each of three plots"
    spans = page.run(
        """
        const over = document.querySelector(".plot .u-over").getBoundingClientRect();
        return [...document.querySelectorAll(".plots figure:first-child .incident-span")].map((one) => {
          const box = one.getBoundingClientRect();
          return [(box.left - over.left) / over.width, box.width / over.width, box.bottom - over.bottom];
        });
        """
    )
    assert [left for left, _, _ in spans] == pytest.approx([1 / 6, 1 / 2, 11 / 12], abs=0.02)
    assert [width for _, width, _ in spans] == pytest.approx([1 / 12, 1 / 6, 1 / 12], abs=0.03)
    assert all(abs(below) <= 1 for _, _, below in spans), "down to the axis"
    page.shot("alerts-marks")
    moment = time.strftime("%H:%M:%S UTC", time.gmtime(over.incident.began_s))
    line = f"shop: 20.3 % of requests to /checkout fail, {moment}, for 10 min"
    link = page.all(f"{marks} a")[1]
    assert link.get_attribute("data-tip") == f"▲ {line}\nClick: show that moment"
    assert f"Critical alert: {line}: show that moment" in page.texts(f"{marks} a")[1]
    # The keyboard reaches them in front of the first plot alone, and its cursor tells of them.
    page.run("document.querySelectorAll(arguments[0])[2].focus()", f"{marks} a")
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.className") == "plot"
    assert page.run("return document.activeElement.ariaValueText").endswith("; alert: shop: no request")
    page.press(Keys.TAB, Keys.TAB)
    assert page.run("return document.activeElement.className") == "plot"
    page.run("document.querySelectorAll(arguments[0])[1].click()", f"{marks} a")
    page.wait_for(
        lambda: page.fragment().startswith(f"#/routes/{digest('/checkout')}?app=shop&from="), "the moment"
    )
    start, end = span_of(page.fragment())
    assert start <= over.incident.began_s - 590
    assert end >= over.incident.began_s + 890
    # A route has its own ones, and those of its app.
    page.open(f"#/routes/{digest('/checkout')}?app=shop&window=1h")
    page.wait_for(lambda: page.texts(f"{marks} .incident-label") == ["▲ errors", "▲ silence"], "its marks")
    # Those that begin close to one another share a label, which lists them.
    answer(view(history=[over, replace(over, incident=replace(over.incident, id="h3"))]))
    page.wait_for(lambda: page.texts(f"{marks} .incident-label") == ["▲ \u00d72"], "one label")
    page.one(f"{marks} a").click()
    page.wait_for(lambda: page.fragment().startswith("#/alerts?app=shop&from="), "the list")
    assert page.complaints() == []
