"""A scripted release: after it one of ten routes is slower, and a dyno leaks. As frames of Logplex, with what
is true of them."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from app.platform.facts import Event
from app.platform.joined import Identified, Joined, joined
from app.platform.lines import parse
from servers.messages import router_line, router_syslog
from servers.platform import Platform, Said

APP = "shop"
ROUTES = ("/", "/about", "/cart", "/checkout", "/help", "/login", "/orders", "/products", "/search", "/stock")
SLOW_ROUTE = "/orders"
SLOWER = 1.35
LEAKING_DYNO = "web.3"
VERSION = 41

WINDOW_S = 900
BEFORE_S = WINDOW_S + 60
"""From the first request to the release."""
SECONDS = BEFORE_S + WINDOW_S + 150
RATE = 20
LINES_A_FRAME = 150

Frame = tuple[str, list[bytes]]
"""Its id, its lines."""


@dataclass(frozen=True, slots=True)
class Script:
    """All that is sent, and what of it must be known in the end."""

    frames: list[Frame]
    """In the order in which they are delivered; some are there twice."""
    requests: int
    expected: Joined
    """The releases and all other events, as one who has read each line once knows them."""

    def kinds(self) -> Counter[tuple[str, str, str]]:
        """(kind, dyno, text) of all events that are part of no release."""
        return Counter((event.kind, event.dyno, event.text) for _, event in self.expected.others)


def scripted_release(until_s: float, seed: int = 1) -> Script:
    """The release, and traffic before and after it up to `until_s` (Unix s)."""
    rng = random.Random(seed)
    started_s = until_s - SECONDS
    said = _platform_lines(started_s, until_s, seed)
    requests = list(_requests(rng, started_s))
    in_order = [line for _, line in sorted([*requests, *((one.at_s, one.syslog()) for one in said)])]
    frames = [
        (_frame_id(seed, number), in_order[at : at + LINES_A_FRAME])
        for number, at in enumerate(range(0, len(in_order), LINES_A_FRAME))
    ]
    return Script(
        _disordered(rng, _split(rng, frames, seed)),
        len(requests),
        joined(list(_events(said)), APP),
    )


def _platform_lines(started_s: float, until_s: float, seed: int) -> list[Said]:
    platform = Platform(seed, started_s, formation={"web": 4}, leaks={LEAKING_DYNO: 0.6}, version=VERSION - 1)
    platform.deploy(started_s + 100, is_failing=True)
    platform.cycle(started_s + 200, "web.2")
    platform.release(started_s + BEFORE_S, "Deploy 9154a1d2")
    platform.crash(started_s + BEFORE_S + 400, "web.1")
    return platform.until(until_s)


def _events(said: list[Said]) -> Iterator[Identified]:
    for number, one in enumerate(said):
        fact = parse(one.message(f"f.{number}", APP))
        if isinstance(fact, Event):
            yield str(number), fact


def _requests(rng: random.Random, started_s: float) -> Iterator[tuple[float, bytes]]:
    for number in range(SECONDS * RATE):
        since_s = number / RATE
        path = rng.choice(ROUTES)
        service_ms = 20 * (ROUTES.index(path) + 1) * rng.lognormvariate(0, 0.4)
        if path == SLOW_ROUTE and since_s > BEFORE_S:
            service_ms *= SLOWER
        line = router_line(
            path,
            service_ms=round(service_ms),
            host="shop.example.com",
            request_id=uuid.UUID(int=rng.getrandbits(128), version=4),
            dyno=f"web.{rng.randint(1, 4)}",
        )
        yield started_s + since_s, router_syslog(line, started_s + since_s)


def _split(rng: random.Random, frames: list[Frame], seed: int) -> list[Frame]:
    """Where something was said of releases, each line of the frame is in one of two."""
    split: list[Frame] = []
    for number, (frame_id, lines) in enumerate(frames):
        if not any(b" app api - " in line for line in lines):
            split.append((frame_id, lines))
            continue
        halves: tuple[list[bytes], list[bytes]] = ([], [])
        says_of_release = 0
        for line in lines:
            if b" app api - " in line:
                halves[says_of_release % 2].append(line)
                says_of_release += 1
            else:
                rng.choice(halves).append(line)
        split += [(frame_id, halves[0]), (_frame_id(seed, 1_000_000 + number), halves[1])]
    return split


def _disordered(rng: random.Random, frames: list[Frame]) -> list[Frame]:
    """Some frames come later than they should, and every seventh comes twice."""
    delayed = sorted(enumerate(frames), key=lambda one: one[0] + rng.choice((0, 0, 0, 4)))
    ordered: list[Frame] = []
    for number, (_, frame) in enumerate(delayed):
        ordered += [frame] * (2 if number % 7 == 0 else 1)
    return ordered


def _frame_id(seed: int, number: int) -> str:
    return str(uuid.UUID(int=seed << 64 | number, version=4))
