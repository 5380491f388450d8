"""What each kind sends over HTTP, judged by a server that checks as strictly as the service does."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.alerts.message import Finding, Message
from app.alerts.targets import slack, teams
from app.alerts.targets.target import Target
from tests.app.alerts.targets.reached import HTTP_KINDS, SECRET, failure_of, send, target_at
from tests.support import alert_services as services
from tests.support.alert_messages import FINDING, HOSTILE_TEXTS, LONGEST, MESSAGE, RESOLVED, all_texts
from tests.support.target import Behaviour, RecordingTarget, answer

SERVICES: dict[str, Callable[[services.Refusals], Behaviour]] = {
    "webhook": lambda refusals: services.webhook(refusals, SECRET),
    "slack": services.slack,
    "pagerduty": services.pagerduty,
    "teams": services.teams,
}


def taken(kind: str, *messages: Message) -> list[Any]:
    """The JSON that the service took, of each message."""
    refusals = services.Refusals()
    with RecordingTarget(SERVICES[kind](refusals)) as server:
        for message in messages:
            send(target_at(kind, server.url), message)
    assert refusals == []
    return [json.loads(seen.body) for seen in server.seen]


@pytest.fixture(params=HTTP_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize("told", ["firing", "update", "repeat", "test"])
def test_the_service_takes_every_message(kind: str, told: Any, severity: Any) -> None:
    (content,) = taken(kind, replace(MESSAGE, kind=told, severity=severity))
    words = json.dumps(content)
    for text in (MESSAGE.title, FINDING.text, MESSAGE.dyno, MESSAGE.release, MESSAGE.action):
        assert text
        assert text in words
    assert MESSAGE.requests[0].request_id in words
    assert "app=shop" in MESSAGE.link
    assert MESSAGE.link.partition("&")[0] in words


def test_the_service_takes_the_least_that_there_can_be(kind: str) -> None:
    least = replace(
        MESSAGE, app="", title="", findings=(), dyno="", requests=(), release="", link="", action=""
    )
    bare = replace(FINDING, rule="", app="", route="", text="", usual="", value=None, limit=None)
    taken(kind, least, replace(least, findings=(bare,)))


@pytest.mark.parametrize("number", range(len(LONGEST)))
def test_the_service_takes_the_longest_message(kind: str, number: int) -> None:
    taken(kind, LONGEST[number], replace(LONGEST[number], kind="resolved", resolved_s=MESSAGE.at_s))


def test_the_service_takes_hostile_texts_as_texts(kind: str) -> None:
    for content in taken(kind, *map(all_texts, HOSTILE_TEXTS)):
        words = "".join(texts_in(content))
        assert words.replace("\n", "").isprintable()


def texts_in(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [text for value in content.values() for text in texts_in(value)]
    if isinstance(content, list):
        return [text for value in content for text in texts_in(value)]
    return [content] if isinstance(content, str) else []


def test_a_message_that_is_sent_again_is_the_same(kind: str) -> None:
    with RecordingTarget(SERVICES[kind](services.Refusals())) as server:
        send(target_at(kind, server.url))
        send(target_at(kind, server.url))
    first, second = server.seen
    assert first.body == second.body
    assert first.headers.get("tailrace-id") == second.headers.get("tailrace-id")


def test_numbers_without_end_are_left_out(kind: str) -> None:
    endless = replace(FINDING, value=float("inf"), limit=float("nan"))
    (content,) = taken(kind, replace(MESSAGE, findings=(endless,)))
    if kind == "webhook":
        assert content["findings"][0]["value"] is None


def test_the_path_and_query_of_the_url_are_those_of_the_target(kind: str) -> None:
    with RecordingTarget(SERVICES[kind](services.Refusals())) as server:
        target = target_at(kind, server.url)
        send(target)
    assert server.url + server.seen[0].target.decode() == target.url


# What each kind alone does.


def test_a_webhook_has_every_field_of_a_message_but_its_targets() -> None:
    (content,) = taken("webhook", MESSAGE)
    assert content["version"] == 1
    assert set(content) == {*MESSAGE.__slots__, "version"} - {"to"}
    assert set(content["findings"][0]) == set(Finding.__slots__)
    assert set(services.webhook_schema()["properties"]) == set(content)


def test_a_webhook_says_how_many_findings_are_left_out() -> None:
    (content,) = taken("webhook", replace(MESSAGE, findings=(FINDING,) * 50, more_findings=3))
    assert (len(content["findings"]), content["more_findings"]) == (20, 33)


def test_the_signature_is_of_the_timestamp_and_the_body() -> None:
    with RecordingTarget(answer(200)) as server:
        send(target_at("webhook", server.url))
    (seen,) = server.seen
    timestamp = seen.headers["tailrace-timestamp"]
    key = hmac.new(SECRET.encode(), digestmod=hashlib.sha256)
    key.update(timestamp.encode("ascii"))
    key.update(b".")
    key.update(seen.body)
    assert seen.headers["tailrace-signature"] == f"v1={key.hexdigest()}"
    assert SECRET.encode() not in seen.body


def test_a_receiver_with_another_secret_refuses() -> None:
    with RecordingTarget(services.webhook(services.Refusals(), "another secret")) as server:
        assert "bad signature" in failure_of(target_at("webhook", server.url)).reason


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_one_to_a_webhook(status: int) -> None:
    with RecordingTarget(answer(status, b"")) as server:
        send(target_at("webhook", server.url))
    assert len(server.seen) == 1


def test_slack_must_say_ok() -> None:
    with RecordingTarget(answer(200, b"<html>Please log in</html>")) as server:
        failed = failure_of(target_at("slack", server.url))
    assert failed.is_final
    assert failed.reason == 'answered 200, but not `ok`: "<html>Please log in</html>"'


def test_slacks_texts_are_cut_outside_of_entities() -> None:
    for length in range(1, 40):
        cut = slack.escaped("a<&>" * 10, length)
        assert len(cut) <= length
        assert not services._NOT_ESCAPED.search(cut)
    assert slack.escaped("a<b") == "a&lt;b"
    assert (
        slack.escaped("\N{LARGE RED CIRCLE}" * 3, 5) == "\N{LARGE RED CIRCLE}" * 2 + "\N{HORIZONTAL ELLIPSIS}"
    )


def test_a_title_that_is_too_long_for_slacks_header_is_said_in_full_below_it() -> None:
    title = "shop: " + "/segment" * 40
    (content,) = taken("slack", replace(MESSAGE, title=title))
    assert content["blocks"][1]["text"]["text"].endswith(title)


def test_slack_and_teams_show_from_afar_what_it_is() -> None:
    for kind in ("slack", "teams"):
        signs = [
            next(sign for sign in "🔴🟠🟢🔵" if sign in json.dumps(content, ensure_ascii=False))
            for content in taken(
                kind, MESSAGE, replace(MESSAGE, severity="warning"), RESOLVED, replace(MESSAGE, kind="test")
            )
        ]
        assert signs == ["🔴", "🟠", "🟢", "🔵"]


def test_pagerduty_opens_and_resolves_one_alert_an_incident() -> None:
    told = [replace(MESSAGE, kind=name) for name in ("firing", "update", "repeat")]
    events = taken("pagerduty", *told, RESOLVED)
    assert [event["event_action"] for event in events] == ["trigger", "trigger", "trigger", "resolve"]
    assert {event["dedup_key"] for event in events} == {MESSAGE.incident}
    assert {event["routing_key"] for event in events} == {SECRET}
    payload = events[0]["payload"]
    assert (payload["severity"], payload["component"], payload["group"], payload["class"]) == (
        "critical",
        "/checkout",
        "shop",
        "checkout-errors",
    )
    assert events[0]["client_url"] == events[0]["links"][0]["href"] == MESSAGE.link


def test_a_test_at_pagerduty_is_no_emergency() -> None:
    (event,) = taken("pagerduty", replace(MESSAGE, kind="test"))
    assert (event["event_action"], event["payload"]["severity"]) == ("trigger", "info")


def test_a_card_that_is_too_large_ends_in_an_ellipsis_and_keeps_its_link() -> None:
    (content,) = taken("teams", all_texts("\N{LARGE RED CIRCLE}" * 2_000, 50, MESSAGE.link))
    card = content["attachments"][0]["content"]
    assert card["body"][-1]["inlines"][0]["text"] == "\N{HORIZONTAL ELLIPSIS}"
    assert card["actions"][0]["url"] == MESSAGE.link


@pytest.mark.parametrize(
    ("body", "is_final"),
    [
        (b"1", None),
        (b"", None),
        (b'{"ok":true}', None),
        (
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 "
            b"with ContextId tcid=0",
            False,
        ),
        (
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413",
            True,
        ),
        (
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 502",
            False,
        ),
        (b"Webhook message delivery failed", False),
    ],
)
def test_an_old_connector_of_teams_may_fail_with_200(body: bytes, is_final: bool | None) -> None:
    with RecordingTarget(answer(200, body)) as server:
        target = target_at("teams", server.url)
        if is_final is None:
            send(target)
        else:
            failed = failure_of(target)
            assert failed.is_final == is_final
            assert failed.reason.startswith(
                'answered 200, but with a fault: "Webhook message delivery failed'
            )


def test_no_target_shows_its_secrets() -> None:
    target = Target(
        "ops", "email", "h", url="smtp://u:pw@h", secret=SECRET, sender="a@b", recipients=("c@d",)
    )
    for secret in ("pw", SECRET, "a@b", "c@d"):
        assert secret not in repr(target)


def test_the_bounds_hold_for_what_is_made_of_the_longest_messages() -> None:
    for message in LONGEST:
        total = sum(slack.units(block["text"]["text"]) for block in slack.content_of(message)["blocks"])
        assert total <= slack.TEXT_MAX_CHARS + slack.SECTION_MAX_CHARS
        size = len(json.dumps(teams.content_of(message), ensure_ascii=False, separators=(",", ":")).encode())
        assert size <= teams.BODY_MAX_BYTES
