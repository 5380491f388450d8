"""Who sends during the soak: a real app, a crawler, a scanner, broken senders, slow clients."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from servers.logplex_client import LogplexClient
from servers.messages import router_line, router_syslog

ROUTES = 40
LINES = 50
GIVE_UP_S = 60.0
"""A refused frame is sent again this long, so that what was refused may be told from what was lost."""

Line = Callable[[random.Random, int], str]


def soak_line(path: str, service_ms: float, status: int, dyno: int) -> str:
    """A line of Router 2.0."""
    return router_line(
        path,
        status=status,
        service_ms=round(service_ms),
        connect_ms=0,
        bytes=1_270,
        request_id=str(uuid.uuid4()),
        dyno=f"web.{dyno}",
        protocol="http2.0",
    )


def real_line(rng: random.Random, number: int) -> str:
    """One of 40 routes of uneven traffic."""
    route = min(int(rng.paretovariate(0.8)) - 1, ROUTES - 1)
    status = rng.choices((200, 302, 404, 503), (950, 30, 15, 5))[0]
    return soak_line(
        f"/section/{'abcdefgh'[route % 8]}{'abcde'[route // 8]}",
        rng.lognormvariate(3.5, 0.7),
        status,
        rng.randint(1, 8),
    )


def crawler_line(rng: random.Random, number: int) -> str:
    """A page that nobody asks for twice."""
    word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=9))
    return soak_line(f"/blog/{word}/{word[::-1]}", rng.lognormvariate(3, 1), 200, 1)


_LETTERS = str.maketrans("0123456789", "abcdefghij")


def scanner_line(rng: random.Random, number: int) -> str:
    """A file that is not there; with codes, methods and statuses that nobody knows."""
    odd = rng.randrange(1_000)
    # A number would be taken for an id, so each digit is a letter.
    word = str(number).translate(_LETTERS)
    line = soak_line(f"/wp-{word}.php", 2, 404, 1)
    return (
        line.replace("method=GET", f"method=X{odd}").replace("status=404", f"status={odd}") + f" code=Z{odd}"
    )


@dataclass(slots=True)
class ReplayStats:
    """What one sender has seen."""

    accepted_lines: int = 0
    accepted_frames: int = 0
    rejections: list[tuple[float, str]] = field(default_factory=list)
    """(monotonic s, answer) of each try that was no 202."""
    given_up: int = 0
    slowest_s: float = 0.0


class Sender(threading.Thread):
    """Sends frames of one kind of line at a rate, each until it is accepted."""

    def __init__(self, url: str, line: Line, lines_per_s: float, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self._url, self._line, self._stop_event = url, line, stop
        self._every_s = LINES / lines_per_s
        self._rng = random.Random(seed)
        self.tally = ReplayStats()

    def run(self) -> None:
        client = LogplexClient(self._url)
        due_s, number = time.monotonic(), 0
        while not self._stop_event.is_set():
            self._deliver(client, number)
            number += LINES
            due_s = max(due_s + self._every_s, time.monotonic() - 1)
            self._stop_event.wait(max(0.0, due_s - time.monotonic()))
        client.close()

    def _deliver(self, client: LogplexClient, number: int) -> None:
        now_s = time.time()
        lines = [router_syslog(self._line(self._rng, number + at), now_s) for at in range(LINES)]
        frame_id, began_s = str(uuid.uuid4()), time.monotonic()
        while time.monotonic() < began_s + GIVE_UP_S:
            asked_s = time.monotonic()
            answer = client.post(lines, frame_id)
            self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - asked_s)
            if answer == "202":
                self.tally.accepted_lines += LINES
                self.tally.accepted_frames += 1
                return
            self.tally.rejections.append((time.monotonic(), answer))
            time.sleep(0.2)
        self.tally.given_up += LINES


class Broken(threading.Thread):
    """Sends what no sender should: broken lines, broken bodies, invented losses."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._url, self._stop_event = url, stop
        self.sent = 0

    def run(self) -> None:
        rng = random.Random(7)
        client = LogplexClient(self._url)
        notice = (
            b"<172>1 2026-11-25T00:00:00+00:00 host heroku logplex - Error L10 (output buffer overflow): "
            b"3 messages dropped since 2026-11-25T00:00:00+00:00."
        )
        while not self._stop_event.wait(0.5):
            body = rng.choice(
                (
                    rng.randbytes(20_000),
                    b"1 \n" * 20_000,
                    b"60000 " + b"x" * 60_000,
                    b"%d %b" % (len(notice), notice),
                )
            )
            client.post([b"x"], str(uuid.uuid4()), body)
            self.sent += 1
        client.close()


class Slow(threading.Thread):
    """Holds connections open with half a request each."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port, self._stop_event = port, stop

    def run(self) -> None:
        while not self._stop_event.is_set():
            open_ones: list[socket.socket] = []
            with contextlib.suppress(OSError):
                for _ in range(50):
                    connection = socket.create_connection(("127.0.0.1", self._port), 2)
                    open_ones.append(connection)
                    connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nX: ")
            self._stop_event.wait(10)
            for connection in open_ones:
                connection.close()
