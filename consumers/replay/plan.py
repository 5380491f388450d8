"""The plan of a window replay: what is sent, where to, and how fast."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from consumers.replay.choice.policy import ReplayPolicy
from consumers.replay.choice.target import Target
from consumers.replay.load.shapes import Load
from consumers.replay.sending.pace_kept import Asked


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is. `done`: requests that were to be sent and are dealt with, or a dry run's messages.
    `at_ms`: the log time of the latest, Unix ms."""

    done: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What is replayed, where to, and how fast."""

    from_ms: int
    until_ms: int
    target: Target
    baseline: Target | None
    policy: ReplayPolicy
    app: str
    concurrency: int | None
    """Limit of requests at once to each target; None: it grows as needed."""
    timeout_s: float
    load: Load = Load()
    """How fast, and for how long."""
    compares_answers: bool = False
    """Needs a baseline, which then gets each request twice."""

    @property
    def asked(self) -> Asked:
        """The pace, as it is judged."""
        load = self.load
        return Asked(load.text, load.speed, load.rate, load.flag, load.is_paced)

    @property
    def targets(self) -> list[Target]:
        """The target, and the baseline if there is one."""
        return [self.target] if self.baseline is None else [self.target, self.baseline]


@dataclass(slots=True)
class DryRun:
    """What a replay would do."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(route, reason) -> requests; the reason is `sent` for those that would be sent. The route is empty for
    lines that are no request."""
    reencoded: int = 0
    """Of those that would be sent, the ones whose path or query would be percent-encoded again."""
