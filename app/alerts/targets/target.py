"""What a target is, and what each kind of it must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from app.alerts.message import Message

if TYPE_CHECKING:
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """Somewhere that messages go. Whatever may be a secret is in no repr, and in no log."""

    name: str
    kind: str
    """`webhook`, `slack`, `pagerduty`, `email` or `teams`."""
    host: str
    """The only host that it sends to; may be shown."""
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    """Of a webhook the key that signs, of PagerDuty the routing key."""
    sender: str = field(default="", repr=False)
    recipients: tuple[str, ...] = field(default=(), repr=False)
    unset: tuple[str, ...] = ()
    """What is missing before it can be used: `targets: ops: OPS_SLACK_URL is not in the environment`. Not a
    fault of every process: only what sends needs it."""


class DeliveryFailed(Exception):
    """The target did not take a message. The text names no URL and no secret."""

    def __init__(self, reason: str, *, is_final: bool = False, after_s: float | None = None) -> None:
        self.reason = reason
        self.is_final = is_final
        """Sending it again would not help: the target refuses it."""
        self.after_s = after_s
        """How long the target asks to wait."""
        super().__init__(reason)


class Kind(Protocol):
    """One kind of target."""

    @property
    def name(self) -> str: ...

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        """An entry of `targets:` in the file of TAILRACE_CONFIG. Raises BadSettings with every
        fault of it."""

    def from_settings(self, settings: Settings) -> Target | None:
        """The target that the environment alone describes, by the name of its kind; None: none."""

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        """Sends one message, within about so many seconds; a mail server may take longer (targets/email.py).
        Raises DeliveryFailed."""
