"""A metrics worker judges and sends whenever no alerts worker reports, and counts whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import redis

from app.alerts.redis import lease
from app.store.workers import WorkerStatus, deregister, report_status
from consumers.alerts.alerting import Alerting
from consumers.alerts.standby import Standby
from servers.processes import wait_until
from tests.consumers.alerts.test_alerting import Clock, Script, process

ALERTS_WORKER = "alerts.host.1"


def report(store: redis.Redis, at_s: float | None = None) -> None:
    """As an alerts worker does."""
    at_ms = int(1000 * (time.time() if at_s is None else at_s))
    report_status(store, WorkerStatus(ALERTS_WORKER, "alerts", at_ms, 0, 0.0, True, at_ms))


Start = Callable[..., Standby]


@pytest.fixture
def start(redis_client: redis.Redis) -> Iterator[Start]:
    started: list[Standby] = []

    def begin(work: Alerting, absent_s: float = 0.0) -> Standby:
        made = Standby(redis_client, lambda: work, every_s=0.02, absent_s=absent_s)
        started.append(made)
        made.start()
        return made

    yield begin
    for one in started:
        one.close()


def test_it_judges_where_no_alerts_worker_reports(redis_client: redis.Redis, start: Start) -> None:
    script = Script()
    made = start(process(redis_client, "metrics", script=script))
    wait_until(lambda: script.asked == [0], "moment")
    assert lease.holder(redis_client) == "metrics"
    made.close()
    assert lease.holder(redis_client) == ""


def test_it_waits_a_while_for_one_that_starts_at_the_same_time(
    redis_client: redis.Redis, start: Start
) -> None:
    script = Script()
    start(process(redis_client, "metrics", script=script), absent_s=60.0)
    time.sleep(0.2)
    assert script.asked == []
    assert lease.holder(redis_client) == ""


def test_it_gives_the_lease_back_once_one_reports(redis_client: redis.Redis, start: Start) -> None:
    start(process(redis_client, "metrics"))
    wait_until(lambda: lease.holder(redis_client) == "metrics", "lease")
    report(redis_client)
    wait_until(lambda: lease.holder(redis_client) == "", "end of the lease")
    time.sleep(0.1)
    assert lease.acquire(redis_client, "alerts")


@pytest.mark.parametrize("is_killed", [True, False])
def test_it_takes_over_from_one_that_was_stopped_or_killed(
    redis_client: redis.Redis, start: Start, is_killed: bool
) -> None:
    report(redis_client)
    script = Script()
    start(process(redis_client, "metrics", script=script))
    time.sleep(0.1)
    assert script.asked == []
    if is_killed:
        report(redis_client, time.time() - 31)
    else:
        deregister(redis_client, ALERTS_WORKER)
    wait_until(lambda: lease.holder(redis_client) == "metrics", "lease")
    wait_until(lambda: script.asked == [0], "moment")


def test_of_two_metrics_workers_one_judges(redis_client: redis.Redis, start: Start) -> None:
    scripts = (Script(), Script())
    clock = Clock()
    for name, script in zip(("first", "second"), scripts, strict=True):
        start(process(redis_client, name, script=script, clock=clock))
    wait_until(lambda: [0] in [script.asked for script in scripts], "moment")
    time.sleep(0.1)
    assert sorted(script.asked for script in scripts) == [[], [0]]


def test_whatever_is_raised_it_goes_on(
    redis_client: redis.Redis,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("consumers.alerts.standby.FAULT_DELAY_S", 0.02)
    script = Script(faults=[RuntimeError("nobody expects this"), redis.TimeoutError("slow"), OSError()] * 2)
    start(process(redis_client, "metrics", script=script))
    wait_until(lambda: script.asked == [0], "moment")
    faults = [one for one in caplog.records if "counting goes on" in one.getMessage()]
    assert len(faults) == 1  # A line a minute.


def test_alerting_that_cannot_be_made_is_tried_again(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.alerts.standby.FAULT_DELAY_S", 0.02)
    tried = []

    def make() -> Alerting:
        tried.append(1)
        if len(tried) < 3:
            raise ValueError("nobody expects this")
        return process(redis_client, "metrics")

    made = Standby(redis_client, make, every_s=0.02, absent_s=0.0)
    made.start()
    wait_until(lambda: lease.holder(redis_client) == "metrics", "lease")
    made.close()
