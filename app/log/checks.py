"""What the message log needs, for the release phase; makes the topic where that is allowed."""

from __future__ import annotations

from app.checks import Check, CheckResult
from app.groups import log_groups
from app.log.open import open_log
from app.settings import Settings

TIMEOUT_S = 10.0


def _log(settings: Settings) -> CheckResult:
    found = open_log(settings).ensure(log_groups(settings), TIMEOUT_S)
    return CheckResult(found.text, found.warnings)


CHECKS: tuple[tuple[str, Check], ...] = (("log", _log),)
