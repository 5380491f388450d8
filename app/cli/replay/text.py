"""What `python -m app replay` prints, as lines of text. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from app.escaping import for_terminal
from app.timespec import iso
from consumers.replay.plan import DryRun
from consumers.replay.reports.report import WHY_REENCODED

OWN_FLAGS = ("--from", "--until", "--resume")
"""Those that the command to resume sets itself."""


def dry_run_lines(found: DryRun) -> list[str]:
    """How many requests would be sent, then the counts by (route, reason), the largest first."""
    counts = found.counts
    total = sum(counts.values())
    sent = sum(count for (_, reason), count in counts.items() if reason == "sent")
    lines = [f"would send {sent:,} of {total:,} requests"]
    if found.reencoded:
        lines.append(f"{found.reencoded:10,}  of them percent-encoded again ({WHY_REENCODED})")
    for (route, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        note = "" if reason == "sent" else f"not sent ({reason}) "
        lines.append(f"{count:10,}  {note}{for_terminal(route)}".rstrip())
    return lines


def resume_command(words: Sequence[str], resume_ms: int, until_ms: int, run_id: str) -> str:
    """The command line with these words, from `resume_ms` on, to the same end. `run_id`: the run that it goes
    on with; empty for a new one."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word in OWN_FLAGS:
            next(left, None)
        elif not word.startswith(tuple(f"{flag}=" for flag in OWN_FLAGS)):
            kept.append(word)
    resumes = ["--resume", run_id] if run_id else []
    times = ["--from", iso(resume_ms), "--until", iso(until_ms)]
    return shlex.join(["python", "-m", "app", *kept, *resumes, *times])
