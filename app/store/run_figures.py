"""What a replay counts, of a whole run and by route. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from app.sketch import bucket
from app.store.body_figures import BodyFigures


@dataclass(slots=True)
class RouteFigures:
    """One route of a run. `statuses`: (original, replayed) -> count, with 0 for an original that is unknown,
    or cannot be compared and did not fail; sketches: bucket -> count."""

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[int, int]] = field(default_factory=Counter)
    original: Counter[int] = field(default_factory=Counter)
    replayed: Counter[int] = field(default_factory=Counter)
    """Service times: from sent to answered."""
    response: Counter[int] = field(default_factory=Counter)
    """Response times: from due to answered, of every request that was answered or timed out."""
    bodies: BodyFigures = field(default_factory=BodyFigures)

    def add(
        self,
        kind: str,
        status: int,
        latency_ms: float,
        original_status: int,
        original_ms: float | None,
        response_ms: float | None = None,
        *,
        is_comparable: bool = True,
        had_failed: bool = False,
    ) -> None:
        """Notes one request. Statuses count where there is an answer to compare, latencies where it has an
        end. `is_comparable`: the original can be compared with an answer. `had_failed`: it was an error."""
        self.sent += 1
        self.kinds[kind] += 1
        if response_ms is not None:
            self.response[bucket(response_ms)] += 1
        if kind in ("answered", "stream"):
            if is_comparable:
                self.statuses[original_status, status] += 1
            elif not had_failed:
                # No change of status, but a 5xx is an error that the original was not.
                self.statuses[0, status] += 1
        if kind == "answered":
            self.replayed[bucket(latency_ms)] += 1
            if is_comparable and original_ms is not None:
                self.original[bucket(original_ms)] += 1

    @property
    def answered(self) -> int:
        """Requests that were answered; an answer without an end is one."""
        return self.kinds["answered"] + self.kinds["stream"]

    @property
    def errors(self) -> int:
        """Requests that were not answered, or with a 5xx where the original had none."""
        new = sum(count for (before, after), count in self.statuses.items() if after >= 500 > before)
        return self.sent - self.answered + new

    def merge(self, other: RouteFigures) -> None:
        """Adds what another has counted."""
        self.sent += other.sent
        self.kinds.update(other.kinds)
        self.statuses.update(other.statuses)
        self.original.update(other.original)
        self.replayed.update(other.replayed)
        self.response.update(other.response)
        self.bodies.merge(other.bodies)


@dataclass(slots=True)
class RunFigures:
    """A run, or what was added to it since the last flush."""

    routes: dict[str, RouteFigures] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    late_ms: Counter[int] = field(default_factory=Counter)
    """Sketch of (sent - due) in ms."""
    reencoded: int = 0
    """Of the sent ones, those whose path or query was percent-encoded again."""
    uncomparable: Counter[str] = field(default_factory=Counter)
    """Why an original cannot be compared -> requests that were sent and answered."""
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(reason, route) -> requests of a window that were not sent. The reason is as in `skipped`, but with
    the method: `method POST`. Bounded by whoever counts; not kept of the live run."""

    def of(self, route: str) -> RouteFigures:
        return self.routes.setdefault(route, RouteFigures())

    def merge(self, other: RunFigures) -> None:
        """Adds what another has counted."""
        for route, figures in other.routes.items():
            self.of(route).merge(figures)
        self.skipped.update(other.skipped)
        self.late_ms.update(other.late_ms)
        self.reencoded += other.reencoded
        self.uncomparable.update(other.uncomparable)
        self.left_out.update(other.left_out)

    def total(self) -> RouteFigures:
        """All routes together."""
        total = RouteFigures()
        for figures in self.routes.values():
            total.merge(figures)
        total.bodies = BodyFigures()
        for figures in self.routes.values():
            total.bodies.add_route(figures.bodies)
        return total

    @property
    def sent(self) -> int:
        return sum(route.sent for route in self.routes.values())
