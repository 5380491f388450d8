"""kill -9 of the process that judges and sends, at 200 points of a day with 40 incidents."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import orjson
import pytest
import redis

from app.alerts.redis.history import read_history
from app.alerts.redis.outbox import statuses
from servers.processes import ROOT, inherited_environ
from tests.app.alerts.scripted import T0
from tests.consumers.alerts.day import INCIDENTS, KILLS, MINUTES, expected
from tests.support.target import RecordingTarget


@pytest.mark.slow
def test_each_message_arrives_once_or_twice_with_the_same_id_through_200_kills(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with RecordingTarget() as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "tests.consumers.alerts.day", redis_url, receiver.url, "20"],
            cwd=ROOT,
            env=inherited_environ(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    said = dict(word.split("=") for word in done.stdout.split())
    assert int(said["kills"]) == KILLS
    assert int(said["in_sending"]) > 0

    told = expected()
    assert Counter(notice.kind for notice in told) == {"firing": INCIDENTS, "resolved": INCIDENTS}
    # Of a request whose sender was killed in the middle of it, nothing has arrived.
    whole = [seen for seen in receiver.seen if len(seen.body) == int(seen.headers["content-length"])]
    bodies = [orjson.loads(seen.body) for seen in whole]
    times = Counter(body["id"] for body in bodies)
    assert set(times) == {notice.id for notice in told}
    assert max(times.values()) <= 2
    assert len({(body["id"], body["kind"], body["title"]) for body in bodies}) == len(told)

    # Each incident is told before its end is.
    first: dict[str, int] = {}
    for number, body in enumerate(bodies):
        first.setdefault(body["id"], number)
    for notice in told:
        if notice.kind == "resolved":
            assert first[f"{notice.incident.id}.1"] < first[notice.id]

    (status,) = statuses(redis_client)
    assert (status.waiting, status.given_up) == (0, 0)
    kept = read_history(redis_client, T0, T0 + 60 * MINUTES, most=1_000)
    assert len(kept) == INCIDENTS
    assert {one.message.kind for one in kept if one.message} == {"resolved"}
