"""`make demo`: the whole of Tailrace on this machine, with traffic, from one command.

Start order: Redis, target, web, metrics, replay, traffic, history, and once there is traffic to replay, the
gate. Each needs some before it, so the processes are stopped in the opposite order.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import secrets
import shlex
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from app.groups import group_names
from demo.drill import QUESTIONS, answers
from demo.supervisor import Supervisor, raise_on_sigterm
from servers.platform_story import APP, LEAKING_DYNO, SLOWER_PATH
from servers.processes import inherited_environ, procfile
from servers.redis_server import NoRedisServer, RedisServer

ROOT = Path(__file__).parents[1]
START_S = 30.0
PORTS_TRIED = 50
LAST_PORT = 65_535

GATE_AFTER_S = 40.0
"""By then there is traffic to replay."""
GATE_WINDOW = "35s"
GATE_SPEED = 2
GATE_RATE_MAX = 200.0
"""Requests/s that the gate sends at most: of a demo with more traffic it replays a sample."""
GATE_THRESHOLDS = ("p95>+30%", "status-changed>5%", "errors>5%")
"""The first is crossed by the target's slower route, the others hold."""
GATE_EXIT_CODES = frozenset({0, 1, 3, 4})
"""Passed, failed, target or log down, inconclusive: what a busy machine makes of it stops no demo."""

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 after Ctrl-C or --seconds, 1 when a process ended by itself, 2 for bad usage."""
    args = _parser().parse_args(argv)
    raise_on_sigterm()
    supervisor = Supervisor(ROOT, sys.stdout)
    with tempfile.TemporaryDirectory(prefix="tailrace-demo-") as folder:
        truth = Path(folder, "truth.json") if args.drill else None
        code = _main(args, supervisor, truth)
        for line in answers(truth) if truth else ():
            supervisor.print_line(line)
    return code


def _main(args: argparse.Namespace, supervisor: Supervisor, truth: Path | None) -> int:
    try:
        with contextlib.ExitStack() as stack:
            redis_url = stack.enter_context(_redis()).url
            kafka_url = stack.enter_context(_kafka()) if args.kafka else ""
            stack.callback(supervisor.stop)
            return _run(args, supervisor, redis_url, kafka_url, truth)
    except KeyboardInterrupt:
        supervisor.print_line("stopped: nothing is left behind")
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
            "  make demo DEMO_FLAGS='--host 0.0.0.0'   # for other machines too\n"
            "  make demo DEMO_FLAGS=--kafka   # on a real Apache Kafka, fetched once (Java, Maven)"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=100, help="requests a second (default 100)")
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long (default: at Ctrl-C)")
    parser.add_argument(
        "--port", type=_port, default=5000, help="port of the page (default 5000); the next free one if taken"
    )
    parser.add_argument(
        "--host",
        type=_host,
        default=LOOPBACK,
        help=f"address that the page listens on (default {LOOPBACK}: this machine alone); 0.0.0.0: all",
    )
    parser.add_argument(
        "--drill", action="store_true", help="a scripted incident of three apps, with its answers at the end"
    )
    parser.add_argument("--kafka", action="store_true", help="the log on Apache Kafka instead of Redis")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {LAST_PORT}")
    return int(text)


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
        _listener(text, 0).close()
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an IP address, such as {LOOPBACK} or 0.0.0.0") from None
    except OSError as fault:
        raise argparse.ArgumentTypeError(
            f"cannot listen on {text}: {os.strerror(fault.errno or 0)}"
        ) from None
    return text


@contextlib.contextmanager
def _redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@contextlib.contextmanager
def _kafka() -> Iterator[str]:
    # Without --kafka the demo needs neither Java nor the jars.
    from servers.kafka_broker import KafkaBroker
    from servers.kafka_jars import NoKafka

    try:
        broker = KafkaBroker()
    except NoKafka as fault:
        raise DemoFailed(f"--kafka: {fault}") from None
    with broker:
        yield broker.url


def _run(
    args: argparse.Namespace, supervisor: Supervisor, redis_url: str, kafka_url: str, truth: Path | None
) -> int:
    """`truth`: of a drill, the file in which the incident says in the end what it has done."""
    port = _free_port(args.host, args.port)
    if port != args.port:
        supervisor.print_line(f"port {args.port} is taken: using {port}")
    target_port = _free_port(LOOPBACK, port + 1)
    password = secrets.token_urlsafe(9)
    environ = {
        **inherited_environ("TERM", "TMPDIR", "VIRTUAL_ENV"),
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "DRAIN_USER": "demo",
        "DRAIN_PASSWORD": password,
        "REPLAY_HOST": f"http://127.0.0.1:{target_port}",
        # The shop's slowest routes hold a connection for seconds.
        "REPLAY_CONCURRENCY": "64",
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if kafka_url:
        environ["KAFKA_URL"] = kafka_url
    python = [sys.executable, "-m"]
    commands = {name: shlex.split(command) for name, command in procfile().items()}
    # By the command line, which comes before the settings: these would open the port to the network.
    commands["web"] += ["--bind", _authority(args.host, port)]
    if kafka_url:
        supervisor.start("release", commands["release"], environ, may_end=[0])
    supervisor.start("target", [*python, "servers.shop_target", "--port", str(target_port)], environ)
    for name in ("web", *group_names()):
        supervisor.start(name, commands[name], environ)
    authority = _authority(LOOPBACK if args.host in EVERY_ADDRESS else args.host, port)
    address = f"http://{authority}"
    _wait_for_web(supervisor, f"{address}/health")
    drain = f"http://demo:{password}@{authority}/logs"
    if truth:
        incident = [*python, "servers.incident", "--url-from", "DEMO_DRAIN_URL", "--truth", str(truth)]
        seed = ["--seed", str(secrets.randbelow(1_000_000))]
        supervisor.start("incident", [*incident, *seed], {**environ, "DEMO_DRAIN_URL": drain})
        commands_now = f"In another terminal, in this folder: {_top(environ)}"
        supervisor.print_line(
            f"\n  Tailrace is running: open {address}/\n  user: demo\n  password: {password}\n"
            + QUESTIONS.format(commands=commands_now)
        )
        return _watch(supervisor, args.seconds, None)
    traffic = [*python, "servers.traffic", "--rate", str(args.rate), "--url-from", "DEMO_DRAIN_URL"]
    # By its environment, not its command line: other users of the machine can read that.
    supervisor.start("traffic", traffic, {**environ, "DEMO_DRAIN_URL": f"{drain}?app={APP}"})
    history = [*python, "servers.history", "--rate", str(args.rate), "--until", str(time.time())]
    supervisor.start("history", history, environ, may_end=[0])
    supervisor.print_line(
        f"\n  Tailrace is running: open {address}/\n  user: demo\n  password: {password}\n"
        f"  In another terminal, in this folder: {_top(environ)}\n"
        f"  {_reach(args.host)}\n"
        f"  The demo simulates {args.rate:g} requests/s and the traffic of the hour before. Its errors are\n"
        "  simulated too: H-codes, slow requests and, every few minutes, messages that Logplex lost (L10).\n"
        f"  So is what the platform says of the app `{APP}`: releases, dynos, memory. Every 20 minutes a\n"
        f"  deploy makes {SLOWER_PATH} slower and is rolled back, and {LEAKING_DYNO} leaks memory.\n"
        "  The replay goes to a copy of the simulated app in which searches are slower. After a minute, a\n"
        "  replay with thresholds fails because of them: see Replay on the page.\n"
        "  Ctrl-C stops everything.\n"
    )
    gate = [*python, *_gate_flags(args.rate, environ["REPLAY_HOST"])]
    return _watch(supervisor, args.seconds, lambda: _start_gate(supervisor, gate, environ))


def _gate_flags(rate: float, target: str) -> list[str]:
    """The command of the replay with a verdict, on traffic of this rate."""
    sample = min(1.0, GATE_RATE_MAX / (rate * GATE_SPEED)) if rate > 0 else 1.0
    flags = ["--from", GATE_WINDOW, "--speed", str(GATE_SPEED), "--to", target, "--sample", f"{sample:.3g}"]
    for threshold in GATE_THRESHOLDS:
        flags += ["--fail-if", threshold]
    return ["app", "replay", *flags]


def _start_gate(supervisor: Supervisor, command: Sequence[str], environ: Mapping[str, str]) -> None:
    supervisor.print_line(f"\n  A replay with thresholds: {shlex.join(['python', *command[1:]])}\n")
    supervisor.start("gate", command, environ, may_end=GATE_EXIT_CODES)


def _top(environ: Mapping[str, str]) -> str:
    """`python -m app top` on the demo's own Redis, ready to paste."""
    python = Path(sys.executable)
    if python.is_relative_to(ROOT):
        python = python.relative_to(ROOT)
    settings = [
        f"{name}={shlex.quote(environ[name])}" for name in ("REDIS_URL", "KAFKA_URL") if name in environ
    ]
    return " ".join([*settings, shlex.quote(str(python)), "-m app top"])


def _reach(host: str) -> str:
    """Who reaches the page."""
    if host in EVERY_ADDRESS:
        return "It listens on every address: other machines on your network can reach it."
    if ipaddress.ip_address(host).is_loopback:
        return "It listens on loopback, so only this machine can reach it; --host 0.0.0.0 changes that."
    return f"It listens on {host}."


def _authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL, and in gunicorn's --bind."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _free_port(host: str, wanted: int) -> int:
    """The first port from `wanted` on that is free on this address."""
    last = min(wanted + PORTS_TRIED - 1, LAST_PORT)
    for port in range(wanted, last + 1):
        with contextlib.suppress(OSError), _listener(host, port):
            return port
    raise DemoFailed(f"no free port from {wanted} to {last}: choose another with --port")


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


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
    name = supervisor.find_dead()
    if name is not None:
        raise DemoFailed(f"{name} ended by itself. Its last lines:\n{supervisor.last_output(name)}")


def _watch(supervisor: Supervisor, seconds: float, start_gate: Callable[[], None] | None) -> int:
    started = time.monotonic()
    while not seconds or time.monotonic() - started < seconds:
        _check_all_live(supervisor)
        if start_gate and time.monotonic() - started >= GATE_AFTER_S:
            start_gate()
            start_gate = None
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
