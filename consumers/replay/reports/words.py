"""The sentences that several forms of a report share. Pure; whatever a client wrote is not escaped yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from app.escaping import for_terminal
from app.formatting import duration, milliseconds, number, plural, rate, shortened
from app.store.body_figures import BodyFigures
from app.store.run_result import Coverage, Fault, Pace, RouteLeftOut, RunResult
from consumers.replay.gate.reasons import COUNTS_OF_FINDINGS
from consumers.replay.reports.numbers import share
from consumers.replay.reports.report import Report

REASONS_SHOWN = 12
"""Reasons, status pairs and keys in one list; those of error codes are a client's words."""

FAULTS: Mapping[Fault, str] = {
    "": "",
    "target": "the target was slower than asked for",
    "concurrency": "the limit of requests at once was too low",
    "machine": "this machine was too slow",
}
REASON_WIDTH = 300
LONG_S = 600
"""From here on, a run's time is said in minutes."""
KEY_WIDTH = 100


def counted(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """(reason, requests), the most frequent first, at most REASONS_SHOWN; the rest together."""
    ordered = sorted(((name, n) for name, n in reasons.items() if n), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:REASONS_SHOWN], ordered[REASONS_SHOWN:]
    if rest:
        shown.append((f"{number(len(rest))} other reasons", sum(count for _, count in rest)))
    return shown


def listed(reasons: Mapping[str, int]) -> str:
    """`method 508, sample 12`."""
    return ", ".join(f"{reason} {number(count)}" for reason, count in counted(reasons))


def pace_lines(pace: Pace) -> list[str]:
    """How fast was asked and how fast it went; how late; by whose fault, and what would do."""
    reached = []
    if pace.speed_reached is not None:
        reached.append(f"{pace.speed_reached:.3g}x")
    if pace.rate_reached:
        reached.append(f"{rate(pace.rate_reached)} requests/s")
    text = f"asked {pace.asked}" if pace.asked else ""
    if reached:
        text += f"{', ' if text else ''}reached {', '.join(reached)}"
    if pace.share_reached is not None:
        text += f" ({share(pace.share_reached)} of what was asked)"
    if pace.duration_s and text:
        text += f", in {_took(pace.duration_s)}"
    lines = [text] if text else []
    late = pace.late
    if late.max is not None:
        parts = [
            f"{name} {milliseconds(value)}"
            for name, value in (
                ("p50", late.p50),
                ("p95", late.p95),
                ("p99", late.p99),
                ("longest", late.max),
            )
            if value is not None
        ]
        lines.append(f"sent after it was due: {', '.join(parts)}")
    if pace.concurrency_max and pace.duration_s:
        lines.append(f"requests at once: {number(pace.concurrency)}, limit {number(pace.concurrency_max)}")
    why = FAULTS.get(pace.fault, str(pace.fault))
    if why and pace.explanation:
        lines.append(f"{why}: {pace.explanation}")
    elif why or pace.explanation:
        lines.append(why or pace.explanation)
    return lines


def sent_line(coverage: Coverage) -> str:
    """How much of what was asked was sent and answered."""
    of = f" ({share(coverage.sent / coverage.asked)})" if coverage.asked else ""
    return (
        f"{number(coverage.sent)} of {plural(coverage.asked, 'request')} asked for{of}, "
        f"{number(coverage.answered)} answered"
    )


def window_line(coverage: Coverage) -> str:
    """That the log has not all of the window; empty where it has."""
    if not coverage.missing_s or not coverage.window_s:
        return (
            "the log dropped requests of the window before they were read" if coverage.was_overtaken else ""
        )
    missing = share(min(1.0, coverage.missing_s / coverage.window_s))
    lacks, of = duration(coverage.missing_s), duration(coverage.window_s)
    return f"the log lacks {lacks} of the window's {of} ({missing})"


def left_out_text(row: RouteLeftOut) -> str:
    """How much of a route was left out, and why."""
    how = "left out wholly" if not row.sent else f"{number(row.sent)} sent"
    return f"{how}, {plural(row.left_out, 'request')} not sent ({listed(row.reasons)})"


def more_left_out(coverage: Coverage, shown: int, hint: str) -> str:
    """How many routes were left out beyond those shown; empty for none."""
    more = max(0, len(coverage.routes_left_out) - shown) + coverage.more_routes_left_out
    return f"{plural(more, 'more route')} of which less was sent than left out{hint}" if more else ""


def status_pairs(report: Report) -> list[tuple[str, int]]:
    """(`404 → 200`, requests): statuses that changed, the most frequent first."""
    pairs = {
        f"{before} → {after}": count
        for (before, after), count in report.figures.total().statuses.items()
        if before and before != after
    }
    return counted(pairs)


def bodies_line(bodies: BodyFigures) -> str:
    """How many answers differ beyond the noise, and how; empty where none were compared."""
    if not bodies.compared:
        return ""
    changed, noisy = bodies.changed / bodies.compared, bodies.noisy / bodies.compared
    return (
        f"{plural(bodies.compared, 'answer')} compared: {share(changed)} differ ({number(bodies.changed)}), "
        f"noise {share(noisy)}"
    )


def keys_line(keys: Counter[str], shown: int = 5) -> str:
    """The names of what differs most often."""
    most = keys.most_common(shown)
    return ", ".join(f"{shortened(for_terminal(key), KEY_WIDTH)} ({number(count)})" for key, count in most)


def ended(report: Report) -> str:
    """How far an interrupted run came; empty for one that came to its end."""
    if not report.result.is_interrupted:
        return ""
    state = report.run.info.get("state", "interrupted")
    why = "interrupted" if state == "interrupted" else f"stopped early ({state})"
    progress = "" if report.progress is None else f" after {share(report.progress)} of the window"
    reached = report.run.info.get("reached", "")
    return f"{why}{progress}{f', at {reached}' if reached else ''}: the rest was not replayed"


def parts_line(report: Report) -> str:
    """That a run was resumed; empty where it was not."""
    parts = report.run.info.get("parts", "1")
    return "" if parts == "1" else f"resumed: {parts} parts of one run, judged together"


def _took(seconds: float) -> str:
    if seconds >= LONG_S:
        return duration(seconds)
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def reasons(result: RunResult, shown_max: int, *, but_of_findings: bool = False) -> list[str]:
    """Why the verdict is not `passed`, at most `shown_max` and a line about the others. `but_of_findings`:
    without those that only repeat a finding."""
    begins = tuple(f"{finding.threshold}: " for finding in result.findings) if but_of_findings else ()
    ends = COUNTS_OF_FINDINGS if but_of_findings else ()
    found = [why for why in result.reasons if not (why.startswith(begins) or why.endswith(ends))]
    shown = [shortened(for_terminal(reason), REASON_WIDTH) for reason in found[:shown_max]]
    if len(found) > shown_max:
        shown.append(f"{plural(len(found) - shown_max, 'more reason')}")
    return shown
