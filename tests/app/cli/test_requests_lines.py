"""The lines of `requests`: columns that fit the terminal, colours on one alone, the progress of a scan."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest

from app.cli.requests.arguments import duration_ms, status_ranges
from app.cli.requests.lines import PATH_MIN, PLAIN, RED, YELLOW, group_lines, head, layout, text_line
from app.cli.requests.progress import ScanProgress
from app.cli.requests.routes import UnknownRoute, choose_route
from app.router_line import parse
from app.search.found import FoundRequest
from app.search.groups import Group
from app.search.rows import RouteRowNames
from servers.messages import REQUEST_ID, router_line

AT_MS = 1_795_430_400_123


def found(**line: Any) -> FoundRequest:
    parsed = parse(router_line(**({"path": "/products/" + "a" * 300} | line)))
    assert parsed is not None
    return FoundRequest(AT_MS, AT_MS, "f.0", "shop", "/products/:id", parsed)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 121, 140, 160, 240])
@pytest.mark.parametrize("has_app", [True, False])
def test_every_line_fits_the_terminal(width: int, has_app: bool) -> None:
    shape = layout(width, has_app=has_app, has_colours=False, shows_query=False)
    line = text_line(found(), shape)
    assert len(line) <= width or width < 70
    assert line.startswith("2026-11-23 10:40:00.123 200")
    assert len(head(shape)) <= max(width, 70)


def test_a_wide_terminal_has_the_request_id_and_a_narrow_one_more_of_the_path() -> None:
    def shown(width: int | None) -> tuple[bool, bool]:
        shape = layout(width, has_app=True, has_colours=False, shows_query=False)
        line = text_line(found(), shape)
        return REQUEST_ID in line, " shop " in line

    assert shown(80) == (False, False)
    assert shown(130) == (True, False)
    assert shown(160) == (True, True)
    assert shown(None) == (True, True)
    narrow = layout(80, has_app=True, has_colours=False, shows_query=False)
    assert (narrow.path_width or 0) > PATH_MIN - 10


def test_without_a_terminal_nothing_is_shortened() -> None:
    shape = layout(None, has_app=False, has_colours=False, shows_query=False)
    assert text_line(found(), shape).endswith("/products/" + "a" * 300)


def test_failures_are_red_and_refusals_yellow_on_a_terminal_alone() -> None:
    shape = layout(160, has_app=False, has_colours=True, shows_query=False)
    assert text_line(found(status=503), shape).startswith(RED)
    assert text_line(found(status=503), shape).endswith(PLAIN)
    assert text_line(found(code="H18", status=200), shape).startswith(RED)
    assert text_line(found(status=404), shape).startswith(YELLOW)
    assert text_line(found(status=200), shape).startswith("2026")
    plain = layout(160, has_app=False, has_colours=False, shows_query=False)
    assert "\x1b" not in text_line(found(status=503), plain)


def test_what_a_line_does_not_say_is_a_dash() -> None:
    shape = layout(None, has_app=True, has_colours=False, shows_query=False)
    line = text_line(found(status="", dyno="", service_ms=None, method="", request_id="", path=""), shape)
    assert line.split()[2:] == ["-", "-", "-", "shop", "-", "-", "-"]


def test_a_long_name_of_a_group_is_shortened_on_a_terminal() -> None:
    groups = [Group("h" * 300, 10, 1, 5.0, 9.0, 0.5), Group("", 1, 0, None, None, 0.0)]
    assert max(map(len, group_lines("host", groups, 80))) <= 80
    lines = group_lines("host", groups, None)
    assert lines[1].startswith("h" * 300)
    assert lines[2].startswith("(none)")


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_comes_after_a_while_and_is_cleared() -> None:
    clock = itertools.count(0, 0.3).__next__
    out = Tty()
    progress = ScanProgress(out, 10_000, clock)
    for lines in range(1_000, 11_000, 1_000):
        progress.show(lines, 3)
    assert "\r" + " 40%  4,000 of about 10,000 lines read, 3 found" in out.getvalue()
    assert "1,000 of" not in out.getvalue(), "nothing within the first second"
    progress.clear()
    assert out.getvalue().endswith("\r\033[K")


def test_progress_of_a_log_of_unknown_size_says_what_was_read() -> None:
    out = Tty()
    progress = ScanProgress(out, None, itertools.count(0, 2).__next__)
    progress.show(1_234, 0)
    assert "\r1,234 lines read, 0 found" in out.getvalue()


def test_no_progress_where_no_person_looks() -> None:
    out = io.StringIO()
    progress = ScanProgress(out, 100, itertools.count(0, 5).__next__)
    progress.show(50, 1)
    progress.clear()
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("503", [(503, 503)]),
        ("5xx", [(500, 599)]),
        ("4XX, 500-504", [(400, 499), (500, 504)]),
    ],
)
def test_statuses_are_read(text: str, ranges: list[tuple[int, int]]) -> None:
    assert status_ranges(text) == ranges


@pytest.mark.parametrize(("text", "ms"), [("500ms", 500), ("2s", 2_000), ("1.5s", 1_500), ("1m", 60_000)])
def test_times_are_read(text: str, ms: float) -> None:
    assert duration_ms(text) == ms


def test_a_route_is_a_row_in_any_spelling_a_template_or_else_a_pattern() -> None:
    rows = RouteRowNames(
        lambda line: "",
        rows=frozenset({"/café", "/products/:id", "(other)"}),
        templates=frozenset({"/blog/:name"}),
    )
    assert choose_route("/products/:id", rows).route == "/products/:id"
    assert choose_route("/caf%C3%A9", rows).route == "/café"
    assert choose_route("/blog/:name", rows).route == "/blog/:name"
    other = choose_route("(other)", rows)
    assert (other.route, other.path) == ("(other)", "")
    assert "worked out" in other.note
    choice = choose_route("/product/:id", rows)
    assert (choice.route, choice.path) == ("", "/product/:id")
    assert "Did you mean /products/:id?" in choice.note
    with pytest.raises(UnknownRoute, match=r"Did you mean /products/:id\?"):
        choose_route("products/:id", rows)
    assert choose_route("/x", RouteRowNames(lambda line: "")).route == "/x"
