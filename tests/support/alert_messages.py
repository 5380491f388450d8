"""Messages of alerts for the tests: a usual one, one of hostile texts, and the longest there could be."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.board import AlertState, Incident, Notice
from app.alerts.compose import message_of
from app.alerts.condition import Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.measures import Measure
from app.alerts.message import Message, Request
from app.platform.release import Release
from app.store import keys
from tests.support.hostile import HOSTILE

MENTIONS = "<!channel> <!here|here> <@U012> @everyone @channel <at>all</at> &lt;!channel&gt; *b* _i_ `c` [x](http://e)"

BEGAN_S = 1_795_690_800
REQUEST = Request(
    request_id="8601b555-6a83-4c12-8269-97c8e32cdb22",
    at_ms=1_795_690_801_250,
    method="GET",
    path="/checkout",
    status="503",
    code="H12",
    dyno="web.3",
    service_ms=30_000.0,
)
_ALERT = AlertState(
    rule="checkout-errors",
    subject=Subject("shop", "/checkout", keys.digest("/checkout")),
    family="failures",
    state="firing",
    bad_since_s=BEGAN_S,
    judgement=Judgement(
        "bad",
        text="20.3 % of 1,240 requests failed in the last 5 minutes, the limit is 1 %",
        value=0.203,
        limit=0.01,
        usual="0.10 % at this time yesterday",
        measure=Measure("errors"),
    ),
    fired_s=BEGAN_S + 40,
)
MESSAGE = message_of(
    Notice(
        "firing",
        1,
        Incident("3f6c0d1e9b7a4d52", "shop", "critical", BEGAN_S, BEGAN_S + 40, (_ALERT,)),
        ("ops",),
    ),
    Context(
        dyno="web.3 has 96 % of the failures and 10 % of the requests",
        requests=(REQUEST,),
        release=Release(
            "shop", 42, (BEGAN_S - 420) * 1000, "deploy", "v42: deploy 9154a1d2", commit="9154a1d2c0ffee"
        ),
    ),
    "https://tailrace.example.com",
    BEGAN_S + 60,
)
"""As it is made from what is known: docs/alerts.md shows it."""
FINDING = MESSAGE.findings[0]
RESOLVED = replace(
    MESSAGE,
    id="3f6c0d1e9b7a4d52.2",
    kind="resolved",
    title="resolved after 3 min: shop: 20.3 % of requests to /checkout fail",
    at_s=1_795_691_000,
    resolved_s=1_795_690_990,
    findings=(replace(FINDING, is_firing=False),),
    action="",
)


def all_texts(text: str, findings: int = 1, link: str = "") -> Message:
    """A message that says `text` wherever it says anything."""
    finding = replace(FINDING, rule=text, app=text, route=text, text=text, usual=text)
    request = replace(REQUEST, request_id=text, method=text, path=text, status=text, code=text, dyno=text)
    return replace(
        MESSAGE,
        app=text,
        title=text,
        findings=(finding,) * findings,
        dyno=text,
        requests=(request,) * 3,
        release=text,
        link=link,
        action=text,
    )


HOSTILE_TEXTS = (
    *HOSTILE,
    MENTIONS,
    "line\r\nBcc: victim@example.com\r\n\r\nbody",
    "\r\n.\r\nMAIL FROM:<x@example.com>",
    "half \ud800 surrogate \udfff",
    '"quotes" \\ and {braces} ${HOME} {{DATE(2026-01-01T00:00:00Z)}}',
)

LONGEST = tuple(
    all_texts(text, 1_000, "https://tailrace.example.com/?" + "&" * 1_900)
    for text in (
        "x" * 20_000,
        "&" * 20_000,
        "\N{LARGE RED CIRCLE}" * 20_000,
        '"\\' * 10_000,
        "\u202e\n" * 10_000,
    )
)
"""Each as long as its texts could ever be, of characters that grow most in some form."""
