"""What every form of a report shows: a run's figures, its result, and how it ended. Pure."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

from app.store.queries.replays import ReplayRun, compared
from app.store.replay import Run
from app.store.run_figures import RunFigures
from app.store.run_result import RunResult

WHY_REENCODED = "Router 2.0 logs the path decoded"
"""Why some requests are percent-encoded again: those that `ReplayRun.reencoded` counts."""

EXIT_MEANINGS = {
    0: "passed",
    1: "failed",
    2: "bad usage or settings",
    3: "the target or the log is down",
    4: "inconclusive",
    130: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A window replay that has ended."""

    run: ReplayRun
    figures: RunFigures
    result: RunResult
    exit_code: int

    @classmethod
    def of(cls, finished: Run, result: RunResult, exit_code: int) -> Report:
        """`finished`: the run with the figures of all its parts."""
        return cls(compared(finished), finished.figures, result, exit_code)

    @property
    def title(self) -> str:
        """What became of it, in one word: `interrupted`, or the verdict."""
        return "interrupted" if self.result.is_interrupted else self.result.verdict

    @property
    def against(self) -> str:
        """What the target is compared with."""
        baseline = self.run.info.get("baseline")
        return f"the baseline {baseline}" if baseline else "the original"

    @property
    def progress(self) -> float | None:
        """How much of the window was done, 0 to 1."""
        with contextlib.suppress(ValueError):
            return float(self.run.info["progress"]) if "progress" in self.run.info else None
        return None

    @property
    def started_at(self) -> str:
        """ISO 8601 in UTC; empty where it is not known."""
        return utc(self.run.info.get("started_at", ""))


def utc(unix_s: str) -> str:
    """ISO 8601 in UTC of a time in Unix seconds; empty for what is not one."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(int(unix_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ""
