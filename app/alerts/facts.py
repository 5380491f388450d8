"""What a moment is judged by: figures of apps and routes over some stretches before it, and what the platform
and Tailrace itself say. `redis/facts.py` reads it; the simulation and the tests make it up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, cast

from app.store.keys import ALL_ROUTES, WINDOWS
from app.store.sums import Sums

if TYPE_CHECKING:
    from app.comparison.result import Comparison
    from app.platform.release import Release
    from app.store.queries.alert import Alert

Worked = TypeVar("Worked")

FINE_S, MINUTE_S, HOUR_S = (length_s for length_s, _ in WINDOWS)

Row = tuple[str, str]
"""(app, digest of the route); keys.ALL_ROUTES as digest: all routes of the app together. The app "" stands
for requests without an app's name."""

Kind = Literal["dynos", "releases", "comparisons"]
"""What is read only if a rule asks for it, besides figures of requests."""


class Stretch(NamedTuple):
    """Seconds before the moment, multiples of 10: (300, 0) is the last five minutes, (86_700, 86_400) the
    same a day ago. Of what is over an hour ago, whole minutes are read, of what is over a day ago, whole
    hours."""

    from_s: int
    to_s: int = 0

    def span(self, at_s: int, behind_s: int = 0) -> tuple[int, int] | None:
        """(begin, end) of what is read for it at the moment `at_s`, all Unix s. Whole minutes or hours are
        the nearest: a stretch of three hours is read as three hours, one of less than an hour as the hour
        that its middle lies in. `behind_s`: how long ago that moment is; where only minutes are kept of it
        any more, half a minute is read as one. None: only hours are kept of it, and the stretch is
        shorter."""
        begin_s, end_s = at_s - self.from_s, at_s - self.to_s
        usual_s, grain_s = grain(self.from_s), grain(self.from_s + behind_s)
        if grain_s > max(usual_s, MINUTE_S) and end_s - begin_s < grain_s:
            return None
        end_grain_s = grain(self.to_s + behind_s)
        begin_s, end_s = _nearest(begin_s, grain_s), _nearest(end_s, end_grain_s)
        if end_s > at_s:
            end_s -= end_grain_s
            begin_s -= grain_s if grain_s == end_grain_s else 0
        if end_s - begin_s >= grain_s:
            return begin_s, end_s
        middle_s = at_s - (self.from_s + self.to_s) // 2
        begin_s = min(middle_s, at_s - grain_s) // grain_s * grain_s
        return begin_s, begin_s + grain_s


def grain(age_s: int) -> int:
    """The length in seconds of the windows that are read of what is so old: those that are surely complete.
    (app/store/keys.py says how long each is kept.)"""
    return next((length_s for length_s, until_s in READ_UNTIL_S if age_s <= until_s), HOUR_S)


READ_UNTIL_S = ((FINE_S, 3_300), (MINUTE_S, 82_800))
"""(Length of windows, how old they are at most when they are read), in seconds."""


def _nearest(at_s: int, grain_s: int) -> int:
    return (at_s + grain_s // 2) // grain_s * grain_s


@dataclass(frozen=True, slots=True)
class Needs:
    """What a condition must know."""

    stretches: frozenset[Stretch] = frozenset()
    """Of the rows that it is asked of."""
    app_stretches: frozenset[Stretch] = frozenset()
    """Of all routes of the app together, whatever it is asked of."""
    kinds: frozenset[Kind] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.stretches | other.stretches,
            self.app_stretches | other.app_stretches,
            self.kinds | other.kinds,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition is asked of: an app, one of its routes, or with `part` a piece of Tailrace itself."""

    app: str = ""
    route: str = ""
    digest: str = ""
    """Of the route; empty: all routes of the app together."""
    part: str = ""
    """The code of one of Tailrace's own alerts (app/store/queries/alert.py)."""


@dataclass(frozen=True, slots=True)
class DynoFacts:
    """What the platform said of a dyno."""

    name: str
    memory_share: float | None
    """Of its quota, the average of the last five minutes; None: not known."""
    events: Mapping[str, int] = field(default_factory=dict)
    """`R14`, `R15`, `crashed`, ... -> how often in the last ten minutes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything of one moment. What is not there is not known."""

    at_s: int
    """The moment, Unix s, a multiple of 10: lines up to here should be counted."""
    incomplete: str = ""
    """Why figures of this moment cannot be trusted: `metrics is 42 s behind`; empty: they can."""
    lag_s: int = 0
    """How far figures are behind the moment: without `incomplete`, some seconds at most."""
    is_past: bool = False
    """Whether it is a moment before the newest: what the platform and Tailrace itself say of it is not
    known."""
    rows: Mapping[Row, Mapping[Stretch, Sums]] = field(default_factory=dict)
    """The stretches that were asked for; a row without a request in any of them may be left out."""
    routes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """App -> digest -> route, of those that are judged one by one."""
    apps: tuple[str, ...] = ()
    """All that there are; "" among them if there are requests without a name."""
    first_s: Mapping[str, int] = field(default_factory=dict)
    """App -> when its first request came that is kept, Unix s, to the hour."""
    last_s: Mapping[str, int] = field(default_factory=dict)
    """App -> when the newest ten seconds with a request began, Unix s."""
    dynos: Mapping[str, tuple[DynoFacts, ...]] = field(default_factory=dict)
    """App -> its running dynos."""
    releases: Mapping[str, Release] = field(default_factory=dict)
    """App -> its latest release."""
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    """App -> its latest release against the time before, where one came within the last hour."""
    health: tuple[Alert, ...] = ()
    """What is wrong with Tailrace itself."""

    _known: dict[Hashable, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: Hashable, work: Callable[[], Worked]) -> Worked:
        """What `work` finds, which rests on these facts and the key alone: a hundred rules do it once."""
        if key not in self._known:
            self._known[key] = work()
        return cast("Worked", self._known[key])

    def sums(self, subject: Subject, stretch: Stretch) -> Sums:
        """Of the subject's row; nothing counted where nothing is known."""
        return self.rows.get((subject.app, subject.digest or ALL_ROUTES), {}).get(stretch) or Sums()

    def app_sums(self, app: str, stretch: Stretch) -> Sums:
        """Of all routes of the app together."""
        return self.sums(Subject(app), stretch)
