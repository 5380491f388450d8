"""A search: from the log to single requests, by the time that the router logged them; and the live tail."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis

from app.errors import LogUnavailable
from app.log import Reach, Scanned, open_log
from app.message import RouterMessage, message_id
from app.routes import route_namer
from app.search.filters import RequestFilter
from app.search.search import BROKEN_CLOCK_MS, Follow, RequestSearch
from app.settings import Settings
from servers.messages import router_line, router_message
from tests.support.logged import write_log

ROUTE_OF = route_namer(Settings())


def request(number: int, at_s: float, received_s: float | None = None, **line: Any) -> RouterMessage:
    text = router_line(f"/products/{number}", **line)
    return router_message(text, at_s, id=message_id("f", number), received_s=received_s)


def search(
    store: redis.Redis,
    url: str,
    messages: Sequence[RouterMessage],
    wanted: RequestFilter,
    newest_first: bool = True,
    from_ms: int = 0,
    until_ms: int | None = None,
) -> tuple[list[str], RequestSearch]:
    """The ids of what was found, in order."""
    write_log(store, messages)
    history = open_log(Settings(redis_url=url)).history()
    run = RequestSearch(wanted, ROUTE_OF, from_ms=from_ms, until_ms=until_ms)
    found = [one.message_id for part in run.run(history, newest_first=newest_first) for one in part]
    history.close()
    return found, run


def test_wanted_requests_are_found_newest_or_oldest_first(redis_client: redis.Redis, redis_url: str) -> None:
    now_s = time.time()
    messages = [request(n, now_s - 100 + n, status=503 if n % 3 == 0 else 200) for n in range(60)]
    wanted = RequestFilter(statuses=((503, 503),))
    found, run = search(redis_client, redis_url, messages, wanted)
    assert found == [f"f.{n}" for n in range(57, -1, -3)]
    assert run.lines_read == 60
    found, _ = search(redis_client, redis_url, messages, wanted, newest_first=False)
    assert found == [f"f.{n}" for n in range(0, 60, 3)]


def test_the_time_of_a_request_is_when_the_router_logged_it(
    redis_client: redis.Redis, redis_url: str
) -> None:
    now_s = float(int(time.time()) - 600)
    messages = [
        request(1, now_s - 1, now_s + 5),
        request(2, now_s, now_s + 60),
        request(3, now_s + 9.999, now_s + 9),
        request(4, now_s + 10, now_s + 10),
    ]
    begin_ms = round(now_s * 1000)
    found, _ = search(
        redis_client, redis_url, messages, RequestFilter(), from_ms=begin_ms, until_ms=begin_ms + 10_000
    )
    assert sorted(found) == ["f.2", "f.3"]


def test_a_line_without_a_time_or_from_a_broken_clock_has_the_time_of_its_arrival(
    redis_client: redis.Redis, redis_url: str
) -> None:
    now_s = time.time() - 60
    broken = request(1, now_s + 2 * BROKEN_CLOCK_MS / 1000, now_s)
    without: RouterMessage = {**request(2, now_s), "timestamp": "-"}
    write_log(redis_client, [broken, without])
    history = open_log(Settings(redis_url=redis_url)).history()
    parts = RequestSearch(RequestFilter(), ROUTE_OF).run(history, newest_first=True)
    assert {one.at_ms for part in parts for one in part} == {round(now_s * 1000)}
    history.close()


def test_what_is_no_router_line_is_passed_over(redis_client: redis.Redis, redis_url: str) -> None:
    now_s = time.time() - 60
    messages = [request(1, now_s), router_message("no pairs here", now_s, id="f.2")]
    found, run = search(redis_client, redis_url, messages, RequestFilter())
    assert found == ["f.1"]
    assert run.lines_read == 2


def test_a_found_request_says_what_it_is(redis_client: redis.Redis, redis_url: str) -> None:
    now_s = time.time() - 60
    write_log(redis_client, [request(7, now_s, now_s + 1, status=101, service_ms=9_000)])
    history = open_log(Settings(redis_url=redis_url)).history()
    parts = RequestSearch(RequestFilter(), ROUTE_OF).run(history, newest_first=True)
    ((one,),) = [part for part in parts if part]
    assert (one.route, one.app, one.is_connection) == ("/products/:id", "", True)
    assert one.received_ms - one.at_ms == pytest.approx(1_000, abs=1)
    history.close()


class BreakingHistory:
    """Gives what was received from a time on, in parts of one, and breaks after each 70th: what an
    outage of the log looks like to whoever follows it."""

    was_overtaken = False

    def __init__(self, messages: Sequence[RouterMessage]) -> None:
        self._messages = messages
        self.closed = 0

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        new = [message for message in self._messages if message["received_at"] >= from_ms]
        for number, message in enumerate(new, 1):
            yield Scanned([message], 1)
            if number % 70 == 0:
                raise LogUnavailable("Redis is unreachable")
        while True:
            yield Scanned([], 0)

    def close(self) -> None:
        self.closed += 1

    def scan(self, *args: Any, **more: Any) -> Iterator[Scanned]:
        raise NotImplementedError

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        raise NotImplementedError

    def reach(self) -> Reach | None:
        raise NotImplementedError

    def estimate(self, from_ms: int, until_ms: int) -> int:
        raise NotImplementedError


def test_a_live_tail_misses_none_and_doubles_none_through_outages() -> None:
    messages = [request(n, 1_800_000_000 + 3 * n) for n in range(200)]
    history = BreakingHistory(messages)
    said: list[str] = []
    rests: list[float] = []
    follow = Follow(
        RequestSearch(RequestFilter(), ROUTE_OF),
        lambda fault: said.append(str(fault) if fault else "back"),
        rests.append,
    )
    found: list[str] = []
    parts = follow.run(lambda: history, 1_800_000_000_000)
    for part in itertools.islice(parts, 2_000):
        found += [one.message_id for one in part]
    parts.close()
    assert found == [f"f.{n}" for n in range(200)]
    assert said[:2] == ["Redis is unreachable", "back"]
    assert said.count("back") == history.closed - 1 == len(rests)


def test_an_outage_is_said_once_however_long_it_lasts() -> None:
    tries = iter([LogUnavailable("down")] * 5)
    history = BreakingHistory([request(1, 1_800_000_000)])
    said: list[object] = []

    def open_history() -> BreakingHistory:
        for fault in tries:
            raise fault
        return history

    follow = Follow(RequestSearch(RequestFilter(), ROUTE_OF), said.append, lambda seconds: None)
    parts = follow.run(open_history, 1_800_000_000_000)
    found = [one.message_id for part in itertools.islice(parts, 20) for one in part]
    parts.close()
    assert found == ["f.1"]
    assert [type(one) for one in said] == [LogUnavailable, type(None)]
