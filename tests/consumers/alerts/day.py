"""A scripted day with 40 incidents, and a process that judges it and is killed again and again:
`python -m tests.consumers.alerts.day REDIS_URL RECEIVER_URL SEED`.

The process runs what `alerts` runs, but for the facts, which are scripted, and the time: the next minute
comes as soon as the last one is stored. It is forked, with everything imported, so that 200 lives take
seconds.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson
import redis

from app.alerts.board import Board, Notice
from app.alerts.compose import message_of
from app.alerts.condition import Verdict
from app.alerts.context import Context
from app.alerts.engine import moments, step
from app.alerts.facts import Facts, Subject
from app.alerts.redis.outbox import read_outbox
from app.alerts.rule import Rule
from app.redis_client import connect
from app.settings import Settings
from app.store import keys
from consumers.alerts.alerting import LATE_S, Alerting
from consumers.alerts.delivery import Deliveries
from consumers.alerts.messages import MessageMaker
from tests.app.alerts.scripted import T0, Scripted
from tests.consumers.alerts.posting import KINDS, target
from tests.support.stopping import go_on, stop

MINUTES = 1_440
INCIDENTS = 40
KILLS = 200
APPS = ("shop", "blog", "cart", "mail")
LEASE_S = 0.06
INCOMPLETE = (range(200, 206), range(700, 703), range(1_100, 1_130))
"""Minutes at which figures are not complete."""


def incidents() -> list[tuple[str, int, int]]:
    """(app, from, to) in seconds of the day; some overlap."""
    chosen = random.Random(20)
    found = []
    for number in range(INCIDENTS):
        start_s = 2_000 * number + 60 * chosen.randrange(25)
        found.append((APPS[number % len(APPS)], start_s, start_s + 60 * chosen.randrange(3, 30)))
    return found


def answers() -> Scripted:
    spans = incidents()

    def answer(second: int, subject: Subject) -> Verdict:
        is_bad = any(app == subject.app and low <= second < high for app, low, high in spans)
        return "bad" if is_bad else "fine"

    return Scripted(answer)


def rules() -> tuple[Rule, ...]:
    return (Rule("errors", (answers(),)),)


@dataclass(frozen=True, slots=True)
class ScriptedReader:
    """Facts of the day."""

    def read(self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()) -> Facts:
        minute = (at_s - T0) // 60
        is_newest = at_s > now_s - 60
        incomplete = "metrics is behind" if is_newest and any(minute in span for span in INCOMPLETE) else ""
        return Facts(at_s, incomplete, apps=APPS)


def expected() -> list[Notice]:
    """What is told of the day if nobody is killed."""
    board, found, reader, asked = Board(), list[Notice](), ScriptedReader(), rules()
    for minute in range(1, MINUTES + 1):
        at_s = T0 + 60 * minute
        facts = reader.read(asked, at_s, at_s)
        past = [] if facts.incomplete else moments(board, at_s)[:-1]
        for one in [*(replace(reader.read(asked, past_s, at_s), is_past=True) for past_s in past), facts]:
            made = step(board, asked, one, ())
            board = made.board
            found += made.notices
    return found


def minute_of(store: redis.Redis) -> int:
    """The last one that was judged."""
    board = orjson.loads(store.hget(keys.ALERT_BOARD, "board") or b'{"at_s": 0}')
    return int(max(0, board["at_s"] - T0)) // 60


def live(settings: Settings, receiver_url: str, name: str) -> None:
    """One life of the process, until it is killed or the one that started it is gone."""
    parent = os.getppid()
    store = connect(settings, connections=1, timeout_s=5)
    targets = {"ops": target(receiver_url)}
    work = Alerting(
        store=store,
        holder=name,
        rules=rules(),
        reader=ScriptedReader(),
        maker=MessageMaker(
            lambda incident: Context(),
            lambda notice, context, at_s: message_of(notice, context, "", at_s),
        ),
        targets=tuple(targets),
        deliveries=Deliveries(store, name, targets, KINDS),
        clock=lambda: T0 + 60 * min(MINUTES, minute_of(store) + 1) + LATE_S,
        lease_s=LEASE_S,
    )
    while os.getppid() == parent:
        try:
            work.step(lambda: None)
        except redis.RedisError:
            time.sleep(0.01)
        time.sleep(0.001)


def born(settings: Settings, receiver_url: str, name: str) -> int:
    """Its process id."""
    child = os.fork()
    if not child:
        try:
            live(settings, receiver_url, name)
        finally:
            os._exit(1)
    return child


def killing_minutes(seed: int) -> list[int]:
    """Half of them anywhere, half of them where something is told."""
    chosen = random.Random(seed)
    told = [(notice.incident.told_s or notice.incident.fired_s) - T0 for notice in expected()]
    near = [chosen.choice(told) // 60 for _ in range(KILLS // 2)]
    return sorted([*near, *(chosen.randrange(MINUTES) for _ in range(KILLS - len(near)))])


def kill(child: int, store: redis.Redis) -> bool:
    """Whether a message was being sent.

    Nobody is so unlucky here as to be killed both times that the same message is sent: then it would be sent
    a third time, as alerting.py says.
    """
    while True:
        stop(child)
        claimed = [one for one in read_outbox(store).waiting.values() if one.by]
        if all(one.attempts < 2 for one in claimed):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return bool(claimed)
        go_on(child)
        time.sleep(0.005)


def wait_until(is_there: partial[bool], deadline_s: float) -> None:
    while not is_there():
        if time.monotonic() > deadline_s:
            raise TimeoutError("the day goes on for too long")
        time.sleep(0.002)


def names() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"life {number}"


def main(redis_url: str, receiver_url: str, seed: int) -> None:
    settings = Settings.load({"REDIS_URL": redis_url})
    chosen, name = random.Random(seed), names()
    kills = killing_minutes(seed)
    deadline_s = time.monotonic() + 200
    in_sending = 0
    child = born(settings, receiver_url, next(name))
    try:
        with redis.Redis.from_url(redis_url) as store:
            for minute in kills:
                wait_until(partial(lambda minute: minute_of(store) >= minute, minute), deadline_s)
                time.sleep(chosen.uniform(0, 0.01))
                in_sending += kill(child, store)
                child = born(settings, receiver_url, next(name))
            wait_until(partial(lambda: minute_of(store) >= MINUTES), deadline_s)
            wait_until(partial(lambda: not read_outbox(store).waiting), deadline_s)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(f"kills={len(kills)} in_sending={in_sending}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
