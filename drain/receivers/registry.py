"""Every receiver that `web` has: a new protocol is its module and its line here."""

from __future__ import annotations

from drain.receivers.logplex_http import LOGPLEX
from drain.receivers.receiver import Receiver

RECEIVERS: tuple[Receiver, ...] = (LOGPLEX,)


def receiver_named(name: str) -> Receiver:
    """The receiver whose dead letters have this `source`; Logplex if there is none, as in older versions."""
    return next((receiver for receiver in RECEIVERS if receiver.name == name), LOGPLEX)
