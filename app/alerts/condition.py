"""What a condition is: a question about an app or a route at a moment. conditions/ has one module a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from app.alerts.facts import Facts, Needs, Subject
from app.alerts.measures import Measure

Verdict = Literal["bad", "fine", "unclear"]
"""`unclear`: too few requests, or too close to the limit, to say: an alert that fires goes on, one that does
not begins to."""

Family = Literal["failures", "slowness", "traffic", "memory", "release", "intake", "tailrace"]
"""What alerts have to do with one another: see incidents.py."""

Severity = Literal["critical", "warning"]

Scope = Literal["routes", "apps", "tailrace"]
"""What it can be asked of: apps and routes; apps alone; or Tailrace itself."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to a condition."""

    verdict: Verdict
    text: str = ""
    """For people: `20.3 % of 1,240 requests failed, the limit is 2 %`. Without app and route.
    Nobody is told what is not bad, so most conditions say nothing then."""
    value: float | None = None
    """In the unit of `limit`: a share, ms, a count, a rate per minute, s of silence, times too fast."""
    limit: float | None = None
    usual: str = ""
    """What it is compared with: `0.1 % at this time yesterday`."""
    dyno: str = ""
    """The one that it is about, where it is about one."""
    action: str = ""
    """What to do about it, if the condition itself knows."""
    began_s: int | None = None
    """Since when it has been so, Unix s, where that is known to be before it could be judged as bad."""
    measure: Measure | None = None
    """The requests that it counts, where it counts some of them."""


class Condition(Protocol):
    """One condition of a rule."""

    @property
    def text(self) -> str:
        """As in the file, in its usual form."""

    @property
    def family(self) -> Family: ...

    @property
    def severity(self) -> Severity:
        """Critical: requests fail, or none arrives."""

    @property
    def scope(self) -> Scope: ...

    @property
    def needs(self) -> Needs: ...

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        """Pure. Facts that are not there make it `unclear`."""
