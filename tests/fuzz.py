"""Fuzzes the parsers for a bounded time: `python -m tests.fuzz --seconds 30`.

Two ways in turn: hypothesis, which shrinks what fails (and keeps it in .hypothesis, to be tried first
the next time), and plain random edits of real frames, which are a hundred times as many. Both
check what the property tests check. Exit code 1, and the input, on the first failure.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings

from app.router_line import parse, parse_any_order
from tests.app.router_lines import H12, INFO, nearly_usual
from tests.drain.bodies import ROUTER_MSG, counted, heroku, log_shuttle, mutated
from tests.drain.receivers.test_logplex_properties import agrees_with_the_plain_reader

BY_HYPOTHESIS = settings(
    max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
EDITED_A_ROUND = 10_000

MESSAGES = [
    heroku(b"router", ROUTER_MSG),
    heroku(b"router", H12.encode()),
    heroku(b"web.1", b"Completed 200 OK\n", b"app"),
    heroku(
        b"logplex", b"Error L10 (output buffer overflow): 1 messages dropped since 2014-11-07T23:29:45+00:00."
    ),
    heroku(b"logplex", b"Error L10 (output buffer overflow): drain 'd.437d' dropped 1 messages"),
    log_shuttle(b"log-shuttle", b"Error L13: 5 messages lost since 2026-11-23T10:00:00Z\n"),
    log_shuttle(b"router", ROUTER_MSG),
    heroku(b"router", b'[id k="v\\]"][x] ' + ROUTER_MSG),
]
LINES = [INFO.encode(), H12.encode(), b'sock=client at=warning code=H27 path="/a\\"b" status=499 bytes=\r\n']
PIECES = [
    b" ",
    b"  ",
    b"\n",
    b"\r\n",
    b"- ",
    b"=",
    b'"',
    b"\\",
    b"[",
    b"]",
    b"<158>1",
    b"router ",
    b"code=H10",
    b"0",
    b"9",
    b"\xff",
]


def edited(dice: random.Random, data: bytes) -> bytes:
    """`data` after one to four cuts, insertions or repetitions."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(data))
        cut = dice.choice((0, 0, 1, 2, 8, 40))
        piece = dice.choice((b"", dice.choice(PIECES), dice.randbytes(1), data[at : at + 2 * cut]))
        data = data[:at] + piece + data[at + cut :]
    return data


def edited_body(dice: random.Random) -> bytes:
    """Some frames, edited before their octets are counted, after, or both."""
    messages = dice.choices(MESSAGES, k=dice.randint(1, 4))
    body = b"".join(
        counted(edited(dice, message) or b" " if dice.random() < 0.5 else message) for message in messages
    )
    return edited(dice, body) if dice.random() < 0.5 else body


def check_body(body: bytes) -> None:
    """Our parser finds the messages that reading byte by byte finds."""
    for line in agrees_with_the_plain_reader(body).messages:
        check_line(line.msg.decode("utf-8", "surrogateescape"))


def check_line(line: str) -> None:
    """The quick way and the long way give the same."""
    assert parse(line) == parse_any_order(line)


def fuzz(seconds: float, seed: int) -> int:
    """Rounds of both ways until the time is over. Returns the exit code."""
    dice = random.Random(seed)
    began = time.monotonic()
    rounds = 0
    while rounds == 0 or time.monotonic() - began < seconds:
        for check in (given(mutated())(check_body), given(nearly_usual())(check_line)):
            BY_HYPOTHESIS(check)()
        for _ in range(EDITED_A_ROUND):
            if not (
                passes(check_body, edited_body(dice))
                and passes(check_line, edited(dice, dice.choice(LINES)).decode("utf-8", "surrogateescape"))
            ):
                print(f"fuzz: FAILED with --seed {seed}", file=sys.stderr)
                return 1
        rounds += 1
    print(
        f"fuzz: {2 * rounds * EDITED_A_ROUND:,} edited bodies and lines (--seed {seed}), "
        f"{2 * rounds * BY_HYPOTHESIS.max_examples:,} by hypothesis: no failure"
    )
    return 0


def passes(check: Callable[[Any], None], value: object) -> bool:
    """False, with the input and the failure printed, where `check` fails."""
    try:
        check(value)
    except Exception as fault:
        print(f"fuzz: {check.__name__}({value!r}): {fault!r}", file=sys.stderr)
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzzes the parsers.")
    parser.add_argument("--seconds", type=float, default=30, help="about how long to run (default 30)")
    parser.add_argument(
        "--seed", type=int, default=None, help="of the random edits (default: from the clock)"
    )
    options = parser.parse_args()
    return fuzz(options.seconds, time.time_ns() % 10**9 if options.seed is None else options.seed)


if __name__ == "__main__":
    sys.exit(main())
