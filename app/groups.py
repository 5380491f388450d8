"""The background processes of Tailrace, each registered once: name, what it does, how it reads the log.

Health, alerts, `python -m app release`, the demo and the tests of Procfile, compose, systemd and app.json
read this list. A further one is its folder `consumers/NAME/`, a row here, and a line in each of those
files (CONTRIBUTING.md lists them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Reading:
    """How a consumer group reads the message log."""

    start: Literal["earliest", "latest"]
    """Where a group starts that the log does not know yet."""
    rewind_to_store: bool
    """Whether it rewinds to the position in Redis when that is older than the log's own: everything since
    then is read again, because this Redis does not include it. Otherwise what was read stays read."""
    platform: bool = False
    """Whether it reads what the platform itself says: releases, states of dynos, measured values."""


def _always(settings: Settings) -> bool:
    return True


def _never(settings: Settings) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of background process: its consumer group, and its process type in the Procfile."""

    name: str
    purpose: str
    """A few words, as the README's table of processes has them."""
    reading: Reading | None
    """None: it reads no log (consumers/periodic.py)."""
    while_stopped: str
    """What it means for people: the end of `No worker has reported, so ...`."""
    while_behind: str
    """The same for one that lags."""
    is_required: bool = False
    """True: every installation runs it, so its absence is an alarm. Otherwise it is expected once seen."""
    is_wanted: Callable[[Settings], bool] = _always
    """Whether these settings ask for it; if so, `release` checks that it could start."""
    before_first_request: str = ""
    """Replaces `while_stopped` until the first request is counted."""

    @property
    def package(self) -> str:
        """Where its code is."""
        return f"consumers.{self.name}"

    @property
    def command(self) -> str:
        """What the Procfile says."""
        return f"python -m {self.package}"


METRICS = Group(
    name="metrics",
    purpose="router lines into figures, the platform's messages into events; consumer group `metrics`",
    reading=Reading(start="earliest", rewind_to_store=True, platform=True),
    while_stopped="the figures are frozen",
    before_first_request="nothing is being counted",
    while_behind="The figures are that old; nothing is lost.",
    is_required=True,
)

REPLAY = Group(
    name="replay",
    purpose="live traffic to `REPLAY_HOST`, consumer group `replay`",
    reading=Reading(start="latest", rewind_to_store=False),
    while_stopped="nothing is being replayed",
    while_behind="Requests that are too late are skipped and counted.",
    is_wanted=lambda settings: bool(settings.replay_host),
)

ALERTS = Group(
    name="alerts",
    purpose="judges the figures by rules, and calls people; without it a `metrics` worker does",
    reading=None,
    while_stopped="nobody is told if `metrics` stops",
    while_behind="Alerts come that late.",
    is_wanted=_never,  # `metrics` does the same, unless someone wants a process of its own for it.
)

GROUPS = (METRICS, REPLAY, ALERTS)


def group_named(name: str) -> Group:
    """Raises KeyError for one that is not registered."""
    return {group.name: group for group in GROUPS}[name]


def group_names() -> tuple[str, ...]:
    """All that are registered."""
    return tuple(group.name for group in GROUPS)


def log_group_names() -> tuple[str, ...]:
    """All that read the log, whatever the settings ask for."""
    return tuple(group.name for group in GROUPS if group.reading)


def log_groups(settings: Settings) -> tuple[str, ...]:
    """The consumer groups that these settings ask for: those whose place in the log must be usable."""
    return tuple(group.name for group in GROUPS if group.reading and group.is_wanted(settings))
