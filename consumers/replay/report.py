"""The report of a window replay: JSON for machines, Markdown for people."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.errors import BadSettings, TailraceError
from app.escaping import json_text, markdown_code, markdown_text
from app.formatting import milliseconds
from app.masking import safe_word
from app.store.queries.replays import Change, ReplayedRoute, ReplayRun
from consumers.replay.gate.thresholds import Finding, describe

WORST_SHOWN = 10

WHY_REENCODED = "Router 2.0 logs the path decoded"
"""Why some requests are percent-encoded again: those that `ReplayRun.reencoded` counts."""


def as_json(run: ReplayRun, findings: Sequence[Finding], thresholds: Sequence[str]) -> dict[str, Any]:
    """The whole report, in plain types; latencies in ms, shares from 0 to 1."""
    return {
        "run": run.id,
        "info": run.info,
        "verdict": verdict(findings),
        "thresholds": list(thresholds),
        "findings": [_finite(asdict(finding)) for finding in findings],
        "skipped": run.skipped,
        "reencoded": run.reencoded,
        "late_ms": _finite(asdict(run.late)),
        "total": _finite(asdict(run.total)),
        "routes": [_finite(asdict(route)) for route in run.routes],
    }


def verdict(findings: Sequence[Finding]) -> str:
    """`failed` if a threshold was crossed for certain, or nothing was measured for it; else `passed`."""
    return "failed" if any(finding.is_sure for finding in findings) else "passed"


def as_markdown(run: ReplayRun, findings: Sequence[Finding], thresholds: Sequence[str]) -> str:
    """A page for a pull request: the verdict, the findings, the worst routes, all routes."""
    info = run.info
    texts = {name: markdown_text(str(value)) for name, value in info.items()}
    before = f"baseline {texts['baseline']}" if info.get("baseline") else "the original"
    lines = [
        f"# Replay {markdown_text(run.id)}: {verdict(findings)}",
        "",
        f"{texts.get('from', '')} to {texts.get('until', '')}, {texts.get('target', '')} against {before}; "
        f"{run.total.sent:,} requests sent, {run.total.answered:,} answered, "
        f"{run.total.status_changed:,} with another status.",
        "",
    ]
    if run.reencoded:
        lines += [f"{run.reencoded:,} of them were percent-encoded again: {WHY_REENCODED}.", ""]
    if thresholds:
        lines += [f"Thresholds: {', '.join(map(markdown_code, thresholds))}.", ""]
        lines += [
            f"- {'**crossed**' if finding.is_sure else 'uncertain'}: {markdown_code(describe(finding))}"
            for finding in findings
        ]
        lines += [] if findings else ["- none was crossed"]
        lines.append("")
    worst = worst_routes(run)
    if worst:
        lines += ["## Significantly slower", "", *_table(worst), ""]
    lines += ["## All routes", "", *_table([run.total, *run.routes]), ""]
    if run.skipped:
        lines += ["## Not sent", "", "| reason | requests |", "| --- | ---: |"]
        lines += [f"| {markdown_text(reason)} | {count:,} |" for reason, count in run.skipped.items()]
        lines.append("")
    lines.append("Changes in bold are statistically significant (95 %); percentiles are accurate to 1 %.")
    return "\n".join(lines) + "\n"


def worst_routes(run: ReplayRun) -> list[ReplayedRoute]:
    """Routes whose p95 is slower than before beyond chance, the worst first."""
    slower = [route for route in run.routes if route.p95_change.is_sure and (route.p95_change.share or 0) > 0]
    return sorted(slower, key=lambda route: -(route.p95_change.share or 0))[:WORST_SHOWN]


def _table(rows: Sequence[ReplayedRoute]) -> list[str]:
    head = [
        "| route | sent | failed | other status | p50 before | p50 now | p95 before | p95 now | p95 change "
        "| p99 before | p99 now | p99 change |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    return head + [
        f"| {markdown_code(row.route or 'all')} | {row.sent:,} | {row.sent - row.answered:,} "
        f"| {_share(row.status_changed, row.answered)} "
        f"| {milliseconds(row.original.p50)} | {milliseconds(row.replayed.p50)} "
        f"| {milliseconds(row.original.p95)} | {milliseconds(row.replayed.p95)} | {_change(row.p95_change)} "
        f"| {milliseconds(row.original.p99)} | {milliseconds(row.replayed.p99)} | {_change(row.p99_change)} |"
        for row in rows
    ]


def _share(part: int, total: int) -> str:
    return f"{part / total:.2%}" if total else "-"


def _change(change: Change) -> str:
    if change.share is None:
        return "-"
    return f"**{change.share:+.0%}**" if change.is_sure else f"{change.share:+.0%}"


def _finite(value: Any) -> Any:
    """The value with null for infinity and NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_paths(paths: Sequence[Path]) -> None:
    """Raises BadSettings for files that could not be written when the replay is over."""
    faults = []
    for path in paths:
        named = f"--report {safe_word(path)}"
        if path.suffix not in (".json", ".md"):
            faults.append(f"{named}: must end in .json or .md")
        elif path.is_dir() or not path.parent.is_dir():
            faults.append(f"{named}: {'is a folder' if path.is_dir() else 'its folder does not exist'}")
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            faults.append(f"{named}: cannot be written: permission denied")
    if faults:
        raise BadSettings(faults)


def write(path: Path, run: ReplayRun, findings: Sequence[Finding], thresholds: Sequence[str]) -> None:
    """Writes JSON or Markdown, by the file's extension. Raises TailraceError if that fails."""
    try:
        if path.suffix == ".json":
            path.write_text(json_text(as_json(run, findings, thresholds), indent=2) + "\n", "utf-8")
        else:
            path.write_text(as_markdown(run, findings, thresholds), "utf-8")
    except OSError as fault:
        raise TailraceError(f"--report {safe_word(path)}: {fault.strerror}") from None
