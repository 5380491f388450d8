"""What `python -m app replay` prints, as lines of text. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from app.escaping import for_terminal
from app.store.queries.replays import ReplayRun
from consumers.replay.gate.thresholds import Finding, describe
from consumers.replay.report import WHY_REENCODED, verdict
from consumers.replay.timespec import iso
from consumers.replay.window import DryRun


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


def summary_lines(run: ReplayRun, findings: Sequence[Finding], *, has_thresholds: bool) -> list[str]:
    """The totals of a run, its findings, and the verdict if there are thresholds."""
    total, before, after = run.total, run.total.original, run.total.replayed
    lines = [
        f"run {run.id}: {total.sent:,} sent, {total.answered:,} answered, "
        f"{total.status_changed:,} with another status"
    ]
    if before.p95 is not None and after.p95 is not None:
        lines.append(
            f"  p50 {before.p50:.0f} -> {after.p50:.0f} ms, p95 {before.p95:.0f} -> {after.p95:.0f} ms"
        )
    if run.reencoded:
        lines.append(f"  percent-encoded again ({WHY_REENCODED}): {run.reencoded:,}")
    lines += [f"  {outcome}: {count:,}" for outcome, count in total.outcomes.items()]
    lines += [f"  not sent ({reason}): {count:,}" for reason, count in sorted(run.skipped.items())]
    for finding in findings:
        lines.append(f"  {'CROSSED' if finding.is_sure else 'uncertain'}  {for_terminal(describe(finding))}")
    if has_thresholds:
        lines.append(f"verdict: {verdict(findings)}")
    return lines


def resume_command(words: Sequence[str], resume_ms: int, until_ms: int) -> str:
    """The command line with these words, from `resume_ms` on, to the same end."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word in ("--from", "--until"):
            next(left, None)
        elif not word.startswith(("--from=", "--until=")):
            kept.append(word)
    return shlex.join(["python", "-m", "app", *kept, "--from", iso(resume_ms), "--until", iso(until_ms)])
