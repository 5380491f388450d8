"""Realistic router traffic as Logplex delivers it: `python -m servers.traffic --url ... --rate 200`.

Mixed routes, methods and statuses, H-codes, slow tails, lines of other processes between, and every
few minutes a loss notice. The same seed gives the same lines.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

FRAMES_S = 5
"""Logplex flushes about this often; the rate is spread over the frames."""

LOSS_NOTICE_S = 300
"""A loss notice comes about this often, whatever the rate: each one keeps the page's warning for an hour."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the imagined shop: how often, how slow (median and spread), how it fails."""

    method: str
    path: str
    weight: int
    median_ms: float
    spread: float = 0.5
    error_share: float = 0.002


ROUTES = (
    Route("GET", "/", 18, 35),
    Route("GET", "/products", 14, 60),
    Route("GET", "/products/{id}", 24, 45),
    Route("GET", "/products/{id}/reviews?page={page}", 8, 120, 0.8),
    Route("GET", "/search?q={word}&sort=price", 9, 180, 0.9, 0.01),
    Route("GET", "/cart", 6, 30),
    Route("POST", "/cart/items", 5, 55),
    Route("DELETE", "/cart/items/{id}", 1, 40),
    Route("POST", "/checkout", 2, 420, 0.7, 0.03),
    Route("GET", "/orders/{uuid}", 3, 70),
    Route("GET", "/api/v1/stock/{id}.json", 7, 12, 0.3),
    Route("GET", "/assets/app-9f86d081884c7d65.css", 4, 3, 0.2, 0.0),
    Route("HEAD", "/health", 3, 2, 0.2, 0.0),
    Route("PUT", "/account/avatar", 1, 900, 0.6, 0.02),
    Route("GET", "/admin/reports/{date}", 1, 2_400, 0.9, 0.05),
)
WORDS = ("lamp", "oak+desk", "chair%20red", "caf%C3%A9", "rug", "shelf")
HOSTS = ("shop.example.com", "shop.example.com", "www.shop.example.com", "api.shop.example.com")
FAILURES = (
    ("H12", "Request timeout", 503, 30_000.0),
    ("H13", "Connection closed without response", 503, 180.0),
    ("H18", "Server Request Interrupted", 503, 2_500.0),
    ("H27", "Client Request Interrupted", 499, 900.0),
)


class Traffic:
    """An endless source of lines; dynos 1 to 4, of which one is a little slower."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._weights = list(itertools.accumulate(route.weight for route in ROUTES))
        self._next_loss_s: float | None = None

    def lines(self, count: int, now_s: float) -> Iterator[bytes]:
        """`count` router lines, with what other processes write between them."""
        for _ in range(count):
            moment = datetime.fromtimestamp(now_s - self._random.random() / FRAMES_S, UTC)
            stamp = moment.isoformat(timespec="microseconds").encode()
            yield b"<158>1 %s host heroku router - %s\n" % (stamp, self._router_line().encode())
            if self._random.random() < 0.4:
                yield b"<190>1 %s host app web.%d - Completed 200 OK in %dms (Views: 12.1ms)\n" % (
                    stamp,
                    self._random.randint(1, 4),
                    self._random.randint(5, 400),
                )
            if self._random.random() < 0.02:
                yield b"<45>1 %s host heroku web.1 - source=web.1 sample#memory_total=412.05MB\n" % stamp
        if self._loses(now_s):
            stamp = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="microseconds").encode()
            yield (
                b"<40>1 %s host heroku logplex - Error L10 (output buffer overflow): "
                b"%d messages dropped since %s." % (stamp, self._random.randint(1, 40), stamp)
            )

    def _loses(self, now_s: float) -> bool:
        """Whether a loss notice is due; the first one a few minutes after the first lines."""
        is_due = self._next_loss_s is not None and now_s >= self._next_loss_s
        if is_due or self._next_loss_s is None:
            self._next_loss_s = now_s + LOSS_NOTICE_S * self._random.uniform(0.5, 1.5)
        return is_due

    def _router_line(self) -> str:
        rng = self._random
        route = rng.choices(ROUTES, cum_weights=self._weights)[0]
        path = route.path.format(
            id=rng.randint(1, 9_999),
            page=rng.randint(1, 9),
            word=rng.choice(WORDS),
            uuid=uuid.UUID(int=rng.getrandbits(128), version=4),
            date=f"2026-11-{rng.randint(1, 28):02d}",
        )
        request_id = uuid.UUID(int=rng.getrandbits(128), version=4)
        dyno = rng.randint(1, 4)
        service_ms = rng.lognormvariate(0, route.spread) * route.median_ms * (1.35 if dyno == 3 else 1)
        common = (
            f'method={route.method} path="{path}" host={rng.choice(HOSTS)} request_id={request_id} '
            f'fwd="{rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"'
        )
        tail = "protocol=https tls=true tls_version=tls1.3"
        if rng.random() < route.error_share:
            code, desc, status, took_ms = rng.choice(FAILURES)
            level = "warning" if code == "H27" else "error"
            sock = " sock=client" if code == "H27" else ""
            return (
                f'at={level} code={code} desc="{desc}" {common} dyno=web.{dyno}{sock} '
                f"connect=1ms service={took_ms:.0f}ms status={status} bytes=0 {tail}"
            )
        status = rng.choices((200, 304, 302, 404, 422, 500), (900, 40, 30, 22, 5, 3))[0]
        size = 0 if route.method == "HEAD" or status in (304, 302) else int(rng.lognormvariate(8, 1))
        return (
            f"at=info {common} dyno=web.{dyno} connect={rng.choices((0, 1, 2, 5), (50, 40, 8, 2))[0]}ms "
            f"service={max(1, service_ms):.0f}ms status={status} bytes={size} {tail}"
        )


def body(lines: Sequence[bytes]) -> bytes:
    """The lines in octet-counted frames."""
    return b"".join(b"%d %s" % (len(line), line) for line in lines)


def post(session: requests.Session, url: str, lines: Sequence[bytes], frame_id: str) -> int:
    """Delivers one frame, with the headers of Logplex; the status of the answer, 0 for none."""
    headers = {
        "Content-Type": "application/logplex-1",
        "Logplex-Msg-Count": str(len(lines)),
        "Logplex-Frame-Id": frame_id,
        "Logplex-Drain-Token": "d.demo0000-0000-4000-8000-000000000000",
        "User-Agent": "Logplex/v73",
    }
    try:
        return session.post(url, data=body(lines), headers=headers, timeout=(3, 5)).status_code
    except requests.RequestException:
        return 0


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
    traffic = Traffic(seed)
    session = requests.Session()
    session.trust_env = False
    started = time.monotonic()
    refused = 0
    for number in itertools.count():
        due = started + number / FRAMES_S
        if seconds and due - started >= seconds:
            return refused
        time.sleep(max(0.0, due - time.monotonic()))
        count = round((number + 1) * rate / FRAMES_S) - round(number * rate / FRAMES_S)
        lines = list(traffic.lines(count, time.time()))
        frame_id = str(uuid.uuid4())
        # As Logplex: up to three tries of the same frame.
        if lines and not any(post(session, url, lines, frame_id) == 202 for _ in range(3)):
            refused += 1
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
