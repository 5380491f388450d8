"""From a route to why: single requests, and which dyno, method, status or code they have in common."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import redis

from app.message import message_id
from app.store.keys import digest
from servers.figures import SeenRequest, fill
from servers.messages import router_message
from tests.browser.conftest import PHONE, Page
from tests.browser.traffic import report_worker
from tests.support.logged import write_log

pytestmark = pytest.mark.browser

ROUTE = f"#/routes/{digest('/checkout')}?app=shop&window=5m"

TABLE = """
    return [...document.querySelectorAll(arguments[0] + " tbody tr")].map((row) =>
      Object.fromEntries([...row.cells].map((cell) => [cell.dataset.name ?? "head", cell.textContent])));
"""


def incident(now_s: float) -> list[SeenRequest]:
    """Three dynos, of which one fails nine times in ten, and one request that timed out."""
    fine = [
        SeenRequest(now_s - 200 + n, "/checkout", dyno=f"web.{1 + n % 3}", service_ms=20 + n, app="shop")
        for n in range(60)
    ]
    bad = [
        replace(seen, status="500") if seen.dyno == "web.3" and n % 10 else seen
        for n, seen in enumerate(fine)
    ]
    late = SeenRequest(
        now_s - 90, "/checkout", status="503", code="H12", service_ms=30_000, method="POST", app="shop"
    )
    return [*bad, late, *[SeenRequest(now_s - 80, "/cart", app="shop", dyno="web.1")] * 7]


def into_log(store: redis.Redis, seen: Sequence[SeenRequest]) -> None:
    """The same lines in the log that the figures have counted."""
    write_log(
        store,
        [
            router_message(one.line(), one.at_s, id=message_id("f", n), app=one.app)
            for n, one in enumerate(seen)
        ],
    )


def test_a_breakdown_of_a_short_span_is_read_from_the_log_at_once_and_of_a_long_one_when_asked_for(
    page: Page, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    seen = incident(now_s)
    fill(redis_client, seen, now_s)
    into_log(redis_client, seen)
    report_worker(redis_client)
    page.open(ROUTE)
    page.wait_for(lambda: page.all(".histogram"), "the route")
    page.wait_for(lambda: page.text(".breakdown [role=status]").startswith("From the log"), "the breakdown")
    note = page.text(".breakdown [role=status]")
    assert f"{len(seen)} lines, all of the window; 61 requests of this route" in note
    dynos = {row["head"]: row for row in page.run(TABLE, ".breakdown [aria-label='By dyno']")}
    assert set(dynos) == {"web.1", "web.2", "web.3"}
    assert dynos["web.3"]["Errors"].startswith("18 · ")
    assert dynos["web.2"]["Errors"] == "0"
    assert [row["head"] for row in page.run(TABLE, ".breakdown [aria-label='By status']")] == [
        "200",
        "500",
        "503",
    ]
    assert [row["head"] for row in page.run(TABLE, ".breakdown [aria-label='By method']")] == ["GET", "POST"]
    assert page.text(".breakdown button") == "Read again"
    page.shot("breakdown")
    # In another window it is another one.
    page.run("location.hash = arguments[0]", ROUTE.replace("5m", "1h"))
    page.wait_for(lambda: page.text(".breakdown button") == "Read the log", "nothing of the other window")
    assert not page.is_shown(".breakdown table")
    page.one(".breakdown button").click()
    page.wait_for(lambda: page.is_shown(".breakdown table"), "the breakdown of the hour")
    page.open(ROUTE, size=PHONE)
    page.wait_for(lambda: page.all(".histogram"), "the route")
    page.wait_for(lambda: page.is_shown(".breakdown table"), "the breakdown")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]


def test_why_a_breakdown_cannot_be_read_is_said(page: Page, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, incident(now_s), now_s)
    page.open(ROUTE.replace("5m", "1h"))
    page.wait_for(lambda: page.all(".histogram"), "the route")
    page.site.stop()
    page.one(".breakdown button").click()
    page.wait_for(lambda: page.text(".breakdown [role=status]") == "The server does not answer.", "why")
    page.site.start()
    page.one(".breakdown button").click()
    page.wait_for(lambda: "0 requests of this route" in page.text(".breakdown [role=status]"), "an empty log")
    assert not page.is_shown(".breakdown table")


def test_samples_have_an_id_that_can_be_copied(page: Page, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, incident(now_s), now_s)
    page.open(ROUTE)
    page.wait_for(lambda: page.is_shown(".samples .id button"), "samples")
    slowest = page.run(TABLE, ".samples table[aria-label='Slowest requests']")
    assert slowest[0]["Service"] == "30.0 s"
    assert (slowest[0]["Status"], slowest[0]["Code"], slowest[0]["Dyno"]) == ("503", "H12", "web.1")
    failed = page.run(TABLE, ".samples table[aria-label='Latest failed requests']")
    assert failed[0]["Code"] == "H12", "the latest first"
    assert {row["Status"] for row in failed} == {"500", "503"}
    assert {row["Dyno"] for row in failed[1:]} == {"web.3"}
    own = page.text(".samples .id code")
    page.one(".samples .id button").click()
    page.wait_for(
        lambda: page.text(".samples .id button") in ("Copied", "Selected"), "an answer of the button"
    )
    page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.wait_for(lambda: page.text(".samples .id button") == "Copy", "the button as it was")
    page.one(".samples .id button").click()
    page.wait_for(lambda: page.text(".samples .id button") == "Selected", "the way without a clipboard")
    assert page.run("return getSelection().toString()") == own
    heads = page.run("return [...document.querySelectorAll('.samples tbody th')].map((one) => one.scope)")
    assert set(heads) == {"row"}
    page.shot("samples")
    page.open(ROUTE, size=PHONE, prefers_color_scheme="dark")
    page.wait_for(lambda: page.is_shown(".samples .id button"), "samples")
    assert page.run("return document.documentElement.scrollWidth") == PHONE[0]
    page.shot("phone-samples-dark")


def test_the_dyno_with_the_errors_is_seen_at_once(page: Page, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, incident(now_s), now_s)
    page.open("#/?app=shop&window=5m")
    page.wait_for(lambda: page.all(".names[aria-label=Dynos] tbody tr"), "dynos")
    rows = page.run(TABLE, ".names[aria-label=Dynos]")
    assert rows[0]["head"] == "web.3"
    assert rows[0]["Of all errors"] == "95 %"
    assert page.text(".names .finding") == "web.3 has 95 % of the errors, with 29 % of the requests."
    assert page.run(TABLE, ".names[aria-label=Hosts]")[0]["head"] == "shop.example.com"
    assert page.text(".names[aria-label=Dynos] .panel-head .fine") == ""
    page.shot("dynos")
    page.run("location.hash = '#/?app=shop&window=7d'")
    page.wait_for(
        lambda: page.text(".names[aria-label=Dynos] .panel-head .fine") == "last 24 h", "what is kept"
    )
