"""Every kind of target, registered once; and the targets that the settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.alerts.targets.email import Email
from app.alerts.targets.entry import unknown
from app.alerts.targets.pagerduty import PagerDuty
from app.alerts.targets.slack import Slack
from app.alerts.targets.target import Kind, Target
from app.alerts.targets.teams import Teams
from app.alerts.targets.webhook import Webhook
from app.errors import BadSettings
from app.masking import safe_word

if TYPE_CHECKING:
    from app.settings import Settings

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (Webhook(), Slack(), PagerDuty(), Teams(), Email())}

TARGETS_MAX = 20
"""In the file: each has a thread of its own."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch


def targets_of(settings: Settings) -> dict[str, Target]:
    """Name -> target: those of the file, and of each kind the one that the environment describes, unless the
    file has one of that name."""
    described = [kind.from_settings(settings) for kind in KINDS.values()]
    return {target.name: target for target in (*filter(None, described), *settings.alert_targets)}


def parse_targets(entries: Any, environ: Mapping[str, str]) -> tuple[Target, ...]:
    """`targets:` of the file. Raises BadSettings with every fault, ValueError if it is no mapping."""
    if not isinstance(entries, Mapping):
        raise ValueError("must map names to targets, such as ops: {kind: slack, url: '${OPS_SLACK_URL}'}")
    if len(entries) > TARGETS_MAX:
        raise ValueError(f"must have at most {TARGETS_MAX} targets")
    targets: list[Target] = []
    faults: list[str] = []
    for name, entry in entries.items():
        try:
            targets.append(_target(str(name), entry, environ))
        except BadSettings as fault:
            faults += [f"targets: {safe_word(name)}: {text}" for text in fault.faults]
    if faults:
        raise BadSettings(faults)
    return tuple(targets)


def _target(name: str, entry: Any, environ: Mapping[str, str]) -> Target:
    """Raises BadSettings with every fault, without the target's name."""
    if not _NAME(name):
        raise BadSettings(["its name must be letters, digits, `-` and `_`, 64 at most"])
    kinds = ", ".join(KINDS)
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise BadSettings([f"must have a `kind`, which is one of {kinds}"])
    kind = KINDS.get(str(entry["kind"]))
    if kind is None:
        raise BadSettings([f"{unknown('kind', entry['kind'], tuple(KINDS))}; the kinds are {kinds}"])
    return kind.from_file(name, entry, environ)
