"""report.html: one file that loads nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from app.store.run_result import TimePoint
from consumers.replay.reports.html import render
from consumers.replay.reports.plots import shift_plot, time_plot
from consumers.replay.reports.report import Report
from tests.consumers.replay.reports.samples import RUN, empty, interrupted, report, with_many_routes
from tests.support.hostile import HOSTILE, drives

VOID = {"meta", "path", "polyline"}
LOADS = {"src", "href", "srcset", "action", "background", "data", "poster", "xlink:href"}


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " " if tag in ("td", "th") else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


REPORTS = {
    "failed": report(),
    "interrupted": interrupted(),
    "empty": empty(),
    "hostile": with_many_routes([*HOSTILE, "/half\udcff"]),
    "baseline": report(info={"baseline": "https://old.example.com"}),
}


@pytest.mark.parametrize("found", REPORTS.values(), ids=list(REPORTS))
def test_it_is_one_sound_file_that_loads_and_runs_nothing(found: Report) -> None:
    text = render(found)
    page = Page(text)
    assert page.open == []
    assert drives(text) == set()
    assert not {"script", "img", "link", "iframe", "object", "form", "a"} & set(page.tags())
    assert not any(LOADS & set(attributes) for _, attributes in page.elements)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "url(" not in text
    assert "@import" not in text
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"},
    ) in page.elements


def test_it_has_what_the_verdict_rests_on() -> None:
    page = Page(render(report()))
    text = " ".join(page.text.split())
    for said in (
        f"Replay {RUN}: failed",
        "Verdict: failed (exit code 1: failed)",
        "✗ crossed p95>+20% /search 334 → 478 ms +43 % +27 … +66 % +20 % 599",
        "about 1,200 more samples would decide",
        "asked 10x, reached 4.1x",
        "7,467 of 8,000 requests asked for (93.3 %)",
        "304: the original was conditional, the replay is not: 22",
        "/checkout: left out wholly, 508 requests not sent (method POST 508)",
        "But the log lacks 1 min of the window's 60 min (2.5 %)",
        "200 → 404: 30",
        "6 of 60 body.items[].price (6)",
    ):
        assert said in text, said


def test_hostile_routes_are_text() -> None:
    page = Page(render(with_many_routes(HOSTILE)))
    assert "/<script>alert(1)</script>" in page.text
    assert "'\"><img src=x onerror=alert(1)>" in page.text
    assert "${jndi:ldap://x}{{7*7}}%0a%s" in page.text


def test_an_interrupted_run_is_called_so_in_title_and_heading() -> None:
    text = render(interrupted())
    assert f"<title>Replay {RUN}: interrupted</title>" in text
    assert "interrupted after 38 % of the window, at 2026-11-23T10:23:11.000Z" in Page(text).text


def test_each_plot_has_its_values_in_a_table_and_a_name() -> None:
    found = report()
    page = Page(render(found))
    assert page.tags().count("polyline") == 3  # Lateness, and the service times before and after a gap.
    labels = [attributes.get("aria-label") for tag, attributes in page.elements if tag == "svg"]
    assert any(label and "Lateness" in label for label in labels)
    decorations = [one for one in page.elements if one[0] == "svg" and one[1].get("aria-hidden") == "true"]
    assert len(decorations) == len(found.run.routes)  # Their values stand beside them, as text.
    for point in found.result.timeline:
        assert f"{point.at_s:.1f} s" in page.text
    columns = [tag for tag, attributes in page.elements if tag == "th" and "scope" not in attributes]
    assert columns == []


def test_500_routes_are_all_in_the_table_and_the_busiest_in_the_plot() -> None:
    text = render(with_many_routes([f"/r{number}" for number in range(500)]))
    assert text.count('<th scope="row"') == 501
    assert text.count('class="shift"') == 40
    assert "460 more in the table." in text
    assert len(text) < 1_000_000


def test_the_points_of_a_plot_are_within_it() -> None:
    found = with_many_routes([f"/r{number}" for number in range(50)])
    shifts = shift_plot(found.run.routes)
    assert shifts is not None
    assert all(0 <= at <= 100 for shift in shifts.shifts for at in (shift.before, shift.after))
    assert (shifts.ticks[0].at, shifts.ticks[-1].at) == (0, 100)
    times = time_plot(found.result.timeline)
    assert times is not None
    points = [tuple(map(float, point.split(","))) for point in times.late.split()]
    assert points[0] == (0.0, 100.0)
    assert points[-1][0] == 100.0
    assert all(0 <= value <= 100 for point in points for value in point)


def test_a_plot_of_nothing_is_left_out() -> None:
    assert shift_plot([]) is None
    assert time_plot([TimePoint(0.0, 1, 0.0, None)]) is None
    flat = time_plot([TimePoint(0.0, 1, 0.0, None), TimePoint(0.0, 1, 0.0, None)])
    assert flat is not None
    assert flat.service == []


def test_of_very_many_routes_the_table_has_the_busiest() -> None:
    text = render(with_many_routes([f"/r{number}" for number in range(1_200)]))
    assert text.count('<th scope="row"') == 1_001
    assert "200 more, with fewer requests, are in the JSON report." in text
