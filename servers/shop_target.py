"""A small target for the demo's replay: plausible answers, a little slower than the original."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every GET and HEAD; searches are slower here, and some reports fail."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_search = self.path.startswith("/search")
        time.sleep(random.lognormvariate(0, 0.4) * (0.06 if is_search else 0.02))
        status = 500 if self.path.startswith("/admin") and random.random() < 0.2 else 200
        body = b"" if self.command == "HEAD" else b"hello from the demo's target\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the demo's terminal is for what matters."""


def main(argv: Sequence[str]) -> int:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.shop_target", description="The demo's replay target."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5010, help="port (default 5010)")
    args = parser.parse_args(argv)
    server = ThreadingHTTPServer((args.host, args.port), Handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
