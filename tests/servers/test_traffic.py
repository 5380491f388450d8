"""The demo's invented lines."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator

import pytest

from app.router_line import RouterLine, milliseconds, parse
from servers.traffic import Traffic

START_S = 1_800_000_000
HOUR_S = 3_600


def loss_notices(traffic: Traffic, lines_a_second: int, seconds: int) -> Iterator[int]:
    """The seconds in which one comes."""
    for second in range(seconds):
        if any(b" logplex - Error L10 " in line for line in traffic.lines(lines_a_second, START_S + second)):
            yield second


@pytest.mark.parametrize("lines_a_second", [1, 3])
def test_a_loss_notice_comes_every_few_minutes_at_any_rate(lines_a_second: int) -> None:
    seconds = list(loss_notices(Traffic(1), lines_a_second, HOUR_S))
    assert 8 <= len(seconds) <= 24
    assert seconds[0] >= 120
    assert min(later - earlier for earlier, later in itertools.pairwise(seconds)) >= 120


def test_the_same_seed_gives_the_same_lines() -> None:
    first, second = (
        [line for second in range(900) for line in traffic.lines(2, START_S + second)]
        for traffic in (Traffic(7), Traffic(7))
    )
    assert first == second
    assert first != list(Traffic(8).lines(2, START_S))


def parsed(traffic: Traffic, count: int = 5_000) -> list[RouterLine]:
    lines = [parse(traffic.router_line()) for _ in range(count)]
    return [line for line in lines if line is not None]


def test_the_usual_lines_are_those_of_router_2() -> None:
    lines = parsed(Traffic(4))
    assert all(line.is_router_2 for line in lines)
    assert {(line.protocol, line.tls) for line in lines} == {
        ("http2.0", "true"),
        ("http1.1", "true"),
        ("http1.1", "false"),
    }
    assert sum(line.connect == "0ms" for line in lines) > 0.9 * len(lines)
    assert {"/tags/for kids", "/tags/café"} <= {line.path for line in lines}
    assert "" in {line.fwd for line in lines}
    assert {(line.code, line.at, line.sock, line.status) for line in lines if line.code} >= {
        ("H27", "warning", "client", "499"),
        ("H18", "error", "backend", "200"),
    }
    connections = [milliseconds(line.service) or 0 for line in lines if line.status == "101"]
    assert 0 < len(connections) < 0.01 * len(lines)
    assert statistics.median(connections) > 60_000


def test_the_legacy_router_logs_paths_as_they_were_sent_and_no_tls() -> None:
    lines = parsed(Traffic(4, is_legacy=True))
    assert not any(line.is_router_2 for line in lines)
    assert {line.protocol for line in lines} == {"http", "https"}
    assert {"/tags/for%20kids", "/tags/caf%C3%A9"} <= {line.path for line in lines}
    assert all(line.path.isascii() and " " not in line.path for line in lines)
