"""Every kind of target, registered once; and the targets that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.alerts.targets.target import Kind, Target

if TYPE_CHECKING:
    from app.settings import Settings

KINDS: Mapping[str, Kind] = {}


def targets_of(settings: Settings) -> dict[str, Target]:
    """Name -> target: those of the file, and of each kind the one that the environment describes, unless the
    file has one of that name."""
    return {}


def parse_targets(entries: Any, environ: Mapping[str, str]) -> tuple[Target, ...]:
    """`targets:` of the file. Raises BadSettings with every fault, ValueError if it is no mapping."""
    return ()
