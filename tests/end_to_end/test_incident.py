"""The drill: four troubles in three apps, found by the API and the command line alone, on real parts."""

from __future__ import annotations

import time

import pytest
import redis

from servers.incident import STEP_S, Incident, Truth, deliver
from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.end_to_end.detective import Detective, Finding

SECONDS = 85
RATE = 40


@pytest.mark.slow
def test_of_each_trouble_the_drill_finds_the_dyno_the_first_ten_seconds_and_three_requests(
    redis_url: str, redis_client: redis.Redis
) -> None:
    port = free_port()
    environ = {"REDIS_URL": redis_url, "DRAIN_AUTH": "none"}
    with Processes(environ) as processes:
        processes.start_web(port)
        processes.start_worker("metrics")
        started_s = time.time()
        incident = Incident(1, started_s)
        assert deliver(f"http://127.0.0.1:{port}/logs", incident, RATE, SECONDS) == 0
        until_s = int(time.time()) + 1
        wait_until(lambda: _counted(redis_client) >= SECONDS * RATE * 3, "count of all requests", 30)
        time.sleep(STEP_S)  # The last ten seconds are over, and no step is still filling.
        detective = Detective(
            f"http://127.0.0.1:{port}",
            processes.environ,
            from_s=int(started_s) // STEP_S * STEP_S,
            until_s=until_s,
        )
        apps = detective.apps()
        found = [finding for app in apps for finding in detective.findings(app)]
    assert sorted(apps) == ["api", "blog", "shop"]
    assert len(found) == len(incident.truths), found
    for truth in incident.truths.values():
        _check(truth, found)


def _check(truth: Truth, findings: list[Finding]) -> None:
    route = truth.path.partition("?")[0]
    (found,) = [finding for finding in findings if (finding.app, finding.route) == (truth.app, route)]
    assert found.is_slow == (truth.name == "slow route")
    assert found.dyno == truth.dyno
    assert found.first_s == truth.first_s // STEP_S * STEP_S
    for ids in (found.sampled, found.searched):
        assert len(ids) == 3
        assert ids <= set(truth.requests)


def _counted(client: redis.Redis) -> int:
    return int(client.hget("tailrace:group:metrics", "messages") or 0)
