"""The invented platform says what Heroku says, and what it says is read again."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import pytest

from app.message import decode
from app.platform.facts import Event, Samples
from app.platform.joined import Joined, joined
from app.platform.lines import parse
from drain.receivers.logplex import parse as parse_body
from servers.logplex_client import octets
from servers.platform import QUOTA_MB, Platform, Said

START_S = 1_788_000_000.0
MINUTE_S = 60


def facts_of(said: list[Said]) -> list[Event | Samples]:
    facts = []
    for number, one in enumerate(said):
        fact = parse(one.message(f"f.{number}", "shop"))
        assert fact is not None, one
        facts.append(fact)
    return facts


def joined_of(said: list[Said]) -> Joined:
    facts = facts_of(said)
    return joined(
        [(str(number), fact) for number, fact in enumerate(facts) if isinstance(fact, Event)], "shop"
    )


def busy(platform: Platform) -> None:
    platform.deploy(START_S + 60)
    platform.deploy(START_S + 120, is_failing=True)
    platform.release(START_S + 240, "Set A, B config vars")
    platform.release_phase(START_S + 400, "Deploy 9154a1d2", is_failing=True)
    platform.release_phase(START_S + 500, "Deploy 9154a1d3")
    platform.release(START_S + 600, "Rollback to v41")
    platform.scale(START_S + 700, "web", 6)
    platform.scale(START_S + 800, "web", 2)
    platform.cycle(START_S + 850, "web.1")
    platform.crash(START_S + 900, "web.2")


def test_all_that_is_said_is_read() -> None:
    platform = Platform(1, START_S, leaks={"web.1": 3.0})
    busy(platform)
    said = platform.until(START_S + 1_200)
    kinds = Counter(fact.kind if isinstance(fact, Event) else fact.origin for fact in facts_of(said))
    assert {"release", "deploy", "rollback", "config", "scale", "build", "command"} <= kinds.keys()
    assert {
        "state",
        "exit",
        "restart",
        "error",
        "other",
        "dyno",
        "heroku-postgres",
        "heroku-redis",
    } <= kinds.keys()
    assert [one.at_s for one in said] == sorted(one.at_s for one in said)


def test_each_release_has_its_cause_and_its_dynos_come_up() -> None:
    platform = Platform(2, START_S)
    busy(platform)
    found = joined_of(platform.until(START_S + 1_200)).releases
    assert [(one.version, one.cause) for one in found] == [
        (41, "deploy"),
        (42, "config"),
        (44, "deploy"),
        (45, "rollback"),
    ]
    for one in found:
        assert one.up_ms is not None
        assert 2_000 < one.up_ms - one.at_ms < 20_000


def test_with_preboot_the_old_dynos_go_after_three_minutes() -> None:
    platform = Platform(3, START_S, has_preboot=True)
    platform.release(START_S + 10, "Deploy 9154a1d2")
    (found,) = joined_of(platform.until(START_S + 600)).releases
    assert found.up_ms is not None
    assert 150_000 < found.up_ms - found.at_ms < 210_000


def test_a_dyno_that_leaks_is_killed_and_starts_again() -> None:
    platform = Platform(4, START_S, formation={"web": 2}, leaks={"web.2": 2.0})
    facts = facts_of(platform.until(START_S + 15 * MINUTE_S))
    events = [fact for fact in facts if isinstance(fact, Event)]
    assert {event.dyno for event in events} == {"web.2"}
    codes = [event.code for event in events if event.kind == "error"]
    assert codes.count("R14") > 5
    assert codes.count("R15") in (1, 2)
    after = [event.state for event in events[[event.code for event in events].index("R15") :] if event.state]
    assert after[:3] == ["crashed", "starting", "up"]
    totals = [
        sample.value
        for fact in facts
        if isinstance(fact, Samples) and fact.source == "web.2"
        for sample in fact.values
        if sample.name == "memory_total"
    ]
    assert max(totals) > 2 * QUOTA_MB
    assert totals[-1] < 2 * QUOTA_MB


def test_every_dyno_is_measured_every_twenty_seconds() -> None:
    platform = Platform(5, START_S, formation={"web": 3})
    samples = [fact for fact in facts_of(platform.until(START_S + 600)) if isinstance(fact, Samples)]
    counts = Counter(fact.source for fact in samples)
    assert all(56 <= counts[f"web.{number}"] <= 60 for number in (1, 2, 3))
    assert counts["DATABASE"] == counts["REDIS"] == 10


def test_without_runtime_metrics_only_what_is_over_the_quota_is_said() -> None:
    platform = Platform(6, START_S, leaks={"web.1": 2.0}, has_runtime_metrics=False)
    texts = [one.text for one in platform.until(START_S + 600) if one.app_name == "heroku"]
    assert not any("sample#" in text for text in texts)
    assert any(text.startswith("Process running mem=") for text in texts)


@pytest.mark.parametrize("act", [busy, lambda platform: None])
def test_the_same_seed_says_the_same_however_often_one_asks(act: Callable[[Platform], None]) -> None:
    at_once, step_by_step, other = Platform(7, START_S), Platform(7, START_S), Platform(8, START_S)
    for platform in (at_once, step_by_step, other):
        act(platform)
    said = at_once.until(START_S + 1_200)
    steps = [step_by_step.until(START_S + second) for second in range(1, 1_201)]
    assert list(itertools.chain.from_iterable(steps)) == said
    assert other.until(START_S + 1_200) != said


def test_a_message_is_what_the_drain_would_make_of_the_same_line() -> None:
    said = Platform(9, START_S).until(START_S + 60)
    frame = parse_body(octets(one.syslog() for one in said), "frame")
    assert (frame.message_count, frame.rejects, frame.broken) == (len(said), [], None)
    message = decode(b'{"msg":"","timestamp":"","id":"f.0","app":"","received_at":1}') | said[0].message(
        "f.0"
    )
    assert message["msg"].endswith("\n")
    assert message["procid"] == said[0].procid
