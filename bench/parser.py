"""How fast one process reads Logplex bodies and parses router lines: `python -m bench.parser`.

Nothing but the pure functions: no HTTP, no JSON, no message log. Each figure is the median of many
short rounds, with the fastest beside it: on a busy machine the two drift apart.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.router_line import milliseconds, parse, parse_any_order, timestamp_ms
from drain.receivers import logplex
from servers.logplex_client import octets
from servers.messages import router_line

LINES_A_BODY = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    name: str
    lines: int
    bytes: int
    median_s: float
    fastest_s: float
    """Both for all those lines once."""


def body(
    router_share: float, dice: random.Random, lines: int = LINES_A_BODY, platform_share: float = 0.0
) -> bytes:
    """A body as Logplex sends it: about 85 KB for 300 lines, these shares of them router lines and what the
    platform says."""
    messages = []
    for number in range(lines):
        timestamp = f"2016-04-21T21:56:{number // 10 % 60:02}.{dice.randrange(10**6):06}+00:00"
        kind = dice.random()
        if kind < router_share:
            message = f"<158>1 {timestamp} host heroku router - {usual_line(dice)}\n"
        elif kind < router_share + platform_share:
            message = f"<45>1 {timestamp} host heroku web.{dice.randint(1, 8)} - {samples_line(dice)}\n"
        else:
            message = f"<190>1 {timestamp} host app web.{dice.randint(1, 8)} - {app_line(dice)}\n"
        messages.append(message.encode("ascii"))
    return octets(messages)


def usual_line(dice: random.Random, protocol: str = "http2.0") -> str:
    """One line in the usual form of the router that writes this `protocol`."""
    return router_line(
        f"/users/{dice.randrange(10**6)}/orders?page={dice.randint(1, 50)}",
        service_ms=dice.randint(2, 900),
        connect_ms=dice.randint(0, 3) if protocol == "https" else 0,
        bytes=dice.randrange(90_000),
        request_id=f"8601b555-6a83-4c12-8269-{dice.randrange(16**12):012x}",
        fwd=f"204.204.{dice.randrange(256)}.{dice.randrange(256)}",
        dyno=f"web.{dice.randint(1, 8)}",
        protocol=protocol,
    )


def samples_line(dice: random.Random) -> str:
    """One line of log-runtime-metrics, as every dyno has two of them each 20 s."""
    return (
        f"source=web.1 dyno=heroku.261104379.cd817c77-{dice.randrange(16**12):012x} "
        f"sample#memory_total={dice.random() * 500:.2f}MB sample#memory_rss={dice.random() * 500:.2f}MB "
        "sample#memory_cache=3.70MB sample#memory_swap=0.00MB sample#memory_pgpgin=149293pages "
        "sample#memory_pgpgout=123257pages sample#memory_quota=512.00MB"
    )


def app_line(dice: random.Random) -> str:
    """One line as a Rails app logs it."""
    return (
        f"[8601b555-6a83-4c12-8269-{dice.randrange(16**12):012x}] method=GET path=/users/orders format=html "
        f"controller=OrdersController action=index status=200 duration={dice.random() * 900:.2f} "
        f"view={dice.random() * 90:.2f} db={dice.random() * 90:.2f} user_id={dice.randrange(10**6)} "
        f"allocations={dice.randrange(10**5)}"
    )


def measured(name: str, work: Callable[[], object], lines: int, size: int, seconds: float) -> Figure:
    """Times `work`, again and again, for about that long."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return Figure(name, lines, size, statistics.median(times), min(times))


def call_for_all(function: Callable[[Any], object], values: Sequence[object]) -> None:
    """Calls `function` with every value."""
    for value in values:
        function(value)


def figures(seconds: float) -> list[Figure]:
    """All rows, each measured for `seconds`."""
    dice = random.Random(7)
    rows = []
    for share, platform_share, kind in (
        (0.1, 0.0, "10 % router lines"),
        (0.1, 0.01, "and 1 % the platform's"),
        (1.0, 0.0, "all router lines"),
        (0.0, 1.0, "all the platform's"),
    ):
        bodies = [body(share, dice, platform_share=platform_share) for _ in range(10)]
        size = sum(map(len, bodies))
        for parse_body, way in (
            (partial(logplex.parse, frame_id="frame"), "body"),
            (partial(logplex.parse_by_message, frame_id="frame"), "body, message by message"),
        ):
            work = partial(call_for_all, parse_body, bodies)
            rows.append(measured(f"{way}, {kind}", work, LINES_A_BODY * len(bodies), size, seconds))
    lines = [usual_line(dice) + "\n" for _ in range(2000)]
    legacy_lines = [usual_line(dice, "https") + "\n" for _ in lines]
    durations = [f"{dice.randint(1, 900)}ms" for _ in lines]
    timestamps = [f"2016-04-21T21:56:01.{dice.randrange(10**6):06}+00:00" for _ in lines]
    for name, work, texts in (
        ("router line, Router 2.0", partial(call_for_all, parse, lines), lines),
        ("router line, legacy router", partial(call_for_all, parse, legacy_lines), legacy_lines),
        ("router line, any order", partial(call_for_all, parse_any_order, lines), lines),
        ("milliseconds", partial(call_for_all, milliseconds, durations), durations),
        ("timestamp", partial(call_for_all, timestamp_ms, timestamps), timestamps),
    ):
        rows.append(measured(name, work, len(texts), sum(map(len, texts)), seconds))
    return rows


def table(rows: list[Figure]) -> str:
    """The rows as text for a person."""
    heading = f"{'':42} {'MB/s':>7} {'lines/s':>11} {'ns/line':>8}   {'fastest: MB/s':>14} {'lines/s':>11}"
    return "\n".join(
        [
            heading,
            *(
                f"{row.name:42} {row.bytes / row.median_s / 1e6:7.0f} {row.lines / row.median_s:11,.0f} "
                f"{row.median_s / row.lines * 1e9:8,.0f}   {row.bytes / row.fastest_s / 1e6:14.0f} "
                f"{row.lines / row.fastest_s:11,.0f}"
                for row in rows
            ),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.parser", description="Speed of framing and of router lines."
    )
    parser.add_argument("--seconds", type=float, default=2, help="for each row (default 2)")
    options = parser.parse_args()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, one of them used; bodies of {LINES_A_BODY} lines"
    )
    print(table(figures(options.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
