"""The Replay tab for everybody: by keyboard, on a phone, in both themes, with a screen reader."""

from __future__ import annotations

import pytest
import redis
from selenium.webdriver.common.keys import Keys

from app.store import replay
from app.store.run_result import RunResult
from tests.browser.conftest import PHONE, WIDE, Page
from tests.browser.test_replay_verdict import CHECK, open_run
from tests.browser.traffic import judged_run
from tests.support import sample_result

pytestmark = pytest.mark.browser

NARROW = (320, 700)

# The contrast of WCAG 2 between an element's text and what is painted behind it.
CONTRAST = """
    const channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (text) => {
      const [r, g, b] = channels(text).map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
      const { backgroundColor } = getComputedStyle(one);
      const isClear = backgroundColor === "transparent" || channels(backgroundColor)[3] === 0;
      return isClear ? behind(one.parentElement) : backgroundColor;
    };
    return [...document.querySelectorAll(arguments[0])].filter((one) => one.offsetParent).map((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
      return [one.textContent, (a + 0.05) / (b + 0.05)];
    });
"""


def test_an_update_keeps_focus_and_what_is_unfolded(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.failed())
    open_run(page, "r1")
    page.focus(".threshold .more summary")
    page.press(Keys.ENTER)
    judged_run(shop, "r1", sample_result.failed())
    replay.record_result(shop, "r1", _with_reason(sample_result.failed(), "one more reason"))
    page.wait_for(lambda: page.text(".reasons li") == "one more reason", "the update")
    assert page.run("return document.activeElement.textContent") == "2 routes: 1 not judged, 1 met"
    assert page.is_shown(".more .findings")


def _with_reason(result: RunResult, reason: str) -> RunResult:
    result.reasons.insert(0, reason)
    return result


@pytest.mark.parametrize("size", [PHONE, NARROW])
def test_a_verdict_fits_a_phone(page: Page, shop: redis.Redis, size: tuple[int, int]) -> None:
    for name, result in (
        ("failed", sample_result.failed()),
        ("slow", sample_result.too_slow()),
        ("limit", sample_result.found_limit()),
    ):
        judged_run(shop, name, result)
    for name in ("failed", "slow", "limit"):
        open_run(page, name, size=size)
        page.run("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.run("return document.documentElement.scrollWidth") <= size[0], name
        cut = page.run(
            "return [...document.querySelectorAll('#replay .state, #replay td, #replay .facts dd')]"
            ".filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"
            ".map((one) => one.textContent)"
        )
        assert cut == [], name
        page.shot(f"phone-{size[0]}-verdict-{name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_states_can_be_read_in_both_themes(page: Page, shop: redis.Redis, scheme: str) -> None:
    judged_run(shop, "r1", sample_result.failed())
    judged_run(shop, "r2", sample_result.too_slow(), state="interrupted")
    judged_run(shop, "r3", sample_result.passed())
    for run_id in ("r1", "r2", "r3"):
        open_run(page, run_id, size=WIDE, prefers_color_scheme=scheme)
        page.run("document.querySelector('.runs').open = true")
        found = page.run(CONTRAST, "#replay .state, #replay .runs b, #replay .fine, #replay .reasons li")
        assert len(found) > 5
        assert [text for text, contrast in found if contrast < 4.5] == []


def test_a_run_is_announced_when_it_ends(page: Page, shop: redis.Redis) -> None:
    judged_run(shop, "r1", sample_result.passed(), state="running", progress="0.90")
    open_run(page, "r1")
    page.run("window.verdictBefore = document.querySelector('[role=status].verdict')")
    judged_run(shop, "r1", sample_result.passed())
    page.wait_for(lambda: page.text(".verdict-word") == f"{CHECK} passed", "the verdict")
    # A screen reader reads what changes within the same element.
    assert page.run("return document.querySelector('.verdict') === window.verdictBefore")
