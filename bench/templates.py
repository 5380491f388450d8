"""What a path's route costs: `python -m bench.templates`.

Each path new (a scanner, or the first minutes of a worker), and from the cache, beside the simplest way that
could do: numbers and UUIDs alone. The fastest of many rounds, in ns a path.
"""

from __future__ import annotations

import argparse
import platform
import random
import re
import string
import sys
import time
import uuid
from collections.abc import Callable, Sequence

from app.paths import decoded_path
from app.router_line import RouterLine, parse
from app.routes import route_namer, template
from app.settings import Settings
from servers.traffic import Traffic

PATHS = 2_000

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def simplest(path: str) -> str:
    """The route by numbers and UUIDs alone."""
    return "/".join(
        ":id" if part.isdecimal() else ":uuid" if _UUID.fullmatch(part) else part for part in path.split("/")
    )


def kinds(dice: random.Random) -> dict[str, list[str]]:
    """Paths of the shop's traffic, and of a few kinds each by itself."""

    def chars(alphabet: str, count: int) -> str:
        return "".join(dice.choices(alphabet, k=count))

    traffic = Traffic(7)
    parsed = [parse(traffic.answered_line()) for _ in range(PATHS)]
    made: dict[str, Callable[[], str]] = {
        "words": lambda: f"/{chars(string.ascii_lowercase, 8)}/{chars(string.ascii_lowercase, 6)}",
        "numbers": lambda: f"/users/{dice.randrange(10**6)}/posts/{dice.randrange(10**6)}",
        "UUIDs": lambda: f"/orders/{uuid.UUID(int=dice.getrandbits(128))}",
        "escaped": lambda: f"/caf%C3%A9/{dice.randrange(10**6)}/%E4%BD%A0",
        "slugs": lambda: f"/blog/how-to-{chars(string.ascii_lowercase, 6)}-{dice.randrange(10**5)}",
        "random ids": lambda: f"/watch/{chars(string.ascii_letters + string.digits, 11)}",
        "digests": lambda: f"/assets/index-{chars(string.ascii_letters + string.digits, 8)}.js",
        "e-mail addresses": lambda: f"/users/{chars(string.ascii_lowercase, 7)}@example.com",
        "8 KB of slashes": lambda: "/" * 8_000 + str(dice.randrange(10**6)),
        "8 KB of ids": lambda: "/aB3-x" * 1_300 + str(dice.randrange(10**6)),
    }
    found = {"the shop's traffic": [line.path for line in parsed if line]}
    return found | {kind: [make() for _ in range(PATHS)] for kind, make in made.items()}


def fastest_ns(work: Callable[[], object], calls: int, seconds: float) -> float:
    """Of rounds for about that long: the fastest, in ns a call."""
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter_ns()
        work()
        best = min(best, (time.perf_counter_ns() - began) / calls)
    return best


def row(kind: str, paths: Sequence[str], seconds: float) -> str:
    """One line of the table."""
    lines = [RouterLine(*["" if field != "path" else path for field in RouterLine._fields]) for path in paths]
    cached = route_namer(Settings())
    ways: tuple[Callable[[], object], ...] = (
        lambda: [simplest(line.path.partition("?")[0]) for line in lines],
        lambda: [template(decoded_path(line)) for line in lines],
        lambda: [cached(line) for line in lines],
    )
    figures = [fastest_ns(way, len(lines), seconds) for way in ways]
    return f"{kind:20}" + "".join(f"{figure:12,.0f}" for figure in figures)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.templates", description="Cost of a path's route.")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure (default 0.5)")
    options = parser.parse_args()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, ns a path; {PATHS:,} paths a kind"
    )
    print(f"{'':20}{'simplest':>12}{'each new':>12}{'cached':>12}")
    for kind, paths in kinds(random.Random(7)).items():
        print(row(kind, paths, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
