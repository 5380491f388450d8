"""The target of the demo's replay, the shop with one route slower: `python -m servers.shop_target`.

It answers a replayed request as the original was answered, status and time, but for what the router
itself failed and for the slower route.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import uuid
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.loop_guard import original_id
from servers.shop import Answer, answer, route_of

SLOWER = "/search"
SLOWER_TIMES = 1.7

OWN_MS = 2.0
"""What this server itself takes for a request, about."""


def replayed_answer(method: str, target: str, request_id: str) -> Answer:
    """What this version of the shop answers."""
    route = route_of(method, target)
    if route is None:
        return Answer(404 if target != "/" else 200, 0.0)
    found = answer(route, _number(request_id))
    slowness = SLOWER_TIMES if target.startswith(SLOWER) else 1.0
    return Answer(found.status, found.service_ms * slowness)


def _number(request_id: str) -> int:
    """The number of the original's id; a random one where there is none, as for a health check."""
    try:
        return uuid.UUID(original_id(request_id)).int
    except ValueError:
        return random.getrandbits(128)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD, which is what the demo replays."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        found = replayed_answer(self.command, self.path, self.headers.get("X-Request-Id", ""))
        # No two runs are alike.
        service_ms = found.service_ms * random.lognormvariate(0, 0.05)
        time.sleep(max(0.0, service_ms - OWN_MS) / 1000)
        body = b"hello from the demo's target\n"
        self.send_response(found.status)
        if found.status != 304:
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
        if found.status == 302:
            self.send_header("Location", "/")
        self.end_headers()
        if self.command != "HEAD" and found.status != 304:
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the demo's terminal is for what matters."""


class Server(ThreadingHTTPServer):
    """One thread for each connection, and room for a replay that opens many at once."""

    daemon_threads = True
    request_queue_size = 128


def main(argv: Sequence[str]) -> int:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.shop_target", description="The target of the demo's replay."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5010, help="port (default 5010)")
    args = parser.parse_args(argv)
    server = Server((args.host, args.port), Handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
