"""What a report shows of the platform, made of figures that are made up."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from app.cli.figures import Report
from app.cli.report.html import LABEL_SHARE, MARKS_MAX, marks
from app.cli.report.selection import Selection
from app.cli.rows import Order
from app.store import queries
from tests.app.cli.report.test_formats import report, text
from tests.app.cli.top.samples import (
    FROM_S,
    RELEASES,
    TO_S,
    addons,
    events,
    told_dynos,
)

FORMS = ("text", "markdown", "html")


def told(route: str = "") -> Report:
    return replace(report(route), events=events(), dynos=told_dynos(), addons=addons(), series=series())


def series() -> queries.Series:
    times = list(range(FROM_S, TO_S, 10))
    known: list[float | None] = [1.0] * len(times)
    return queries.Series(
        "shop", "all", 10, FROM_S, TO_S, 1.0, times, known, known, known, known, known, known, known
    )


def rows_under(found: str, head: str) -> list[str]:
    """The lines of the table of text whose first head is this."""
    lines = found.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(head))
    return lines[at : lines.index("", at)] if "" in lines[at:] else lines[at:]


@pytest.mark.parametrize("form", FORMS)
def test_releases_events_dynos_and_add_ons_are_in_every_format(form: str) -> None:
    found = text(form, told()).replace("\\", "").replace("&#39;", "'")
    for said in (
        "v42: deploy 9154a1d2",
        "2025-11-26 02:00:30",
        "42 s",
        "v43: config CRON_ENABLED",
        "python -m app compare --release v43 --app shop",
        "Error R14 (Memory quota exceeded)",
        "State changed from starting to crashed",
        "180 %",
        "crashed",
        "postgresql-curly-12345",
        "3,944,484 kB",
    ):
        assert said in found, said
    assert "2 events of dynos that start and stop as usual are not shown; --routes 0 shows all" in found
    assert "starting to up" not in found
    assert "log-runtime-metrics" not in found
    assert all(line.isprintable() for line in found.splitlines())


def test_a_dyno_is_one_line_with_its_memory_beside_its_errors() -> None:
    head, *rows = rows_under(text("text", told()), "DYNO")
    assert head.split()[:9] == [
        "DYNO", "STATE", "MEMORY", "LOAD", "REQUESTS", "ERRORS", "P95", "RESTARTS", "R14",
    ]  # fmt: skip
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert cells["web.3"][:10] == ["up", "180", "%", "2.46", "997", "9.90", "%", "40", "ms", "4"]
    assert cells["web.4"][:3] == ["up", "221", "MB"]
    assert cells["worker.1"][:4] == ["crashed", "-", "-", "0"]
    by_memory = text("text", told(), Selection(Order("memory")))
    assert [row.split()[0] for row in rows_under(by_memory, "DYNO")[1:4]] == ["web.3", "web.1", "web.2"]


def test_process_types_are_told_where_something_is_known_of_them() -> None:
    head, *rows = rows_under(text("text", told()), "PROCESS")
    assert rows == [rows[0]]
    heads = head.replace("MOST ", "MOST-").split()
    cells = rows[0].replace(" %", "%").split()
    assert dict(zip(heads, cells, strict=True)) == {
        "PROCESS": "web", "DYNOS": "4", "UP": "3", "MEMORY": "78%", "MOST-MEM": "182%", "LOAD": "1.20",
        "MOST-LOAD": "3.10", "RESTARTS": "4", "R14": "57", "R15": "2",
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_where_the_platform_says_nothing_there_is_one_line_and_no_empty_table(form: str) -> None:
    found = text(form, report()).replace("\\", "").replace("&amp;", "&")
    assert found.count("heroku labs:enable log-runtime-metrics -a shop && heroku restart -a shop") == 1
    for head in ("RELEASE", "PROCESS", "ADD-ON", "STATE", "MEMORY", "RESTARTS", "EVENT"):
        assert head not in found
        assert f"| {head.capitalize()} " not in found
        assert f">{head.lower()}<" not in found


@pytest.mark.parametrize("form", FORMS)
def test_a_route_by_itself_has_the_releases_that_may_have_changed_it(form: str) -> None:
    found = text(form, told("/checkout")).replace("\\", "")
    assert "v42: deploy 9154a1d2" in found
    assert "postgresql" not in found
    assert "Error R14" not in found


def test_all_events_are_shown_where_all_rows_are_asked_for_and_never_more_than_asked() -> None:
    assert "starting to up" in text("text", told(), Selection())
    few = text("text", told(), Selection(most=2))
    assert "2 of 5 events are shown; --routes 0 shows all" in few
    assert len(rows_under(few, "TIME (UTC)")) == 3


def test_what_is_not_kept_is_said() -> None:
    found = events()
    dropped = replace(found, left_out=1_200, kept_from_ms=(FROM_S + 60) * 1000)
    said = text("text", replace(told(), events=dropped))
    assert "1,200 older events left out" in said
    assert "There were too many events to keep those before 2025-11-26 02:01:00" in said
    releases = replace(found, releases_kept_from_ms=(FROM_S + 60) * 1000)
    assert "too many releases to keep" in text("text", replace(told(), events=releases))
    assert "too many" not in text("text", told())


def test_of_several_apps_each_row_says_whose_it_is() -> None:
    found = told()
    of_all = replace(
        found,
        table=replace(found.table, app=""),
        events=events(""),
        dynos=told_dynos(""),
        addons=addons(""),
    )
    said = text("text", of_all)
    for head in ("RELEASE", "TIME (UTC)", "PROCESS", "DYNO", "ADD-ON"):
        heads, first, *_ = rows_under(said, head)
        assert "APP" in heads
        assert "shop" in first
    assert "compare --release" not in said, "a release is of one app"
    assert "APP" not in rows_under(text("text", found), "RELEASE")[0]


def test_plots_mark_each_release_and_label_those_that_have_room() -> None:
    page = text("html", told())
    assert page.count('<path class="mark"') == 2 * 2, "in both plots"
    assert (
        '<path class="mark" d="M10.34 0V100"><title>v42: deploy 9154a1d2, 2025-11-26 02:00:30 UTC</title>'
        in page
    )
    assert re.findall(r'<span class="m" style="left: ([\d.]+)%">(.*?)</span>', page)[:2] == [
        ("10.34", "v42"),
        ("82.76", "v43"),
    ]
    many = [replace(RELEASES[1], version=at, at_ms=(FROM_S + at) * 1000) for at in range(290, -300, -1)]
    placed = marks(many, series())
    assert len(placed) == MARKS_MAX
    labelled = [mark.at for mark in placed if mark.label]
    assert min(after - before for before, after in pairwise(labelled)) >= LABEL_SHARE
    outside = [replace(RELEASES[1], at_ms=at_s * 1000) for at_s in (TO_S + 60, FROM_S - 60)]
    assert marks(outside, series()) == []
    late = [replace(RELEASES[1], at_ms=(TO_S - 3) * 1000)]
    assert [mark.at for mark in marks(late, series())] == [100.0]


def test_markup_in_a_sentence_of_the_platform_is_text() -> None:
    evil = replace(RELEASES[1], text="v42: deploy <script>alert(1)</script>")
    page = text("html", replace(told(), events=replace(events(), releases=[evil])))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3, "two plots and the table"
