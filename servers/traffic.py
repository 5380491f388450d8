"""Realistic router traffic as Logplex delivers it: `python -m servers.traffic --url ... --rate 200`.

Lines of Router 2.0, or of the legacy router: mixed routes, methods and statuses, H-codes, slow tails, now and
then a websocket; lines of other processes between, what the platform says, and every few minutes a loss
notice. The same seed gives the same lines.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from servers.logplex_client import LogplexClient, frame_sizes
from servers.messages import router_line, router_syslog, stamp
from servers.platform_story import FIRST_VERSION, RELEASES_A_CYCLE, Story
from servers.shop import ROUTES, WEBSOCKET, Route, answer

FRAMES_S = 5
"""Logplex flushes about this often; the rate is spread over the frames."""

TOKEN = "d.demo0000-0000-4000-8000-000000000000"

LOSS_NOTICE_S = 300
"""A loss notice comes about this often, whatever the rate: each one keeps the page's warning for an hour."""


WORDS = ("lamp", "oak+desk", "chair%20red", "caf%C3%A9", "rug", "shelf")
TAGS = ("garden", "oak", "sale", "for%20kids", "caf%C3%A9")
SCANNED = ("wp-login.php", ".env", "xmlrpc.php", "phpinfo.php", "config.json")
HOSTS = (
    "shop.example.com",
    "www.shop.example.com",
    "api.shop.example.com",
    "shop-1a2b3c4d5e6f.herokuapp.com",
)
HOST_WEIGHTS = (10, 5, 4, 1)
FAILURES: tuple[tuple[str, str, int, float, int | None], ...] = (
    ("H27", "Client Request Interrupted", 499, 900.0, None),
    ("H13", "Connection closed without response", 503, 180.0, 0),
    ("H18", "Server Request Interrupted", 200, 2_500.0, 0),
    ("H12", "Request timeout", 503, 30_000.0, 0),
)
"""Code, description, status, ms, bytes. Router 2.0 logs an H18 with the status that was already sent."""
FAILURE_WEIGHTS = (10, 5, 3, 2)

FAILING_DYNO_SHARE = 0.8
"""Of the router's failures, where one dyno is in a bad way."""

WEBSOCKET_SHARE = 0.002
"""Of all requests."""


class Traffic:
    """An endless source of lines from dynos 1 to 4."""

    def __init__(self, seed: int, *, is_legacy: bool = False, story: Story | None = None) -> None:
        """`is_legacy`: of the legacy router, which logs paths as they were sent; else of Router 2.0. `story`:
        what the platform says in between, and does to the requests."""
        self._random = random.Random(seed)
        self._is_legacy = is_legacy
        self._story = story
        self.slower: Mapping[str, float] = {}
        """Paths whose requests take so many times as long."""
        self.failing_dyno = ""
        """The dyno on which most of what fails does; empty: any."""
        self._weights = list(itertools.accumulate(route.weight for route in ROUTES))
        self._next_loss_s: float | None = None

    def lines(self, count: int, now_s: float) -> Iterator[bytes]:
        """`count` router lines, with what other processes write between them, and what the platform has said
        since the last call."""
        if self._story:
            yield from (said.syslog() for said in self._story.until(now_s))
            self.slower, self.failing_dyno = self._story.slower(now_s), self._story.failing_dyno(now_s)
        for _ in range(count):
            at_s = now_s - self._random.random() / FRAMES_S
            yield router_syslog(self.router_line(), at_s)
            written = stamp(at_s).encode()
            if self._random.random() < 0.4:
                yield b"<190>1 %s host app web.%d - Completed 200 OK in %dms (Views: 12.1ms)\n" % (
                    written,
                    self._random.randint(1, 4),
                    self._random.randint(5, 400),
                )
        if self._loses(now_s):
            written = stamp(now_s).encode()
            yield (
                b"<40>1 %s host heroku logplex - Error L10 (output buffer overflow): "
                b"%d messages dropped since %s." % (written, self._random.randint(1, 40), written)
            )

    def _loses(self, now_s: float) -> bool:
        """Whether a loss notice is due; the first one a few minutes after the first lines."""
        is_due = self._next_loss_s is not None and now_s >= self._next_loss_s
        if is_due or self._next_loss_s is None:
            self._next_loss_s = now_s + LOSS_NOTICE_S * self._random.uniform(0.5, 1.5)
        return is_due

    def router_line(self) -> str:
        """The line of one more request."""
        route = self._random.choices(ROUTES, cum_weights=self._weights)[0]
        if self._random.random() < route.failure_share:
            return self._failed(route)
        return self._answered_or_websocket(route)

    def answered_line(self) -> str:
        """The line of a request that the app answered."""
        return self._answered_or_websocket(self._random.choices(ROUTES, cum_weights=self._weights)[0])

    def failed_line(self) -> str:
        """The line of a request that the router failed, with its H-code."""
        weights = [route.weight * route.failure_share for route in ROUTES]
        return self._failed(self._random.choices(ROUTES, weights)[0])

    def _answered_or_websocket(self, route: Route) -> str:
        rng = self._random
        if rng.random() >= WEBSOCKET_SHARE:
            return self._answered(route)
        request = self._request(route) | {"method": "GET", "path": WEBSOCKET}
        if not self._is_legacy:
            request["protocol"] = "http1.1"
        lifetime_ms = round(rng.lognormvariate(12, 1))
        return router_line(status=101, service_ms=lifetime_ms, bytes=rng.randrange(90_000), **request)

    def _answered(self, route: Route) -> str:
        rng = self._random
        request = self._request(route)
        found = answer(route, request["request_id"].int)
        size = 0 if route.method == "HEAD" or found.status in (304, 302) else int(rng.lognormvariate(8, 1))
        return router_line(
            status=found.status,
            service_ms=max(1, round(found.service_ms * self.slower.get(route.path, 1))),
            connect_ms=rng.choices((0, 1, 2, 5), (40, 50, 8, 2) if self._is_legacy else (95, 3, 1, 1))[0],
            bytes=size,
            **request,
        )

    def _failed(self, route: Route) -> str:
        code, desc, status, took_ms, size = self._random.choices(FAILURES, FAILURE_WEIGHTS)[0]
        request = self._request(route)
        if self.failing_dyno and self._random.random() < FAILING_DYNO_SHARE:
            request["dyno"] = self.failing_dyno
        return router_line(
            status=503 if self._is_legacy and status == 200 else status,
            service_ms=took_ms,
            bytes=size,
            code=code,
            desc=desc,
            **request,
        )

    def _request(self, route: Route) -> dict[str, Any]:
        """What the client asked for, and who was to answer."""
        rng = self._random
        path = route.path
        if "{" in path:
            path = path.format(
                id=rng.randint(1, 9_999),
                page=rng.randint(1, 9),
                word=rng.choice(WORDS),
                tag=rng.choice(TAGS),
                scanned=rng.choice(SCANNED),
                uuid=uuid.UUID(int=rng.getrandbits(128), version=4),
                date=f"2026-11-{rng.randint(1, 28):02d}",
            )
        fwd = rng.getrandbits(32)
        tls = rng.random() < 0.97
        if self._is_legacy:
            connection: dict[str, Any] = {"protocol": "https" if tls else "http"}
        else:
            # Of the query it is not known whether Router 2.0 decodes it.
            name, mark, query = path.partition("?")
            path = unquote(name) + mark + query
            protocol = "http2.0" if tls and rng.random() < 0.7 else "http1.1"
            connection = {"protocol": protocol, "tls": tls, "is_fwd_quoted": rng.random() < 0.9}
        return {
            **connection,
            "path": path,
            "method": route.method,
            "host": rng.choices(HOSTS, HOST_WEIGHTS)[0],
            "request_id": uuid.UUID(int=rng.getrandbits(128), version=4),
            "fwd": f"{fwd % 223 + 1}.{fwd >> 8 & 255}.{fwd >> 16 & 255}.{fwd >> 24}" if fwd % 20 else "",
            "dyno": f"web.{rng.randint(1, 4)}",
        }


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 when all frames were accepted, 1 when some were not."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.traffic",
        description="Posts router lines as Logplex does, at a steady rate.",
        epilog="example: python -m servers.traffic --url http://demo:SECRET@127.0.0.1:5000/logs --rate 500",
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="the drain, with user and password")
    where.add_argument("--url-from", metavar="NAME", help="the environment variable that holds it")
    parser.add_argument("--rate", type=float, default=100, help="requests a second (default 100)")
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long (default: never)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same lines (default 1)")
    args = parser.parse_args(argv)
    try:
        refused = _run(args.url or os.environ[args.url_from], args.rate, args.seconds, args.seed)
    except KeyboardInterrupt:
        return 0
    if refused:
        print(f"{refused} frames were not accepted", file=sys.stderr)
    return 1 if refused else 0


def _run(url: str, rate: float, seconds: float, seed: int) -> int:
    # The hour before (servers/history.py) had three cycles.
    traffic = Traffic(seed, story=Story(seed, time.time(), FIRST_VERSION + 3 * RELEASES_A_CYCLE))
    client = LogplexClient(url, TOKEN)
    refused = 0
    for count in frame_sizes(rate, FRAMES_S, seconds):
        lines = list(traffic.lines(count, time.time()))
        refused += bool(lines) and not client.deliver(lines).accepted
    client.close()
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
