"""`alerts` and `metrics` of the Procfile: which of them judges, and how they end."""

from __future__ import annotations

import time

import pytest
import redis

from app.alerts.redis import lease, outbox
from app.alerts.redis.board import commit
from app.store.workers import all_workers
from servers.processes import Processes, wait_until
from tests.app.alerts.redis.made import message, step
from tests.support.target import RecordingTarget, answer


@pytest.mark.slow
def test_metrics_judges_until_alerts_runs_and_again_once_it_has_stopped(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        metrics = processes.start_worker("metrics")
        wait_until(lambda: lease.holder(redis_client).startswith("metrics."), "metrics' lease", 40)
        alerts = processes.start("alerts")
        wait_until(lambda: lease.holder(redis_client).startswith("alerts."), "alerts' lease", 40)
        assert alerts.terminate() == 0
        assert "alerts" not in {worker.group for worker in all_workers(redis_client, int(time.time() * 1000))}
        wait_until(lambda: lease.holder(redis_client).startswith("metrics."), "metrics' lease", 40)
        assert metrics.terminate() == 0
        assert lease.holder(redis_client) == ""


def test_a_target_that_hangs_does_not_keep_alerts_from_its_end_and_the_next_one_sends_it_again(
    redis_url: str, redis_client: redis.Redis
) -> None:
    lease.acquire(redis_client, "test")
    commit(redis_client, "test", step(at_s=0), [message(to=("webhook",))], now_s=time.time())
    lease.release(redis_client, "test")
    with RecordingTarget(answer(delay_s=60)) as receiver:
        environ = {
            "REDIS_URL": redis_url,
            "ALERT_WEBHOOK_URL": f"{receiver.url}/very-secret",
            "ALERT_WEBHOOK_SECRET": "another-secret-of-32-characters!",
        }
        with Processes(environ) as processes:
            first = processes.start("alerts")
            first.wait_until(lambda: len(receiver.seen) == 1, "message", 40)
            began_s = time.monotonic()
            assert first.terminate() == 0
            assert time.monotonic() - began_s < 8
            receiver.behaviour = answer()
            second = processes.start("alerts")
            second.wait_until(lambda: not outbox.read_outbox(redis_client).waiting, "delivery", 40)
            assert second.terminate() == 0
            assert "secret" not in first.output + second.output
    assert len({seen.headers["tailrace-id"] for seen in receiver.seen}) == 1
    assert len(receiver.seen) == 2
