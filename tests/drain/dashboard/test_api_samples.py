"""`/api/samples`: the requests behind a route's figures."""

from __future__ import annotations

import time

import redis

from app.settings import Settings
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.keys import digest
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from drain.app import create_app
from servers.messages import router_line, router_message


def test_the_samples_of_a_route_and_of_all(redis_client: redis.Redis) -> None:
    now_s = time.time()
    lines = [
        router_message(
            router_line(path, status=status, service_ms=took_ms, request_id=f"id{took_ms}", dyno="web.3"),
            now_s - age_s,
            id=f"f.{took_ms}",
            app="shop",
        )
        for path, status, took_ms, age_s in (("/a", 500, 7, 30), ("/a", 200, 9, 30), ("/b", 200, 8, 1_000))
    ]
    changes = Aggregator(lambda line: line.path, Admission(redis_client, 500)).changes(lines, int(now_s))
    apply(redis_client, "metrics", offsets_claim("p", [(0, 0, 1, False)]), changes, 500)
    client = create_app(Settings(), store=redis_client).test_client()

    def ids(query: str, which: str = "slowest") -> list[str]:
        found = client.get(f"/api/samples?{query}").get_json()
        assert found["from_s"] < found["to_s"]
        return [sample["request_id"] for sample in found[which]]

    assert ids("window=1h&app=shop") == ["id9", "id8", "id7"]
    assert ids("window=all") == ["id9", "id8", "id7"]
    assert ids("window=5m&app=shop") == ["id9", "id7"]
    assert ids("from=20m&to=10m&app=shop") == ["id8"]
    assert ids(f"window=1h&app=shop&route={digest('/a')}", "failed") == ["id7"]
    assert ids(f"window=1h&route={digest('/b')}") == ["id8"]
    assert ids("window=1h&app=nope") == []
    (failed,) = client.get("/api/samples?window=1h").get_json()["failed"]
    assert failed | {"at_ms": 0} == {
        **{"at_ms": 0, "request_id": "id7", "app": "shop", "dyno": "web.3", "method": "GET"},
        **{"status": "500", "code": "", "service_ms": 7.0, "connect_ms": 0.0},
    }
    assert abs(failed["at_ms"] - (now_s - 30) * 1000) < 1_000
