"""`make demo`: the whole of Tailrace on this machine, with traffic, from one command.

Start order: Redis, target, web, metrics, replay, traffic. Each needs the ones before it, so the
stop goes the opposite way.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shlex
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.groups import group_names
from demo.supervisor import Supervisor, raise_on_sigterm
from servers.redis_server import NoRedisServer, RedisServer

ROOT = Path(__file__).parents[1]
START_S = 30.0
PORTS_TRIED = 50
LAST_PORT = 65_535


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 after Ctrl-C or --seconds, 1 when a process ended by itself, 2 for bad usage."""
    args = _parser().parse_args(argv)
    raise_on_sigterm()
    supervisor = Supervisor(ROOT, sys.stdout)
    try:
        with contextlib.ExitStack() as stack:
            redis_url = stack.enter_context(_redis()).url
            kafka_url = stack.enter_context(_kafka()) if args.kafka else ""
            stack.callback(supervisor.stop)
            return _run(args, supervisor, redis_url, kafka_url)
    except KeyboardInterrupt:
        supervisor.say("stopped: nothing is left behind")
        return 0
    except (NoRedisServer, DemoFailed) as fault:
        print(fault, file=sys.stderr)
        return 1


class DemoFailed(RuntimeError):
    """A process of the demo could not start or ended by itself."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Runs all of Tailrace here: embedded Redis, web, metrics, replay, a target, traffic.",
        epilog=(
            "examples:\n  make demo\n  make demo PORT=5600\n  make demo DEMO_FLAGS='--rate 500'\n"
            "  make demo DEMO_FLAGS=--kafka   # on a real Apache Kafka, fetched once (Java, Maven)"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=100, help="requests a second (default 100)")
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long (default: at Ctrl-C)")
    parser.add_argument(
        "--port", type=_port, default=5000, help="port of the page (default 5000); the next free one if taken"
    )
    parser.add_argument("--kafka", action="store_true", help="the log on Apache Kafka instead of Redis")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {LAST_PORT}")
    return int(text)


@contextlib.contextmanager
def _redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@contextlib.contextmanager
def _kafka() -> Iterator[str]:
    # The broker is a matter of the tests; the demo works without it.
    from servers.kafka_broker import KafkaBroker
    from servers.kafka_jars import NoKafka

    try:
        broker = KafkaBroker()
    except NoKafka as fault:
        raise DemoFailed(f"--kafka: {fault}") from None
    with broker:
        yield broker.url


def _run(args: argparse.Namespace, supervisor: Supervisor, redis_url: str, kafka_url: str) -> int:
    port = _free_port(args.port)
    if port != args.port:
        supervisor.say(f"port {args.port} is taken: using {port}")
    target_port = _free_port(port + 1)
    password = secrets.token_urlsafe(9)
    environ = {
        **_inherited(),
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "DRAIN_USER": "demo",
        "DRAIN_PASSWORD": password,
        "REPLAY_HOST": f"http://127.0.0.1:{target_port}",
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if kafka_url:
        environ["KAFKA_URL"] = kafka_url
    commands = _procfile()
    if kafka_url:
        supervisor.start("release", shlex.split(commands["release"]), environ)
    supervisor.start("target", [sys.executable, "-m", "demo.target", "--port", str(target_port)], environ)
    for name in ("web", *group_names()):
        supervisor.start(name, shlex.split(commands[name]), environ)
    address = f"http://127.0.0.1:{port}"
    _wait_for_web(supervisor, f"{address}/health")
    drain = f"http://demo:{password}@127.0.0.1:{port}/logs"
    traffic = [sys.executable, "-m", "servers.traffic", "--rate", str(args.rate)]
    # By its environment, not its command line: other users of the machine can read that.
    supervisor.start(
        "traffic", [*traffic, "--url-from", "DEMO_DRAIN_URL"], {**environ, "DEMO_DRAIN_URL": drain}
    )
    supervisor.say(
        f"\n  Tailrace is running: open {address}/\n  user: demo\n  password: {password}\n"
        f"  in another terminal, in this folder: {_top(environ)}\n"
        f"  {args.rate:g} requests/s come in, all of them invented, and so are their faults: H-codes, slow\n"
        "  tails and, every few minutes, Logplex's notice of messages that it lost (L10).\n"
        "  Ctrl-C stops everything.\n"
    )
    return _watch(supervisor, args.seconds)


def _top(environ: Mapping[str, str]) -> str:
    """`python -m app top` on the demo's own Redis, ready to paste."""
    python = Path(sys.executable)
    if python.is_relative_to(ROOT):
        python = python.relative_to(ROOT)
    settings = [
        f"{name}={shlex.quote(environ[name])}" for name in ("REDIS_URL", "KAFKA_URL") if name in environ
    ]
    return " ".join([*settings, shlex.quote(str(python)), "-m app top"])


def _inherited() -> Mapping[str, str]:
    """This environment without settings of a real installation; the venv's programs come first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    kept = ("HOME", "LANG", "TERM", "TMPDIR", "VIRTUAL_ENV")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "PATH": path}


def _procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    return {name.strip(): command.strip() for name, _, command in (line.partition(":") for line in lines)}


def _free_port(wanted: int) -> int:
    """The first free port from `wanted` on."""
    last = min(wanted + PORTS_TRIED - 1, LAST_PORT)
    for port in range(wanted, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise DemoFailed(f"no free port from {wanted} to {last}: choose another with --port")


def _wait_for_web(supervisor: Supervisor, url: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        _check_all_live(supervisor)
        if time.monotonic() > deadline:
            raise DemoFailed(f"web has not answered within {START_S:.0f} s")
        time.sleep(0.1)


def _check_all_live(supervisor: Supervisor) -> None:
    name = supervisor.dead()
    if name is not None and name != "release":
        raise DemoFailed(f"{name} ended by itself. Its last lines:\n{supervisor.last_words(name)}")


def _watch(supervisor: Supervisor, seconds: float) -> int:
    started = time.monotonic()
    while not seconds or time.monotonic() - started < seconds:
        _check_all_live(supervisor)
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
