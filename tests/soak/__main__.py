"""The soak: `python -m tests.soak --minutes 60`. Exit code 1 where anything does not hold.

Two web workers, two metrics workers and a Redis with a replica, on loopback. A real app of 40 routes
at 500 requests/s beside a crawler, a scanner, broken senders and slow clients, while each process is
killed with -9 in turn and the replica takes over once. Afterwards every acknowledged line must be
counted, once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from servers.ports import free_port
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.soak.senders import Broken, Sender, Slow, crawler_line, real_line, scanner_line
from tests.soak.switch import Switch

SCRIPT_MS_MAX = 100.0
"""By the clock, so a machine that is busy with other things may need more."""

KILL_EVERY_S = 20.0
FAILOVER_S = 15.0
"""How long after a failover a refused post is nobody's fault."""


@dataclass(slots=True)
class Watch:
    """Redis and the processes over time."""

    slowest_script_ms: float = 0.0
    slowest_script: str = ""
    """When it ran and which it was."""
    samples: list[tuple[float, int, int]] = field(default_factory=list)
    """(monotonic s, bytes of Redis, bytes of all processes)."""


def main(argv: Sequence[str]) -> int:
    """Prints a table of what was seen, and every fault."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m tests.soak --minutes 2\n  python -m tests.soak --minutes 60",
    )
    parser.add_argument("--minutes", type=float, default=60, help="how long senders send (default 60)")
    parser.add_argument("--rate", type=float, default=500, help="requests/s of the real app (default 500)")
    args = parser.parse_args(argv)
    faults = soak(args.minutes * 60, args.rate, SCRIPT_MS_MAX)
    for fault in faults:
        print(f"FAULT  {fault}")
    print("soak: " + ("it holds" if not faults else f"{len(faults)} fault(s)"))
    return 1 if faults else 0


def soak(seconds: float, rate: float, script_ms_max: float) -> list[str]:
    """Runs it all; one sentence for each thing that does not hold."""
    with (
        RedisServer() as primary,
        RedisServer(extra=["--replicaof", "127.0.0.1", str(primary.port)]) as replica,
    ):
        switch = Switch(primary.port)
        try:
            return _soak(seconds, rate, script_ms_max, primary, replica, switch)
        finally:
            switch.close()


def _soak(
    seconds: float,
    rate: float,
    script_ms_max: float,
    primary: RedisServer,
    replica: RedisServer,
    switch: Switch,
) -> list[str]:
    for server in (primary, replica):
        with redis.Redis.from_url(server.url) as client:
            client.config_set("slowlog-log-slower-than", 10_000)
            client.config_set("slowlog-max-len", 1_000)
            client.config_set("maxmemory", 400_000_000)
    port, stop = free_port(), threading.Event()
    environ = {
        "REDIS_URL": f"redis://127.0.0.1:{switch.port}/0",
        "REDIS_LOG_REPLICAS": "1",
        "DRAIN_AUTH": "none",
        "WEB_CONCURRENCY": "2",
        "DRAIN_TOKENS": "d.8601b555-6a83-4c12-8269-97c8e32cdb22=shop",
        # Full after some minutes, so that memory can be seen to stay where it is.
        "REDIS_LOG_MAX_MB": "25",
    }
    url = f"http://127.0.0.1:{port}/logs"
    with Processes(environ) as processes:
        web = processes.start_web(port)
        workers = [processes.start_worker("metrics") for _ in range(2)]
        senders = {
            "real app": Sender(url, real_line, rate, stop, 1),
            "crawler": Sender(url, crawler_line, rate / 2, stop, 2),
            "scanner": Sender(url, scanner_line, rate / 5, stop, 3),
        }
        broken, slow = Broken(url, stop), Slow(port, stop)
        for thread in (*senders.values(), broken, slow):
            thread.start()
        watch = Watch()
        disturbed = _disturb(seconds, processes, web, workers, primary, replica, switch, port, watch)
        stop.set()
        for sender in senders.values():
            sender.join(90)
        accepted = sum(sender.tally.accepted_lines for sender in senders.values())
        given_up = sum(sender.tally.given_up for sender in senders.values())
        store = redis.Redis(port=switch.port)
        faults = _compare(store, accepted, given_up)
        faults += _judge(watch, senders["real app"], disturbed, script_ms_max)
        _print(senders, broken, watch, accepted, store)
        store.close()
    return faults


def _disturb(
    seconds: float,
    processes: Processes,
    web: Process,
    workers: list[Process],
    primary: RedisServer,
    replica: RedisServer,
    switch: Switch,
    port: int,
    watch: Watch,
) -> list[tuple[float, float]]:
    """Kills each process in turn until time is up; one failover half way. When posts may be refused."""
    began_s = time.monotonic()
    disturbed: list[tuple[float, float]] = []
    turn, failed_over, server = 0, False, primary
    next_kill_s, said_s = began_s + KILL_EVERY_S, began_s
    while (now_s := time.monotonic()) < began_s + seconds:
        time.sleep(1)
        _look(watch, server, [web, *workers])
        if now_s > said_s + 60:
            said_s = now_s
            minutes, of = (now_s - began_s) / 60, seconds / 60
            print(
                f"minute {minutes:.0f} of {of:.0f}, slowest script {watch.slowest_script_ms:.0f} ms",
                flush=True,
            )
        if not failed_over and now_s > began_s + seconds / 2:
            disturbed.append((now_s - 1, now_s + FAILOVER_S))
            failed_over, server = True, replica
            primary.kill()
            with redis.Redis.from_url(replica.url) as client:
                client.replicaof("NO", "ONE")
            switch.turn(replica.port)
            # The other one comes back, empty, as the new primary's replica.
            primary.start()
            with redis.Redis.from_url(primary.url) as client:
                client.replicaof("127.0.0.1", str(replica.port))
            next_kill_s = now_s + FAILOVER_S + KILL_EVERY_S
        elif now_s > next_kill_s:
            next_kill_s += KILL_EVERY_S
            if turn % 3 < 2:
                workers[turn % 3].kill()
                workers[turn % 3] = processes.start("metrics")
            else:
                disturbed.append((now_s - 1, now_s + 10))
                web.kill()
                web = processes.start_web(port)
            turn += 1
    return disturbed


def _look(watch: Watch, server: RedisServer, running: list[Process]) -> None:
    with redis.Redis.from_url(server.url) as client:
        info: Any = client.info("memory")
        slow: list[dict[str, Any]] = client.slowlog_get(1_000)
    for entry in slow:
        if b"EVAL" in entry["command"][:8] and entry["duration"] / 1e3 > watch.slowest_script_ms:
            watch.slowest_script_ms = entry["duration"] / 1e3
            at = datetime.fromtimestamp(entry["start_time"], UTC)
            script = entry["command"].split()[1][:8].decode("ascii", "replace")
            watch.slowest_script = f"{script} at {at:%H:%M:%S}, load {os.getloadavg()[0]:.1f}"
    rss = sum(_rss_bytes(process.pid) for process in running)
    watch.samples.append((time.monotonic(), int(info["used_memory"]), rss))


def _rss_bytes(pid: int) -> int:
    """Of a process and its children."""
    total, waiting = 0, [pid]
    while waiting:
        found = waiting.pop()
        try:
            fields = Path(f"/proc/{found}/statm").read_text().split()
            children = Path(f"/proc/{found}/task/{found}/children").read_text().split()
        except OSError:
            continue
        total += int(fields[1]) * 4096
        waiting += map(int, children)
    return total


def _compare(store: redis.Redis, accepted: int, given_up: int) -> list[str]:
    """Counted = acknowledged. What was given up may have been written, unacknowledged."""

    def counted() -> int:
        return sum(int(value) for value in store.hvals("tailrace:apps"))

    with contextlib.suppress(AssertionError):  # Said below, with both figures.
        wait_until(lambda: counted() >= accepted, f"{accepted} lines counted", 120)
    time.sleep(3)
    found = counted()
    if accepted <= found <= accepted + given_up:
        return []
    return [f"{accepted:,} lines were acknowledged and {found:,} counted"]


def _judge(
    watch: Watch, real: Sender, disturbed: list[tuple[float, float]], script_ms_max: float
) -> list[str]:
    faults = []
    if watch.slowest_script_ms > script_ms_max:
        faults.append(f"a script took Redis {watch.slowest_script_ms:.0f} ms: {watch.slowest_script}")
    unprovoked = [
        answer for at_s, answer in real.tally.rejections if not any(a <= at_s <= b for a, b in disturbed)
    ]
    if unprovoked:
        faults.append(
            f"{len(unprovoked)} posts of the real app were refused without cause: {set(unprovoked)}"
        )
    settled = [sample for sample in watch.samples if sample[0] > watch.samples[0][0] + 600]
    if len(settled) > 60:
        for name, at in (("Redis", 1), ("the processes", 2)):
            first, last = (
                sum(int(sample[at]) for sample in part) / len(part) for part in (settled[:30], settled[-30:])
            )
            if last > first * 1.25:
                faults.append(f"the memory of {name} grew from {first / 1e6:.0f} to {last / 1e6:.0f} MB")
    return faults


def _print(
    senders: dict[str, Sender], broken: Broken, watch: Watch, accepted: int, store: redis.Redis
) -> None:
    for name, sender in senders.items():
        tally = sender.tally
        print(
            f"{name:10}{tally.accepted_lines:>12,} lines acknowledged, "
            f"{len(tally.rejections):>5} tries refused, slowest answer {tally.slowest_s:.2f} s"
        )
    print(f"{'broken':10}{broken.sent:>12,} bodies")
    counted = sum(int(value) for value in store.hvals("tailrace:apps"))
    print(
        f"acknowledged {accepted:,}, counted {counted:,}; "
        f"slowest script {watch.slowest_script_ms:.0f} ms ({watch.slowest_script})"
    )
    for name, at in (("Redis", 1), ("processes", 2)):
        values = [sample[at] / 1e6 for sample in watch.samples]
        tenth = max(1, len(values) // 10)
        print(f"memory of {name}, MB: " + " ".join(f"{value:.0f}" for value in values[::tenth]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
