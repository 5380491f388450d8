"""A primary dies 300 ms ahead of its replica, which takes over: what was acknowledged must be there."""

from __future__ import annotations

import time

import pytest

from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.end_to_end.load import Load, settings
from tests.support.replicated_redis import ReplicatedRedis
from tests.support.stored import logged_messages

BEHIND_S = 0.3


def acknowledged_and_kept(**environ: str) -> tuple[set[str], set[str]]:
    """Routes of the frames that got a 202, and of those in the log of the promoted replica."""
    with ReplicatedRedis() as both:
        port = free_port()
        with Processes({**settings(both.primary), **environ}) as processes:
            processes.start_web(port)
            both.link.delay_s = BEHIND_S
            time.sleep(BEHIND_S)
            with Load(port) as load:
                wait_until(lambda: sum(sent.accepted for _, sent in load.deliveries) >= 12, "load")
                replica = both.fail_over()
        accepted = {path for path, sent in load.deliveries if sent.accepted}
        kept = {
            str(message["msg"]).partition('path="')[2].partition('"')[0]
            for message in logged_messages(replica, "tailrace:log:router")
        }
        replica.close()
        return accepted, kept


def test_with_replicas_asked_for_every_acknowledged_frame_survives_the_primary() -> None:
    accepted, kept = acknowledged_and_kept(REDIS_LOG_REPLICAS="1")
    assert len(accepted) >= 12
    assert accepted <= kept


def test_without_them_acknowledged_frames_may_be_lost() -> None:
    accepted, kept = acknowledged_and_kept()
    assert accepted - kept


@pytest.mark.slow
def test_a_replica_that_stops_means_503_and_the_retry_counts_once() -> None:
    with ReplicatedRedis() as both:
        port = free_port()
        environ = {**settings(both.primary), "REDIS_LOG_REPLICAS": "1"}
        with Processes(environ) as processes:
            web = processes.start_web(port)
            both.hold_replica()
            with Load(port) as load:
                wait_until(lambda: any("503" in sent.answers for _, sent in load.deliveries), "refusal")
                both.release_replica()
                wait_until(lambda: sum(sent.accepted for _, sent in load.deliveries) >= 20, "load")
            assert "only 0 of 1 replica (REDIS_LOG_REPLICAS) confirmed in time" in web.output
            replica = both.fail_over()
            found = [str(message["id"]) for message in logged_messages(replica, "tailrace:log:router")]
            replica.close()
        frames = [sent.frame_id for _, sent in load.deliveries if sent.accepted]
        assert len(found) == len(set(found))
        assert {name for name in frames if f"{name}.0" not in found} == set()
