"""Reads one message of the platform into a fact."""

from __future__ import annotations

from app.message import RouterMessage
from app.platform.facts import Fact


def parse(message: RouterMessage) -> Fact | None:
    """The fact; None where the message says nothing that is kept. Never raises."""
    return None
