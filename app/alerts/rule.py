"""A rule: what is asked of which apps and routes, how long it must hold, and who is told."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.condition import Condition

EACH = "each"
"""As a rule's route: each route of the app by itself."""

EVERY_RULE = "all"
"""In place of a rule's name, where a person silences; no rule has this name."""

REPEAT_S = 4 * 3_600
MIN_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `alerts:` in the file of TAILRACE_CONFIG, or one of those that are on without it."""

    name: str
    when: tuple[Condition, ...]
    """All of them must hold."""
    app: str = ""
    """Empty: each app by itself."""
    route: str = ""
    """A pattern such as /users/:id or /api/*rest; EACH: each route by itself; empty: all routes together."""
    for_s: int = 0
    """How long it must hold without a break until the alert fires."""
    to: tuple[str, ...] = ()
    """Names of targets; empty: all of them."""
    min_requests: int = MIN_REQUESTS
    """In the span that is judged; with fewer, nothing is said of it."""
    repeat_s: int = REPEAT_S
    """How often it is told again while it fires; 0: never."""
    is_default: bool = False
    """Whether it is on without a file."""

    @property
    def text(self) -> str:
        """The condition as in the file."""
        return " and ".join(condition.text for condition in self.when)
