"""Reads what the platform says about a dyno (app-name `heroku`, procid `web.1`) into events and samples.
Pure.

Sources: devcenter.heroku.com (error-codes, dyno-lifecycle), and logs that people have published; each
sentence is in tests/support/platform_lines.
"""

from __future__ import annotations

import re

from app.platform.facts import Event, Fact, Sample, Samples
from app.platform.sentences import bounded

_STATE = re.compile(r"State changed from ([\w-]{1,32}) to ([\w-]{1,32})")
_EXIT = re.compile(r"Process exited(?: with status (-?[0-9]{1,5})(?![0-9]))?")
_ERROR = re.compile(r"Error ([A-Z][0-9]{1,3})\b")
_MEMORY = re.compile(
    r"Process running mem=([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]?)B?"
    r"(?:\(([0-9]{1,9}(?:\.[0-9]{1,6})?)%\))?(?!\w)"
)
_MB = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
"""`mem=903M` was seen and `mem=1028MB` is documented; the others are guessed, and so is that a number without
a unit is in MB."""

ROUNDING = 0.003
"""Of a memory in whole MB, and of a share in tenths of a percent."""

_RESTARTS = ("Restarting", "Cycling")
_IDLES = ("Idling", "Unidling")
_COMMAND = "Starting process with command"


def dyno_fact(dyno: str, line: str, at_ms: int) -> Fact | None:
    """What a sentence of the platform about a dyno tells; None for an empty one."""
    sentence = line.partition("\n")[0].strip().removeprefix("- ")
    if found := _STATE.match(sentence):
        return Event("state", at_ms, bounded(found[0]), dyno, state=found[2])
    if found := _MEMORY.match(sentence):
        return _memory(dyno, found, at_ms)
    if found := _ERROR.match(sentence):
        return Event("error", at_ms, bounded(sentence), dyno, code=found[1])
    if found := _EXIT.match(sentence):
        return Event("exit", at_ms, bounded(found[0]), dyno, status=int(found[1]) if found[1] else None)
    if sentence.startswith(_RESTARTS):
        return Event("restart", at_ms, bounded(sentence), dyno)
    if sentence.startswith(_IDLES):
        return Event("idle", at_ms, bounded(sentence), dyno)
    if sentence.startswith(_COMMAND):
        # In the command there may be secrets: passwords, signed URLs (seen).
        return Event("other", at_ms, "Starting process", dyno)
    return Event("other", at_ms, bounded(sentence), dyno) if sentence else None


def _memory(dyno: str, found: re.Match[str], at_ms: int) -> Samples:
    """`mem=903M(176.1%)` says the quota as well: 903 / 1.761."""
    total_mb = float(found[1]) * _MB[found[2]]
    values = [Sample("memory_total", total_mb, "MB")]
    share = float(found[3]) / 100 if found[3] else 0.0
    if share > 0:
        values.append(Sample("memory_quota", _quota_mb(total_mb / share), "MB"))
    return Samples(at_ms, "dyno", dyno, "", tuple(values))


def _quota_mb(computed_mb: float) -> float:
    """The quota of a dyno size, which is a multiple of 512 MB (devcenter.heroku.com, dyno-sizes), if it is so
    close that rounding explains the difference."""
    quota_mb = 512.0 * round(computed_mb / 512)
    return quota_mb if abs(computed_mb - quota_mb) < quota_mb * ROUNDING else round(computed_mb, 2)


def old_state(event: Event) -> str:
    """The state that a dyno had before its `state` event; empty if it is not said."""
    found = _STATE.match(event.text)
    return found[1] if found else ""
