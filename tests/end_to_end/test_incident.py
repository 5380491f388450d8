"""The drill: four troubles in three apps, found by the API and the command line alone, on real parts."""

from __future__ import annotations

import time

import pytest
import redis

from servers.incident import FRAMES_S, STEP_S, Incident, Truth, clients_of, post
from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.end_to_end.detective import Detective, Finding

SECONDS = 85
RATE = 40


def post_all(url: str, incident: Incident, started_s: float) -> None:
    """What was logged in the seconds from then on, as fast as it is accepted: each line has its own time."""
    clients = clients_of(url)
    for number in range(SECONDS * FRAMES_S):
        assert post(clients, incident, RATE // FRAMES_S, started_s + number / FRAMES_S) == 0
    for client in clients.values():
        client.close()


@pytest.mark.slow
def test_of_each_trouble_the_drill_finds_the_dyno_the_first_ten_seconds_and_three_requests(
    redis_url: str, redis_client: redis.Redis
) -> None:
    port = free_port()
    environ = {"REDIS_URL": redis_url, "DRAIN_AUTH": "none"}
    with Processes(environ) as processes:
        processes.start_web(port)
        processes.start_worker("metrics")
        # The last ten seconds are over, and no step is still filling.
        started_s = time.time() - SECONDS - 2 * STEP_S
        until_s = int(started_s) + SECONDS + 1
        incident = Incident(1, started_s)
        post_all(f"http://127.0.0.1:{port}/logs", incident, started_s)
        wait_until(lambda: _counted(redis_client) >= SECONDS * RATE * 3, "count of all requests", 30)
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
