"""No request at all: `silence 5m`, and `silence 5m unless usual`.

The first is taken at its word, for whatever had a request before. The second is for rules that nobody wrote
for one app: there must have been so many requests before, and yesterday at this time and in the hours after
it, that none is no chance. So an app that nobody uses at night may be silent at night, and a job that runs
for an hour may end. Of an app that had no yesterday, the hour that ended two hours before stands for it,
unless every app is silent: whatever brings the lines is broken then.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import Clause, read_clause
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity, Verdict
from app.alerts.conditions.kind import Kind, refuse
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.spans import DAY_S, HOUR_S, YESTERDAY, known_days, lacks_newest
from app.alerts.wording import span_of
from app.formatting import duration, number, plural

HOUR = Stretch(HOUR_S)

HOUR_AFTER = Stretch(DAY_S - HOUR_S, DAY_S - 2 * HOUR_S)
"""Yesterday, from an hour after this time of day on: whether there are any requests then."""

HOUR_BEFORE = Stretch(3 * HOUR_S, 2 * HOUR_S)
"""For an app that had no yesterday: whether it is more than a job that runs for an hour."""

EXPECTED_MIN = 40
"""So many requests must be missing, by the time before and by yesterday. Of requests that come independently,
15 would do; but their rate itself swings, and traffic that is a third of the usual is no silence."""
EXPECTED_MIN_ALONE = 60
"""The same where nothing is known of yesterday."""

TOLD_WITHIN_S = 1_800
"""After a longer silence, too little is left of the hour before to say how many requests it had. What fires
by then goes on."""

SILENT_MIN_S, SILENT_MAX_S = 60, DAY_S
FINE_S = 10
"""The finest windows: the last request came within so many seconds after last_s."""

EXAMPLE = "silence 5m"


@dataclass(frozen=True, slots=True)
class Silence:
    """`silence 5m`."""

    for_s: int
    unless_usual: bool = False

    scope: Scope = "routes"
    family: Family = "traffic"
    severity: Severity = "critical"

    @property
    def text(self) -> str:
        return f"silence {span_of(self.for_s)}{' unless usual' if self.unless_usual else ''}"

    @property
    def needs(self) -> Needs:
        before = {HOUR, HOUR_BEFORE, HOUR_AFTER, YESTERDAY} if self.unless_usual else {self._before}
        return Needs(frozenset({Stretch(self.for_s), *before}))

    @property
    def _before(self) -> Stretch:
        """The hour before a silence that has just become long enough."""
        return Stretch(self.for_s + HOUR_S, self.for_s)

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        requests = facts.sums(subject, Stretch(self.for_s)).requests
        if requests:
            said = f"{plural(requests, 'request')} in the last {duration(self.for_s)}"
            return self._judgement("fine", said, 0)
        if subject.app not in facts.first_s:
            if subject.app not in facts.last_s:
                return self._judgement("fine", "there never was a request", 0)
            return self._judgement("unclear", "no request of it is kept any more", 0)
        silent_s = self._silent_s(facts, subject)
        if lacks_newest(facts):
            return self._judgement("unclear", f"figures are {duration(facts.lag_s)} behind", silent_s)
        if not self.unless_usual:
            if not self._had_one(facts, subject):
                return self._judgement("unclear", "its first request came after that", 0)
            return self._judgement("bad", f"no request for {duration(silent_s)}", silent_s, facts.at_s)
        return self._unless_usual(facts, subject, silent_s)

    def _unless_usual(self, facts: Facts, subject: Subject, silent_s: int) -> Judgement:
        if silent_s >= DAY_S:
            return self._judgement("fine", "no request for a day: it is taken to be gone", silent_s)
        if silent_s > TOLD_WITHIN_S:
            return self._judgement("unclear", f"no request for {duration(silent_s)}", silent_s)
        expected = facts.sums(subject, HOUR).requests / (HOUR_S - silent_s) * silent_s
        least = EXPECTED_MIN_ALONE
        if days := known_days(facts, subject, "yesterday"):
            sums, seconds = days[0]
            after = facts.sums(subject, HOUR_AFTER).requests / HOUR_S
            expected = min(expected, sums.requests / seconds * silent_s, after * silent_s)
            least = EXPECTED_MIN
        elif not self._is_all_silent(facts):
            expected = min(expected, facts.sums(subject, HOUR_BEFORE).requests / HOUR_S * silent_s)
        said = f"no request for {duration(silent_s)}"
        if expected < least:
            return self._judgement("unclear", f"{said}, which is not unusual", silent_s)
        usual = f"{said}, where {number(round(expected))} are usual"
        return self._judgement("bad", usual, silent_s, facts.at_s)

    def _had_one(self, facts: Facts, subject: Subject) -> bool:
        """Whether there was a request before: what has just begun is known already, though its first requests
        are newer than the moment."""
        last_s = None if subject.digest else facts.last_s.get(subject.app)
        if last_s is None:
            return facts.sums(subject, self._before).requests > 0
        return last_s < facts.at_s - self.for_s

    def _is_all_silent(self, facts: Facts) -> bool:
        """Whether no app had a request for so long."""
        newest_s = max(facts.last_s.values(), default=facts.at_s)
        unnamed = facts.app_sums("", Stretch(self.for_s)).requests
        return not unnamed and facts.at_s - newest_s - FINE_S >= self.for_s

    def _silent_s(self, facts: Facts, subject: Subject) -> int:
        """At least: of a route it is not known for how long."""
        last_s = facts.last_s.get(subject.app)
        if subject.digest or last_s is None:
            return self.for_s
        return max(self.for_s, facts.at_s - last_s - FINE_S)

    def _judgement(self, verdict: Verdict, text: str, silent_s: int, at_s: int | None = None) -> Judgement:
        """`at_s`: the moment, where it is bad: the silence began before it."""
        began_s = None if at_s is None else at_s - silent_s
        return Judgement(verdict, text, value=float(silent_s), limit=float(self.for_s), began_s=began_s)


def _parse(clause: Clause) -> Condition:
    words = list(clause.words[1:])
    unless_usual = words[-2:] == ["unless", "usual"]
    if unless_usual:
        words = words[:-2]
    if words[:1] in (["for"], ["of"]):
        words = words[1:]
    if clause.operator == "<":
        raise refuse(clause, f"write it like {EXAMPLE}")
    if clause.operator and not words:
        given = clause
    elif not clause.operator and words:
        try:
            given = read_clause(f"silence > {' '.join(words)}")
        except ValueError:
            raise refuse(clause, f"write it like {EXAMPLE} or {EXAMPLE} unless usual") from None
    else:
        raise refuse(clause, f"say for how long: {EXAMPLE}")
    length_s = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}.get(given.unit)
    seconds = given.value * (length_s or 0)
    if length_s is None or seconds % 10:
        raise refuse(clause, f"say for how long, in s (by tens), m or h: {EXAMPLE}")
    if not SILENT_MIN_S <= seconds <= SILENT_MAX_S:
        raise refuse(clause, "a silence lasts from 1m to 24h")
    if unless_usual and seconds > TOLD_WITHIN_S:
        raise refuse(clause, "what is usual is known for up to 30m")
    return Silence(int(seconds), unless_usual)


KIND = Kind(("silence", "silent"), ("silence 5m", "silence 5m unless usual"), _parse)
