"""`--compare-bodies` against real servers: the baseline is asked twice, and only what changed is named."""

from __future__ import annotations

import itertools
import logging
import math
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from socket import socket

import orjson
import pytest

from app.log import Reach
from app.message import RouterMessage
from app.store.body_figures import KEYS_MAX, OTHER_KEYS, BodyFigures
from app.store.run_figures import RunFigures
from consumers.replay.bodies import answers as answers_module
from consumers.replay.choice.policy import HeaderOptions, ReplayPolicy
from consumers.replay.choice.rules import Rules
from consumers.replay.choice.target import Target
from consumers.replay.load.shapes import Load, at_speed
from consumers.replay.plan import ReplayPlan
from consumers.replay.sending import comparison as comparison_module
from consumers.replay.sending.http1 import KEPT_MAX_BYTES
from consumers.replay.window import WindowReplay
from servers.messages import router_message
from tests.consumers.replay.samples import GUARD, line, never
from tests.consumers.replay.test_window import ignore
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, refuse_by_reset

AT_MS = 1_763_900_000_000
Body = Callable[[SeenRequest], bytes]


class Kept:
    """A log of `count` requests, /0, /1, ..., of these methods in turn."""

    was_overtaken = False

    def __init__(self, count: int, methods: tuple[str, ...] = ("GET",)) -> None:
        self._lines = [
            line(f"/{number}", method=method)
            for number, method in zip(range(count), itertools.cycle(methods), strict=False)
        ]

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        yield [
            router_message(text, AT_MS / 1000, id=f"f.{number}") for number, text in enumerate(self._lines)
        ]

    def reach(self) -> Reach:
        return Reach(AT_MS, AT_MS)

    def estimate(self, from_ms: int, until_ms: int) -> int:
        return len(self._lines)

    def close(self) -> None:
        """There is nothing to close."""


def replayed(
    target: RecordingTarget,
    baseline: RecordingTarget,
    count: int = 50,
    methods: tuple[str, ...] = ("GET",),
    timeout_s: float = 2.0,
) -> RunFigures:
    """The figures of a run whose answers are compared."""
    plan = ReplayPlan(
        from_ms=0,
        until_ms=sys.maxsize,
        target=Target.parse(target.url),
        baseline=Target.parse(baseline.url),
        policy=ReplayPolicy(Rules([], methods), 1.0, HeaderOptions(), allow_same_host=True, guard=GUARD),
        app="",
        concurrency=4,
        timeout_s=timeout_s,
        load=Load((at_speed(math.inf),)),
        compares_answers=True,
    )
    window = WindowReplay(plan, lambda line: "/:n", never)
    window.run(Kept(count, methods), ignore)
    figures = window.take_figures()
    assert sum(route.sent for route in figures.routes.values()) == count
    bodies = figures.total().bodies
    assert bodies.compared + sum(bodies.uncompared.values()) == count
    return figures


def compared(target: Behaviour, baseline: Behaviour, count: int = 50) -> BodyFigures:
    with RecordingTarget(target) as new, RecordingTarget(baseline) as old:
        return replayed(new, old, count).total().bodies


def serving(media_type: str, body: Body, *, chunked: bool = False) -> Behaviour:
    def behave(connection: socket, seen: SeenRequest) -> bool:
        data = body(seen)
        if not chunked:
            return answer(200, data, head=f"Content-Type: {media_type}\r\n".encode())(connection, seen)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(data[at : at + 7]), data[at : at + 7]) for at in range(0, len(data), 7)
        )
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: %b\r\n\r\n%b0\r\n\r\n"
            % (media_type.encode(), chunks)
        )
        return True

    return behave


def as_json(price: int = 10, **more: object) -> Body:
    """An item as JSON, with the time and a nonce."""

    def body(seen: SeenRequest) -> bytes:
        return orjson.dumps(
            {
                "made_at": datetime.now(UTC).isoformat(),
                "nonce": secrets.token_hex(8),
                "self": f"http://{seen.headers['host']}{seen.target.decode()}",
                "items": [{"id": number, "price": price} for number in range(3)],
                **more,
            }
        )

    return body


def as_page(price: int = 10) -> Body:
    """An item as a page, with the time and a nonce beside the price."""

    def body(seen: SeenRequest) -> bytes:
        nonce = secrets.token_urlsafe(12)
        return (
            f'<!doctype html><head><meta name="csrf-token" content="{nonce}"></head>\n'
            f'<p>Made at {time.time():.6f} for {nonce}: <a href="http://{seen.headers["host"]}/x">x</a></p>\n'
            f'<div class="price">{price} Euro, offer {nonce}</div>\n'
        ).encode()

    return body


@pytest.mark.parametrize("chunked", [False, True])
def test_json_names_the_one_field_that_has_changed(chunked: bool) -> None:
    bodies = compared(
        serving("application/json", as_json(12), chunked=chunked), serving("application/json", as_json(10))
    )
    assert (bodies.compared, bodies.changed, bodies.noisy) == (50, 50, 50)
    assert bodies.keys == {"body.items[].price": 50}


def test_a_page_names_the_one_element_that_has_changed() -> None:
    bodies = compared(serving("text/html", as_page(12)), serving("text/html", as_page(10)))
    assert (bodies.compared, bodies.changed, bodies.noisy) == (50, 50, 50)
    assert bodies.keys == {"body.div": 50}


@pytest.mark.parametrize(
    ("media_type", "body"), [("application/json", as_json()), ("text/html; charset=utf-8", as_page())]
)
def test_the_same_code_on_two_hosts_has_not_changed(media_type: str, body: Body) -> None:
    bodies = compared(serving(media_type, body), serving(media_type, body), 500)
    assert (bodies.compared, bodies.changed, bodies.noisy) == (500, 0, 500)
    assert bodies.keys == {}


def test_a_random_field_that_the_target_lacks_is_found() -> None:
    bodies = compared(
        serving("application/json", as_json()),
        serving("application/json", lambda seen: as_json(token=secrets.token_hex())(seen)),
    )
    assert bodies.keys == {"body.token (missing)": 50}


def test_the_baseline_gets_each_request_twice_with_the_same_id_and_the_target_once() -> None:
    with RecordingTarget() as new, RecordingTarget() as old:
        replayed(new, old, 20)
    assert sorted(new.targets() * 2) == sorted(old.targets())
    ids = [[seen.headers["x-request-id"] for seen in server.seen] for server in (new, old)]
    assert sorted(ids[0] * 2) == sorted(ids[1])


def test_the_second_request_follows_the_answers_of_both() -> None:
    with RecordingTarget(answer(delay_s=0.2)) as new, RecordingTarget() as old:
        replayed(new, old, 1)
    assert old.seen[1].at_s - new.seen[0].at_s >= 0.2


def test_the_times_and_statuses_of_the_run_are_those_of_the_first_two_answers() -> None:
    calls = itertools.count()

    def behave(connection: socket, seen: SeenRequest) -> bool:
        is_again = next(calls) % 2 == 1
        return answer(503 if is_again else 200, delay_s=0.3 if is_again else 0.0)(connection, seen)

    with RecordingTarget() as new, RecordingTarget(behave) as old:
        (route,) = replayed(new, old, 1).routes.values()
    assert route.statuses == {(200, 200): 1}
    assert sum(route.original.values()) == 1
    assert (route.bodies.compared, route.bodies.uncompared) == (0, {"unsteady": 1})


def test_a_status_that_fails_now_and_then_on_both_is_noise() -> None:
    def failing(seed: int) -> Behaviour:
        rng = random.Random(seed)

        def behave(connection: socket, seen: SeenRequest) -> bool:
            return answer(503 if rng.random() < 0.2 else 200)(connection, seen)

        return behave

    with RecordingTarget(failing(1)) as new, RecordingTarget(failing(2)) as old:
        (bodies,) = [route.bodies for route in replayed(new, old, 300).routes.values()]
    assert bodies.uncompared["unsteady"] > 50
    assert bodies.differing_keys["status"] > 10
    assert bodies.changed == 0
    worse = compared(lambda connection, seen: answer(503)(connection, seen), failing(2), 300)
    assert worse.keys["status"] > 100


@pytest.mark.parametrize("fails", ["target", "baseline"])
def test_a_request_without_one_of_the_answers_is_not_compared_but_counted(fails: str) -> None:
    def behave(connection: socket, seen: SeenRequest) -> bool:
        return (refuse_by_reset() if int(seen.target[1:]) % 5 == 0 else answer())(connection, seen)

    behaviours = (behave, answer()) if fails == "target" else (answer(), behave)
    bodies = compared(*behaviours)
    assert (bodies.compared, bodies.uncompared, bodies.changed) == (40, {"no-answer": 10}, 0)


def test_a_request_without_a_second_answer_of_the_baseline_is_counted() -> None:
    seen_before: set[bytes] = set()

    def behave(connection: socket, seen: SeenRequest) -> bool:
        is_again = seen.target in seen_before
        seen_before.add(seen.target)
        fails = is_again and int(seen.target[1:]) % 5 == 0
        return (refuse_by_reset() if fails else answer())(connection, seen)

    bodies = compared(answer(), behave)
    assert bodies.uncompared["no-second-answer"] in range(1, 11)  # A kept connection is tried again.


def test_other_methods_than_get_and_head_are_sent_once_and_not_compared() -> None:
    with RecordingTarget() as new, RecordingTarget() as old:
        bodies = replayed(new, old, 30, ("GET", "HEAD", "POST")).total().bodies
    assert (bodies.compared, bodies.uncompared) == (20, {"method": 10})
    assert [seen.method for seen in old.seen].count("POST") == 10


def test_what_is_compared_of_a_long_answer_is_counted_as_cut() -> None:
    long = b"line %d\n" * (KEPT_MAX_BYTES // 6)
    bodies = compared(serving("text/plain", lambda seen: long), serving("text/plain", lambda seen: long), 5)
    assert (bodies.compared, bodies.cut, bodies.changed) == (5, 5, 0)
    bodies = compared(
        serving("text/plain", lambda seen: b"other\n" + long), serving("text/plain", lambda seen: long), 5
    )
    assert (bodies.cut, bodies.changed) == (5, 5)


@pytest.mark.parametrize("module", [answers_module, comparison_module])
def test_answers_that_wait_for_others_take_a_limited_amount_of_memory(
    module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = "WAITING_MAX_BYTES" if module is answers_module else "ANSWERS_MAX_BYTES"
    monkeypatch.setattr(module, limit, 100)
    bodies = compared(answer(body=b"x" * 200), answer(body=b"x" * 200))
    assert bodies.uncompared == {"busy": 50}


def test_a_defect_in_the_comparison_costs_one_request_and_tells_no_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*replies: object) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr(answers_module, "compare", fail)
    with caplog.at_level(logging.DEBUG):
        bodies = compared(answer(), answer(), 5)
    assert bodies.uncompared == {"fault": 5}
    assert "answers could not be compared: ValueError" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_keys_of_a_route_are_limited_in_number() -> None:
    def names(seen: SeenRequest) -> bytes:
        return orjson.dumps(
            {"key" + chr(97 + int(seen.target[1:]) // 26) + chr(97 + int(seen.target[1:]) % 26): 1}
        )

    bodies = compared(
        serving("application/json", names), serving("application/json", lambda seen: b"{}"), 120
    )
    assert len(bodies.differing_keys) == KEYS_MAX + 1
    assert bodies.changed == 120
    assert bodies.keys[OTHER_KEYS] == 120 - KEYS_MAX
