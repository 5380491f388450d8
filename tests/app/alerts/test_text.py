"""A message as plain text: what it says, in which order, and that nothing in it can break out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.alerts.message import Finding, Message, Request
from app.alerts.text import lines_of

AT_S = 1_795_600_000
FINDING = Finding(
    rule="errors",
    app="shop",
    route="/checkout",
    text="20.3 % of 1,240 requests failed, the limit is 2 %",
    usual="0.1 % at this time yesterday",
    value=0.203,
    limit=0.02,
    since_s=AT_S - 240,
    is_firing=True,
)
MESSAGE = Message(
    id="i1.1",
    incident="i1",
    kind="firing",
    severity="critical",
    app="shop",
    title="shop: 20.3 % of requests to /checkout fail",
    since_s=AT_S - 240,
    at_s=AT_S,
    findings=(FINDING, replace(FINDING, route="/cart", usual="", is_firing=False)),
    more_findings=3,
    dyno="web.3 has 96 % of the failures and 10 % of the requests",
    requests=(Request("8601b555", AT_S * 1000, "GET", "/checkout", "503", "H12", "web.3", 30_000.0),),
    release="7 min after v42, 9154a1d2: deploy",
    link="https://tailrace.example.com/#/?app=shop",
    action="See what fails.",
)


def test_it_says_everything_in_the_order_in_which_one_asks() -> None:
    assert lines_of(MESSAGE) == [
        "shop: 20.3 % of requests to /checkout fail",
        "",
        "Since 2026-11-25 09:42:40 UTC, for 4 min. Severity: critical.",
        "",
        "- /checkout: 20.3 % of 1,240 requests failed, the limit is 2 % (usual: 0.1 % at this time yesterday)"
        " [errors]",
        "- resolved: /cart: 20.3 % of 1,240 requests failed, the limit is 2 % [errors]",
        "- and 3 more alerts",
        "",
        "web.3 has 96 % of the failures and 10 % of the requests",
        "Began 7 min after v42, 9154a1d2: deploy",
        "",
        "Requests to begin with:",
        "  09:46:40 UTC  GET /checkout  503 H12  web.3  30.0 s  8601b555",
        "",
        "See what fails.",
        "",
        "https://tailrace.example.com/#/?app=shop",
    ]


def test_what_is_not_known_leaves_no_empty_paragraph() -> None:
    bare = replace(
        MESSAGE, findings=(), more_findings=0, dyno="", requests=(), release="", link="", action=""
    )
    assert lines_of(bare) == [
        MESSAGE.title,
        "",
        "Since 2026-11-25 09:42:40 UTC, for 4 min. Severity: critical.",
    ]


def test_one_that_is_resolved_says_how_long_it_took() -> None:
    over = replace(MESSAGE, kind="resolved", resolved_s=AT_S + 480)
    assert lines_of(over)[2] == "From 2026-11-25 09:42:40 UTC to 2026-11-25 09:54:40 UTC: 12 min."


def test_a_finding_of_another_app_says_whose_it_is() -> None:
    lines = lines_of(replace(MESSAGE, findings=(replace(FINDING, app="api"),)))
    assert any(line.startswith("- api /checkout: 20.3 %") for line in lines)


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_a_line_or_controls_a_terminal(route: str, path: str, action: str) -> None:
    request = replace(MESSAGE.requests[0], path=path, request_id=route)
    finding = replace(FINDING, route=route, text=action, usual=path)
    hostile = replace(
        MESSAGE, title=route, findings=(finding,), requests=(request,), action=action, link=path
    )
    lines = lines_of(hostile)
    assert all(line.isprintable() for line in lines)
    assert len(lines) <= len(lines_of(MESSAGE))
