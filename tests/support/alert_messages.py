"""Messages of alerts for the tests: a usual one, one of hostile texts, and the longest there could be."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.message import Finding, Message, Request
from tests.support.hostile import HOSTILE

MENTIONS = "<!channel> <!here|here> <@U012> @everyone @channel <at>all</at> &lt;!channel&gt; *b* _i_ `c` [x](http://e)"

FINDING = Finding(
    rule="errors",
    app="shop",
    route="/checkout",
    text="20.3 % of 1,240 requests failed, the limit is 2 %",
    usual="0.1 % at this time yesterday",
    value=0.203,
    limit=0.02,
    since_s=1_795_690_800,
    is_firing=True,
)
REQUEST = Request(
    request_id="8601b555-6a83-4c12-8269-97c8e32cdb22",
    at_ms=1_795_690_801_250,
    method="GET",
    path="/checkout?step=2",
    status="503",
    code="H12",
    dyno="web.3",
    service_ms=30_000.0,
)
MESSAGE = Message(
    id="20261126-100320-a1b2c3.1",
    incident="20261126-100320-a1b2c3",
    kind="firing",
    severity="critical",
    app="shop",
    title="shop: 20.3 % of requests to /checkout fail",
    since_s=1_795_690_800,
    at_s=1_795_690_860,
    findings=(FINDING,),
    dyno="web.3 has 96 % of the failures and 10 % of the requests",
    requests=(REQUEST,),
    release="7 min after v42, 9154a1d2: deploy",
    link="https://tailrace.example.com/?app=shop&from=1795690200000&until=1795691400000",
    action="Look at web.3 first: `heroku ps:restart web.3 --app shop`.",
    to=("ops",),
)
RESOLVED = replace(
    MESSAGE,
    id="20261126-100320-a1b2c3.2",
    kind="resolved",
    title="shop: resolved: 20.3 % of requests to /checkout failed",
    at_s=1_795_691_000,
    resolved_s=1_795_690_990,
    findings=(replace(FINDING, is_firing=False),),
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
