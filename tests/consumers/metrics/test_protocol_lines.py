"""What each line of Heroku's routers counts as, from the body of a drain to the figures in Redis."""

from __future__ import annotations

import time

import pytest
import redis

from app.hosts import comparable
from app.message import decode
from app.routes import route_namer
from app.settings import Settings
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.keys import digest
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from drain.receivers import logplex
from drain.receivers.messages import encode_messages
from servers.logplex_client import octets
from servers.messages import stamp
from tests.support.protocol_lines import LINES, ProtocolLine
from tests.support.reference import hashes_in

by_name = pytest.mark.parametrize("seen", LINES, ids=lambda seen: seen.name.replace(" ", "-"))


@by_name
@pytest.mark.parametrize("pri", [134, 158])
def test_a_line_of_either_router_counts_as_what_it_says(
    redis_client: redis.Redis, seen: ProtocolLine, pri: int
) -> None:
    now_s = int(time.time())
    message = f"<{pri}>1 {stamp(now_s)} host heroku router - {seen.line}".encode()
    frame = logplex.parse(octets([message]), "frame")
    values = encode_messages(frame.messages, "frame", "", now_s * 1000)
    aggregator = Aggregator(route_namer(Settings.load({})), Admission(redis_client, 500))
    changes = aggregator.changes([decode(value) for value in values], now_s)
    assert changes.totals == {"messages": 1}
    apply(redis_client, "metrics", offsets_claim("positions", [(0, 0, 1, False)]), changes, 500)

    found = hashes_in(redis_client)
    row = digest(seen.route)
    assert found["routes"] == {seen.route: row}
    assert found.get(f"{row}::statuses", {}) == _once(seen, "status")
    is_connection = seen.fields.get("status") == "101"
    service_ms, connect_ms = (None, None) if is_connection else (seen.service_ms, seen.connect_ms)
    assert found.get(f"{row}::service", {}) == _sums(service_ms)
    assert found.get(f"{row}::connect", {}) == _sums(connect_ms)
    assert found.get(f"tailrace:{row}:dynos", {}) == _once(seen, "dyno")
    assert found.get(f"tailrace:{row}:hosts", {}) == {comparable(seen.fields["host"]): "1"}
    assert found[f"tailrace:{row}:mix"] == {
        "count": "1",
        "bytes": seen.fields.get("bytes", "0"),
        **_once(seen, "method", "m:"),
        **_once(seen, "code", "c:"),
        **({} if service_ms is None else {"max_service": f"{service_ms}"}),
        **({} if connect_ms is None else {"max_connect": f"{connect_ms}"}),
        **({"connections": "1", "max_lifetime": f"{seen.service_ms}"} if is_connection else {}),
        **_outcome(seen),
        "last_s": f"{now_s // 10 * 10}",
    }


def _once(seen: ProtocolLine, name: str, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}{seen.fields[name]}": "1"} if name in seen.fields else {}


def _outcome(seen: ProtocolLine) -> dict[str, str]:
    """What the line adds to the errors that statuses and codes alone would give."""
    status, code, at = (seen.fields.get(name, "") for name in ("status", "code", "at"))
    aborted = status == "499" or code in ("H27", "H28")
    failed = not aborted and (status.startswith("5") or at == "error")
    by_sums = status.startswith("5") + (code in ("H26", "H27", "H28", "H31"))
    counts = {
        "aborted": int(aborted),
        "errors_added": max(0, failed - by_sums),
        "errors_removed": max(0, by_sums - failed),
    }
    return {name: f"{count}" for name, count in counts.items() if count}


def _sums(value_ms: float | None) -> dict[str, str]:
    return {} if value_ms is None else {"sum": f"{value_ms}", "count": "1", "average": f"{value_ms}"}
