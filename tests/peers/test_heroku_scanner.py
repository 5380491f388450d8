"""Heroku's own scanner and our reader find the same in the same bodies."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any

import pytest

from app.router_line import timestamp_ms
from drain.receivers.frame import SyslogMessage
from tests.drain.bodies import (
    APP_SENT,
    L10_SENT,
    ROUTER_MSG,
    ROUTER_SENT,
    TIMESTAMP,
    counted,
    heroku,
    log_shuttle,
    parsed,
)
from tests.peers import build_peer

pytestmark = pytest.mark.go


def scan(body: bytes, *options: str) -> list[dict[str, Any]]:
    """What Heroku's scanner finds, an {"error": ...} last where it gives up."""
    run = subprocess.run(
        [build_peer(), "scan", *options], input=body, capture_output=True, check=True, timeout=30
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def as_scanned(line: SyslogMessage) -> dict[str, Any]:
    """Our line in the scanner's terms."""
    return {
        "prival": line.prival,
        "version": line.version,
        "timestamp": timestamp_ms(line.timestamp),
        "hostname": line.hostname,
        "app_name": line.app_name,
        "procid": line.procid,
        "msgid": line.msgid or "-",
        "msg": line.msg,
    }


def scanned(body: bytes, *options: str) -> list[dict[str, Any]]:
    """The scanner's messages, timestamps in ms, texts as bytes."""
    return [
        found | {"timestamp": timestamp_ms(found["timestamp"]), "msg": base64.b64decode(found["msg"])}
        for found in scan(body, *options)
        if "error" not in found
    ]


AWKWARD_TEXTS = [
    b"",
    b"at=info without a newline",
    b"\n",
    b'at=info path="/a\nb"\n',
    'at=info path="/käse/日本" status=200\n'.encode(),
    b'at=info path="/\xff\xfe\x00"\n',
    b'at=info path="/' + b"x" * 12_000 + b'"\n',
    b"12 <158>1 t h a router - at=info\n",
]
BODIES = {
    "empty": b"",
    "one router line": ROUTER_SENT,
    "mixed": APP_SENT + ROUTER_SENT + L10_SENT + ROUTER_SENT + APP_SENT,
    "awkward texts": b"".join(counted(heroku(b"router", text)) for text in AWKWARD_TEXTS),
    "awkward texts among others": APP_SENT.join(counted(heroku(b"router", text)) for text in AWKWARD_TEXTS),
    "timestamps": b"".join(
        counted(heroku(b"router", ROUTER_MSG).replace(TIMESTAMP, timestamp))
        for timestamp in (
            b"2016-04-21T21:56:01Z",
            b"2016-04-21T21:56:01.1-07:00",
            b"2016-04-21T21:56:01.123456Z",
        )
    ),
    "priorities": b"".join(
        counted(b"<%d>1 %s h a router - at=info\n" % (n, TIMESTAMP)) for n in (0, 7, 158, 191)
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_scanner_and_our_reader_agree_on_bodies_of_logplex(body: bytes) -> None:
    theirs = scanned(body)
    ours = parsed(body)
    assert ours.broken is None
    assert ours.message_count == len(theirs)
    assert [(line.index, as_scanned(line)) for line in ours.messages] == [
        (index, found) for index, found in enumerate(theirs) if found["procid"] == "router"
    ]


@pytest.mark.parametrize(
    "messages",
    [
        [log_shuttle(b"router", text) for text in AWKWARD_TEXTS],
        [b'<158>1 %s h a router ID47 [id k="v"][b c="\\]"] %s' % (TIMESTAMP, ROUTER_MSG)],
    ],
    ids=["nil", "elements"],
)
def test_they_agree_on_messages_with_structured_data(messages: list[bytes]) -> None:
    body = b"".join(map(counted, messages))
    assert [as_scanned(line) for line in parsed(body).messages] == scanned(body, "-structured")


@pytest.mark.parametrize(
    "rest",
    # A negative count is left out: their scanner panics at it.
    [b"hello", b"\n\n" + ROUTER_SENT, b"12x <1>1", b"999 <158>1 too short", ROUTER_SENT[:-1]],
)
def test_they_give_up_at_the_same_place_of_a_broken_body(rest: bytes) -> None:
    body = ROUTER_SENT + APP_SENT + rest
    theirs = scan(body)
    assert "error" in theirs[-1]
    ours = parsed(body)
    assert ours.broken is not None
    assert ours.message_count == len(theirs) - 1 == 2


def test_a_newline_that_no_count_covers_ends_their_scan_but_not_our_reading() -> None:
    body = ROUTER_SENT + b"\n" + ROUTER_SENT
    assert [("error" in found) for found in scan(body)] == [False, True]
    ours = parsed(body)
    assert (ours.message_count, len(ours.messages), ours.uncounted_newlines) == (2, 2, 1)


def test_a_bad_header_ends_their_scan_but_not_our_reading() -> None:
    body = ROUTER_SENT + counted(b"no header here") + ROUTER_SENT
    assert [("error" in found) for found in scan(body)] == [False, True]
    ours = parsed(body)
    assert (ours.message_count, len(ours.messages), len(ours.rejects)) == (3, 2, 1)
