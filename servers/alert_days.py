"""Runs the rules for alerts over simulated days: what was told of which incident, and what in vain."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from app.alerts.board import Board, Notice
from app.alerts.engine import moments, step
from app.alerts.rule import Rule
from servers.alert_facts import START_S, World
from servers.alert_faults import Fault, faults
from servers.alert_shapes import BIN_S, DAY_BINS, AppShape
from servers.alert_story import APPS, noise
from servers.alert_traffic import simulated

AFTER_S = 900
"""What is told of the same app so soon after an incident belongs to it."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something that was told."""

    at_s: int
    """Second of the simulation."""
    notice: Notice
    fault: Fault | None
    """None: told in vain."""


@dataclass(slots=True)
class Outcome:
    """What came of some days."""

    faults: list[Fault]
    messages: list[Message] = field(default_factory=list)
    steps: int = 0

    @property
    def false_alerts(self) -> list[Message]:
        return [one for one in self.messages if one.notice.kind == "firing" and one.fault is None]

    def delay_s(self, fault: Fault) -> int | None:
        """From the cause to the first message of it; None: nobody was told."""
        told = (one.at_s - fault.from_s for one in self.messages if one.fault is fault)
        return next(told, None)

    def firing(self, fault: Fault) -> list[Message]:
        return [one for one in self.messages if one.fault is fault and one.notice.kind == "firing"]


def world(days: int, count: int, seed: str, apps: Sequence[AppShape] = APPS) -> World:
    """So many days with so many incidents. The same seed makes the same."""
    made = faults(days, count, random.Random(f"{seed} faults"), apps)
    effects = [effect for fault in made for effect in fault.effects]
    bins = days * DAY_BINS
    traffic = [
        simulated(app, [*noise(app, days, random.Random(f"{seed} {app.name} noise")), *effects], bins, seed)
        for app in apps
    ]
    return World(traffic, made, bins)


def run(
    made: World, rules: Sequence[Rule], progress: Callable[[float], None] = lambda share: None
) -> Outcome:
    """Every moment of all days."""
    outcome = Outcome(list(made.faults))
    board, was_stopped = Board(), False
    for at in range(1, made.bins):
        if at % 360 == 0:
            progress(at / made.bins)
        if not board.alerts and not was_stopped and not made.is_of_interest(at):
            continue
        watched = frozenset(state.subject.app for state in board.alerts.values())
        facts = made.facts(at, watched)
        if not was_stopped and not facts.incomplete:
            # Moments that were left out were fine.
            board = replace(board, evaluated_s=facts.at_s - BIN_S, at_s=facts.at_s - BIN_S)
        for at_s in [facts.at_s] if facts.incomplete else moments(board, facts.at_s):
            if at_s != facts.at_s:
                past = made.facts((at_s - START_S) // BIN_S, watched, is_past=True)
            made_step = step(board, rules, past if at_s != facts.at_s else facts, ())
            board = made_step.board
            outcome.steps += 1
            outcome.messages += [_message(notice, at, made.faults) for notice in made_step.notices]
        was_stopped = bool(facts.incomplete)
    return outcome


def _message(notice: Notice, at: int, made: Sequence[Fault]) -> Message:
    at_s = at * BIN_S
    cause = (
        fault for fault in made if fault.from_s <= at_s <= fault.to_s + AFTER_S and _is_of(notice, fault)
    )
    return Message(at_s, notice, next(cause, None))


def _is_of(notice: Notice, fault: Fault) -> bool:
    is_own = any(state.subject.part for state in notice.incident.alerts)
    return is_own if not fault.app else not is_own and notice.incident.app == fault.app
