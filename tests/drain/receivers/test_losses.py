"""Whose losses notices report: a table of cases, and then over a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from app.log import open_log
from app.settings import Settings
from app.store import queries, replies
from app.store.frame_events import OTHER_DRAIN, Report
from app.store.keys import APPS, COUNTS, FRAME_EVENTS, LOSSES, REPORTS
from drain.receivers.logplex import parse
from drain.receivers.losses import losses_and_reports
from tests.drain.bodies import ROUTER_SENT, counted, heroku
from tests.drain.receivers.test_ingest import Drain

OWN, OTHER, UNKNOWN = "d.1", "d.2", "d.437d5ca9-79ee-4eca-8d4b-f3ba5a5f5dcb"
TOKENS = {OWN: "shop", OTHER: "blog", "d.3": "shop", "app=vault": "vault"}


def notice(drain: str = "", dropped: str = "500 messages", host: bytes = b"host") -> bytes:
    count, _, noun = dropped.partition(" ")
    said = f"drain '{drain}' dropped {count} {noun}" if drain else f"{dropped} dropped"
    text = f"Error L10 (output buffer overflow): {said} since 2026-11-23T10:00:00+00:00.".encode()
    return counted(heroku(b"logplex", text).replace(b" host ", b" %b " % host))


@pytest.fixture
def drain(redis_url: str, redis_client: redis.Redis) -> Iterator[Drain]:
    """A drain whose DRAIN_TOKENS are TOKENS."""
    writer = open_log(Settings(redis_url=redis_url)).writer()
    found = Drain(writer, redis_client)
    found.tokens = TOKENS
    yield found
    writer.close()


def health(store: redis.Redis) -> queries.Health:
    return queries.health(store, time.time(), open_log(Settings()), routes_max=500)


def alerts(store: redis.Redis) -> list[str]:
    found = queries.alerts(health(store), open_log(Settings()).advice)
    return [alert.code for alert in found if alert.code != "no_worker:metrics"]


@pytest.mark.parametrize(
    ("token", "host", "app", "named", "whose"),
    [
        (OWN, b"host", "shop", "", "shop"),
        (OWN, b"host", "shop", OWN, "shop"),
        (OWN, b"host", "shop", "d.3", "shop"),  # a second drain of the same app
        (OWN, b"host", "shop", OTHER, "blog"),
        (OWN, b"host", "shop", UNKNOWN, None),
        (OWN, b"host", "shop", "app=vault", None),  # a key of DRAIN_TOKENS, but no token
        (OWN, b"host", "shop", "\xe9 \\ ;\t", None),
        (OWN, b"host", "shop", "d." + "x" * 5_000, None),
        # Without a token in the header, HOSTNAME may have it, or DRAIN_TOKENS names the app's.
        ("", b"host", "vault", "", "vault"),
        ("", b"d.9", "vault", "d.9", "vault"),
        ("", b"d.9", "vault", UNKNOWN, None),
        ("", b"host", "vault", OTHER, "blog"),
        ("", b"host", "shop", UNKNOWN, None),
        # Nobody can tell whether this is the drain that brings it.
        ("", b"host", "vault", UNKNOWN, "vault"),
        ("", b"host", "", UNKNOWN, ""),
    ],
)
def test_a_loss_is_its_drain_s(token: str, host: bytes, app: str, named: str, whose: str | None) -> None:
    frame = parse(notice(named, host=host), "frame", app)
    frame.token = token
    losses, reports = losses_and_reports(frame, TOKENS)
    if whose is None:
        assert (losses, reports) == ([], [Report(OTHER_DRAIN, 500)])
    else:
        (loss,) = losses
        assert (loss.code, loss.dropped, loss.app, reports) == ("L10", 500, whose, [])
        assert bool(loss.identity) == bool(named)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('Error L14 (certificate validation): error="bad certificate" uri="https://a:b@x/"', "L14"),
        ("Error L15 (Tail buffer temporarily unavailable)", "L15"),
        ("Error L11 (Tail buffer overflow) -> This tail session dropped 9 messages since 2014.", "L11"),
        ("Error L14 (certificate validation): 5 messages dropped", "L14"),
        ("Error L10 (output buffer overflow): too many to count", "L10"),
        ("Error L77 (something new): it happened", "(other)"),
    ],
)
def test_a_notice_of_something_else_counts_as_one_and_as_no_loss(text: str, kind: str) -> None:
    frame = parse(counted(heroku(b"logplex", text.encode())), "frame", "shop")
    assert losses_and_reports(frame, TOKENS) == ([], [Report(kind, 1)])


def test_another_drain_s_loss_raises_no_alarm_about_one_s_own_and_is_shown(drain: Drain) -> None:
    for _ in range(3):
        drain.take(notice(UNKNOWN) + ROUTER_SENT, app="shop", token=OWN)
    drain.take(notice(UNKNOWN, "1 message"), "frame-2", app="shop", token=OWN)
    assert not drain.store.exists(LOSSES, COUNTS)
    assert replies.counts(drain.store.hgetall(REPORTS)) == {"other_drain shop": 501}
    found = health(drain.store)
    assert (found.losses_ever, found.losses_last_hour, found.losses_by_code) == ({}, {}, {})
    assert found.other_drains_losses_ever == found.other_drains_losses_last_hour == {"shop": 501}
    assert alerts(drain.store) == ["other_drain:shop"]
    assert drain.count("lost_messages_total", code="L10") == 0


def test_two_notices_of_one_frame_are_counted_for_two_drains(drain: Drain) -> None:
    drain.take(
        notice(OTHER) + notice(OWN, "7 messages") + notice(dropped="2 messages"), app="shop", token=OWN
    )
    found = health(drain.store)
    assert found.losses_ever == found.losses_last_hour == {"shop": 9, "blog": 500}
    assert found.losses_by_code == {"L10": 509}
    assert alerts(drain.store) == ["losses:blog", "losses:shop"]


def test_a_loss_that_two_drains_of_an_app_report_counts_once(drain: Drain) -> None:
    drain.take(notice("d.3"), "frame-1", app="shop", token=OWN)
    drain.take(notice("d.3"), "frame-2", app="shop", token="d.3")
    assert health(drain.store).losses_ever == {"shop": 500}
    drain.take(notice("d.3", "501 messages"), "frame-3", app="shop", token="d.3")
    assert health(drain.store).losses_ever == {"shop": 1_001}
    assert health(drain.store).losses_by_code == {"L10": 1_001}


def test_thousands_of_invented_drains_leave_a_bounded_number_of_keys_and_fields(drain: Drain) -> None:
    drain.take(b"".join(notice(f"d.{number}x") for number in range(5_000)), app="shop", token=OWN)
    assert replies.counts(drain.store.hgetall(REPORTS)) == {"other_drain shop": 2_500_000}
    drain.take(b"".join(notice(OWN, f"{number} messages") for number in range(5_000)), "f", "shop", token=OWN)
    assert health(drain.store).losses_ever == {"shop": sum(range(5_000))}
    assert drain.store.scard(FRAME_EVENTS[0]) <= 102
    assert len(drain.store.keys()) < 12


def test_certificates_and_buffers_are_shown_with_what_to_do(drain: Drain) -> None:
    text = b'Error L14 (certificate validation): error="bad certificate" uri="https://me:hidden@x/"\n'
    sent = counted(heroku(b"logplex", text)) + counted(heroku(b"logplex", b"Error L15 (Tail buffer ...)"))
    for _ in range(2):
        drain.take(sent * 2, app="shop", token=OWN)
    reports = health(drain.store).sender_reports
    assert [(report.code, report.app, report.count_ever) for report in reports] == [
        ("L14", "shop", 2),
        ("L15", "shop", 2),
    ]
    found = queries.alerts(health(drain.store), open_log(Settings()).advice)
    (certificate,) = (alert for alert in found if alert.code == "sender_report:L14:shop")
    assert certificate.title == "Logplex reports of shop: it does not accept the certificate of a drain (L14)"
    assert certificate.text == "It said so 2 times in the last hour."
    assert "renew the certificate" in certificate.action
    assert "hidden" not in str(found)
    assert health(drain.store).losses_ever == {}
    assert drain.store.hgetall(APPS) == {}


def test_names_of_apps_in_losses_are_bounded(drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.frame_events.APPS_MAX", 3)
    for number in range(5):
        drain.take(notice() + counted(heroku(b"logplex", b"Error L15\n")), f"f{number}", app=f"app-{number}")
    drain.take(notice(), "again", app="app-0")
    assert health(drain.store).losses_ever == {"app-0": 1_000, "app-1": 500, "app-2": 500, "(other)": 1_000}
    assert replies.counts(drain.store.hgetall(REPORTS)) == {
        **{f"L15 app-{number}": 1 for number in range(3)},
        "L15 (other)": 2,
    }
