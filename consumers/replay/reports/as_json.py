"""The report as JSON, as report.schema.json describes it. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from app.escaping import json_text
from app.store.body_figures import BodyFigures
from app.store.queries.figures import latency
from app.store.queries.replays import Change, ReplayedRoute
from app.store.run_figures import RouteFigures
from consumers.replay.reports.report import Report, utc

SCHEMA_VERSION = 1
"""Goes up when a field changes its meaning or goes; new fields leave it as it is."""


def render(report: Report) -> str:
    """The whole report: numbers are numbers, times ISO 8601 in UTC, latencies ms, shares 0 to 1."""
    return json_text(_finite(content(report)), indent=2) + "\n"


def content(report: Report) -> dict[str, Any]:
    """The report in plain types. Infinity may be in it."""
    run, result, info = report.run, report.result, report.run.info
    figures = report.figures
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.id,
        "verdict": result.verdict,
        "exit_code": report.exit_code,
        "reasons": list(result.reasons),
        "state": info.get("state", ""),
        "is_interrupted": result.is_interrupted,
        "is_strict": result.is_strict,
        "progress": report.progress,
        "reached": info.get("reached"),
        "parts": int(info.get("parts", "1")),
        "started_at": report.started_at or None,
        "updated_at": utc(info.get("updated_at", "")) or None,
        "from": info.get("from"),
        "until": info.get("until"),
        "target": info.get("target"),
        "baseline": info.get("baseline"),
        "app": info.get("app") or None,
        "thresholds": list(result.thresholds),
        "findings": [asdict(finding) for finding in result.findings],
        "findings_left_out": result.findings_left_out,
        "coverage": asdict(result.coverage),
        "pace": asdict(result.pace),
        "reencoded": run.reencoded,
        "late_ms": asdict(run.late),
        "total": _route(run.total, figures.total()),
        "routes": [_route(row, figures.routes[row.route]) for row in run.routes],
        "steps": [asdict(step) for step in result.steps],
        "timeline": [asdict(point) for point in result.timeline],
    }


def _route(row: ReplayedRoute, figures: RouteFigures) -> dict[str, Any]:
    return {
        "route": row.route,
        "sent": row.sent,
        "answered": row.answered,
        "outcomes": dict(row.outcomes),
        "status_changed": row.status_changed,
        "status_changes": [
            {"original": before, "replayed": after, "count": count}
            for (before, after), count in sorted(
                figures.statuses.items(), key=lambda item: (-item[1], item[0])
            )
            if before and before != after
        ],
        "original": asdict(row.original),
        "replayed": asdict(row.replayed),
        "response": asdict(latency(figures.response)),
        "changes": {
            "p50": _change(row.p50_change),
            "p95": _change(row.p95_change),
            "p99": _change(row.p99_change),
        },
        "bodies": _bodies(figures.bodies),
    }


def _change(change: Change) -> dict[str, Any]:
    return {"share": change.share, "is_sure": change.is_sure}


def _bodies(bodies: BodyFigures) -> dict[str, Any] | None:
    """None where no answers were compared."""
    if not bodies.compared:
        return None
    return {
        "compared": bodies.compared,
        "changed": bodies.changed,
        "noisy": bodies.noisy,
        "keys": dict(bodies.keys.most_common()),
    }


def _finite(value: Any) -> Any:
    """The value with null for infinity and NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
