"""The gate on a real target: `python -m app replay` against a server on loopback, for `bench.gate`."""

from __future__ import annotations

import contextlib
import math
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.log import open_log
from app.message import encode, message_id
from app.settings import Settings
from servers.messages import router_line, router_message
from servers.redis_server import RedisServer

ROOT = Path(__file__).parents[1]
VERDICTS = {0: "passed", 1: "failed", 4: "inconclusive"}
ROUTES = (
    "/search",
    *(f"/{name}" for name in ("cart", "home", "about", "news", "team", "jobs", "help", "terms", "faq")),
)
"""The first is the one that changes."""
SAMPLES = 300
"""Of each route."""
WINDOW_S = 10
MEDIAN_MS = 40.0


def verdicts(change: float, runs: int, threshold: str) -> Counter[str]:
    """What `app replay` says of a target whose first route is slower by `change`."""
    found: Counter[str] = Counter()
    with _target(change) as url:
        for run in range(runs):
            with RedisServer() as server:
                _fill(server.url, random.Random(run))
                found[_verdict(server.url, url, threshold)] += 1
    return found


def _verdict(redis_url: str, url: str, threshold: str) -> str:
    words = ["--from", "10m", "--to", url, "--speed", "1", "--concurrency", "64", "--fail-if", threshold]
    done = subprocess.run(
        [sys.executable, "-m", "app", "replay", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        timeout=20 * WINDOW_S,
    )
    return VERDICTS.get(done.returncode, f"exit code {done.returncode}: {done.stderr.decode()[-200:]}")


def _fill(redis_url: str, rng: random.Random) -> None:
    """A log of WINDOW_S. The original's times are log-normal; each request says what it takes, without the
    noise that is different every time."""
    routes = list(ROUTES) * SAMPLES
    rng.shuffle(routes)
    started_s, frame_size = time.time() - 2 * WINDOW_S, 500
    writer = open_log(Settings(redis_url=redis_url)).writer()
    for first in range(0, len(routes), frame_size):
        frame_id = str(uuid.uuid4())
        frame = []
        for number, route in enumerate(routes[first : first + frame_size]):
            own_ms = MEDIAN_MS * math.exp(rng.gauss(0, 0.45))
            line = router_line(
                f"{route}?ms={own_ms:.3f}",
                service_ms=round(own_ms * math.exp(rng.gauss(0, 0.2))),
                request_id=str(uuid.UUID(int=rng.getrandbits(128))),
            )
            at_s = started_s + (first + number) * WINDOW_S / len(routes)
            frame.append(encode(router_message(line + "\n", at_s, id=message_id(frame_id, number))))
        writer.append(frame_id, frame, 5.0)
    writer.close()


@contextlib.contextmanager
def _target(change: float) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            own_ms = float(parse_qs(place.query)["ms"][0]) * (1 + change if place.path == ROUTES[0] else 1)
            time.sleep(own_ms * random.lognormvariate(0, 0.2) / 1000)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
