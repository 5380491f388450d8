"""Objectives: `slo: {objective: 99.9%, of: /checkout faster than 500ms, over: 30d}`, and what is left. Pure.

A request is good if it did not fail (app/outcomes.py) and, where the objective says so, was faster. What may
be bad of all requests in `over` is the budget of errors. How a budget is alerted on is in conditions/burn.py.

Whether one request failed and was slow as well is not stored: the two are counted apart. Those that the
router gave up after 30 s (H12) are both for certain, so they count once. Any other that failed and was slow
counts twice, so that what is said to be left is never too much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.alerts.clause import plain, short_span
from app.alerts.wording import span_of, written_ms
from app.durations import seconds_of
from app.masking import safe_repr
from app.sketch import above
from app.store.sums import Sums

TIMEOUT_CODE = "H12"
TIMEOUT_MS = 30_000
"""devcenter.heroku.com/articles/request-timeout."""

OVER_DEFAULT_S = 30 * 86_400
OVER_MIN_S, OVER_MAX_S = 86_400, 30 * 86_400
"""Figures are kept for a month."""
OBJECTIVE_MIN, OBJECTIVE_MAX = 0.5, 0.99999
FASTER_MAX_MS = 3_600_000

OF_MAX_CHARS = 500

_OBJECTIVE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?")
_FASTER = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?(ms|s)")
_ALL = frozenset({"", "requests", "all", "all requests"})
FASTER_THAN = "faster than "

EXAMPLE = "{objective: 99.9%, of: /checkout faster than 500ms, over: 30d}"


@dataclass(frozen=True, slots=True)
class Objective:
    """What share of requests must be good."""

    share: float
    """0.999."""
    over_s: int
    faster_ms: float | None = None

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.share, 8)

    @property
    def text(self) -> str:
        """`99.9% faster than 500ms over 30d`."""
        faster = "" if self.faster_ms is None else f" {FASTER_THAN}{written_ms(self.faster_ms)}"
        return f"{plain(100 * self.share)}%{faster} over {span_of(self.over_s)}"


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What became of the budget in some span."""

    requests: int
    bad: int
    left: float | None
    """Share of the budget that is left; below 0: it is overdrawn; None: there was no request."""

    @property
    def good(self) -> int:
        return self.requests - self.bad


def bad_requests(objective: Objective, sums: Sums) -> int:
    """How many requests were not good."""
    failed = sums.errors
    if objective.faster_ms is None:
        return failed
    slow = above(sums.service, objective.faster_ms)
    timeouts = sums.codes.get(TIMEOUT_CODE, 0) if objective.faster_ms < TIMEOUT_MS else 0
    return min(sums.requests, failed + slow - min(timeouts, failed, slow))


def budget_left(objective: Objective, sums: Sums) -> BudgetLeft:
    """`sums`: of the last `objective.over_s` seconds, or of as much of them as is kept."""
    requests, bad = sums.requests, bad_requests(objective, sums)
    if not requests:
        return BudgetLeft(0, 0, None)
    return BudgetLeft(requests, bad, 1 - bad / (requests * objective.budget))


def burn_rate(objective: Objective, sums: Sums) -> float | None:
    """How many times too fast the budget is used up: at 1, it lasts exactly `over_s`. None: no request."""
    return bad_requests(objective, sums) / sums.requests / objective.budget if sums.requests else None


def parse_objective(value: object) -> float:
    """`99.9%`, or the number 99.9. Raises ValueError."""
    found = _OBJECTIVE.fullmatch(str(value).strip())
    share = round(float(found[1]) / 100, 8) if found else 0.0
    if isinstance(value, bool) or not OBJECTIVE_MIN <= share <= OBJECTIVE_MAX:
        raise ValueError("must be a percentage from 50% to 99.999%, such as 99.9%")
    return share


def parse_of(text: str) -> tuple[str, float | None]:
    """(route, ms) of `/checkout faster than 500ms`; both parts may be missing. The route is checked where
    those of all rules are. Raises ValueError."""
    words = " ".join(text.split())
    if len(words) > OF_MAX_CHARS:
        raise ValueError(f"is too long: {OF_MAX_CHARS} characters at most")
    before, *after = re.split(f"(?:^| ){FASTER_THAN}", words, maxsplit=1, flags=re.IGNORECASE)
    faster_ms = None
    if after:
        found = _FASTER.fullmatch(after[0].lower())
        faster_ms = float(found[1]) * (1_000 if found[2] == "s" else 1) if found else 0.0
        if not 0 < faster_ms <= FASTER_MAX_MS:
            raise ValueError("must end with a time, such as faster than 500ms")
    route = before.strip()
    if route.lower() in _ALL:
        return "", faster_ms
    if " " in route:
        raise ValueError(
            f"{safe_repr(text)} must be a route, or a route faster than 500ms, or one of the two"
        )
    return route, faster_ms


def parse_over(value: object) -> int:
    """In seconds. Raises ValueError."""
    seconds = seconds_of(short_span(str(value).strip()))
    if not OVER_MIN_S <= seconds <= OVER_MAX_S:
        raise ValueError("must be from 1d to 30d: figures are kept for a month")
    return seconds
