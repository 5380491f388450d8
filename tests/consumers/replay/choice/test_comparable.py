"""Which originals say nothing about an answer of the replay."""

from __future__ import annotations

import pytest

from app.message import RouterMessage
from consumers.replay.choice.comparable import why_uncomparable
from consumers.replay.request import Outcome, request_of
from consumers.replay.stats import ReplayStats
from servers.messages import router_message
from tests.consumers.replay.gate.evidence import share_of
from tests.consumers.replay.samples import line, never, request, router_2_line

ROUTER_2 = "host=a.example request_id=6903a168-b79b-ec27-03c8-b8f64d8d8792 fwd=1.2.3.4 dyno=web.1"


def why(text: str) -> str:
    message: RouterMessage = router_message(text, 1_763_900_000.0, id="f.0", received_s=1_763_900_000.0)
    found = request_of(message, lambda line: "/", never)
    assert found is not None
    return why_uncomparable(found)


@pytest.mark.parametrize(
    "status", [200, 201, 204, 301, 302, 400, 401, 403, 404, 410, 422, 500, 502, 503, 504]
)
def test_what_the_app_answered_by_the_path_alone_is_compared(status: int) -> None:
    assert why(line("/a", status=status)) == ""
    assert why(router_2_line("/a", status=status)) == ""
    assert why(line("/a", status=status, method="HEAD")) == ""


@pytest.mark.parametrize("status", [101, 206, 304, 406, 408, 412, 416, 417, 429, 431, 499])
def test_a_status_that_rests_on_what_the_line_does_not_have_is_named(status: int) -> None:
    for text in (line("/a", status=status), router_2_line("/a", status=status)):
        assert why(text).startswith(f"{status}: the original")


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (
            'at=error code=H12 desc="Request timeout" METHOD connect=1ms service=30000ms status=503',
            "H12: the router",
        ),
        (
            'sock=backend at=error code=H18 desc="x" METHOD connect=0ms service=7ms status=200',
            "H18: the router",
        ),
        (
            'at=error code=H24 desc="Forced close" METHOD connect=0ms service=80000ms status=',
            "H24: the router",
        ),
        (
            'sock=client at=warning code=H27 desc="x" METHOD connect=0ms service=9ms status=499',
            "499: the original's client",
        ),
        ("at=error code=%1b[31m METHOD connect=0ms service=9ms status=200", "another code: the router"),
        ("at=error METHOD connect=0ms service=9ms status=200", "at=error without a code"),
        ("at=warning METHOD connect=0ms service=9ms status=200", "at=warning without a code"),
        ("at=info METHOD connect=0ms service=9ms status=", "the original's line has no final status"),
        ("at=info METHOD connect=0ms service=9ms status=100", "the original's line has no final status"),
        ("at=info METHOD connect=0ms service=9ms status=103", "the original's line has no final status"),
        ("at=info METHOD connect=0ms service=9ms status=000", "the original's line has no final status"),
        ("at=info METHOD connect=0ms service=9ms status=999", "the original's line has no final status"),
        ("METHOD service=9ms status=200", ""),
        ("at= METHOD service=9ms status=200", ""),
    ],
)
@pytest.mark.parametrize("router", ["protocol=https", "protocol=http1.1 tls=true tls_version=unknown"])
def test_what_the_router_or_the_client_broke_off_is_named(pairs: str, reason: str, router: str) -> None:
    text = pairs.replace("METHOD", f'method=GET path="/a" {ROUTER_2}')
    found = why(f"{text} bytes=0 {router}\n")
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS"])
def test_what_had_a_body_or_headers_that_matter_is_not_compared(method: str) -> None:
    assert why(line("/a", method=method)).startswith(f"{method}: the original")
    assert why(line("/a", method="DELETE")) == ""


def test_there_are_few_reasons_whatever_the_lines_contain() -> None:
    hostile = [f"X{number}\x1b" for number in range(300)] + [f"H{number}" for number in range(300)]
    reasons = {why_uncomparable(request(code=text)) for text in hostile}
    reasons |= {why_uncomparable(request(at=text, method=text)) for text in hostile}
    reasons |= {why_uncomparable(request(status=number)) for number in range(1_000)}
    assert len(reasons) <= 120
    assert all(reason.isprintable() for reason in reasons)


@pytest.mark.parametrize(
    ("changes", "is_new"),
    [
        ({"status": 304}, True),
        ({"status": 206}, True),
        ({"status": 499, "code": "H27", "at": "warning"}, True),
        ({"status": 201, "method": "POST"}, True),
        ({"status": 503, "code": "H12", "at": "error"}, False),
        ({"status": 200, "code": "H18", "at": "error"}, False),
        ({"status": 0, "code": "H24", "at": "error"}, False),
        ({"status": 500, "method": "POST"}, False),
        ({"status": 502}, False),
    ],
)
def test_a_new_5xx_is_an_error_also_where_the_original_cannot_be_compared(
    changes: dict[str, object], is_new: bool
) -> None:
    stats = ReplayStats()
    for status in (200, 500):
        stats.done(request(**changes), Outcome("answered", status, 5.0), 0.0)
    figures = stats.take()
    assert share_of("errors", figures) == (0.5 if is_new else 0.0)
    # Only that one is compared.
    assert share_of("status-changed", figures) == (1.0 if changes == {"status": 502} else None)
