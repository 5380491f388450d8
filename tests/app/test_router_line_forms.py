"""The forms that Heroku's routers write: which take the quick way, and what is read of each."""

from __future__ import annotations

import pytest

from app import router_line
from app.router_line import parse, parse_any_order
from tests.support.protocol_lines import LINES, ProtocolLine

BEFORE_FWD = 'method=GET path="/a b" host=shop.example.com request_id=6903a168'
BEHIND_FWD = "dyno=web.1 connect=0ms service=18ms status=200 bytes=13"


@pytest.mark.parametrize("start", ["at=info", 'sock=backend at=error code=H18 desc="Interrupted"'])
@pytest.mark.parametrize("fwd", ['"138.68.186.89"', "138.68.186.89", '""', "", '"2001:db8::1, 192.0.2.1"'])
@pytest.mark.parametrize(
    "end",
    [
        "protocol=http",
        "protocol=https tls_version=tls1.2",
        "protocol=http1.1 tls=false",
        "protocol=http1.1 tls=true tls_version=unknown",
        "protocol=http2.0 tls=true tls_version=tls1.3",
        "protocol=http2.0 tls=true tls_version=tls1.3 region=eu zone=",
    ],
)
@pytest.mark.parametrize("line_break", ["", "\n", "\r\n"])
def test_a_usual_line_of_either_router_takes_the_quick_way(
    start: str, fwd: str, end: str, line_break: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"{start} {BEFORE_FWD} fwd={fwd} {BEHIND_FWD} {end}{line_break}"
    found = parse_any_order(line)
    monkeypatch.setattr(router_line, "parse_any_order", None)
    assert parse(line) == found
    assert found is not None
    assert found.is_router_2 == ("tls=" in end)


def test_a_failure_without_a_dyno_takes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    line = (
        f'at=error code=H10 desc="App crashed" {BEFORE_FWD} fwd="" dyno= connect= service= status=503 bytes= '
        "protocol=http1.1 tls=false"
    )
    found = parse_any_order(line)
    monkeypatch.setattr(router_line, "parse_any_order", None)
    assert parse(line) == found
    assert found is not None
    assert (found.code, found.dyno, found.service, found.bytes, found.tls) == ("H10", "", "", "", "false")


@pytest.mark.parametrize("seen", LINES, ids=lambda seen: seen.name.replace(" ", "-"))
def test_every_pair_of_a_real_line_is_read(seen: ProtocolLine) -> None:
    line = parse(seen.line)
    assert line is not None
    assert line == parse_any_order(seen.line)
    assert {name: value for name, value in line._asdict().items() if value} == seen.fields
    assert line.is_router_2 is seen.is_router_2
