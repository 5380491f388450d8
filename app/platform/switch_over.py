"""When the dynos of a release are up and the old ones are gone, from the events of the dynos. Pure.

Seen, without preboot: `State changed from up to starting`, the old process exits, `State changed from
starting to up`. With preboot (devcenter.heroku.com, preboot) the new dynos are up first, and the old ones get
the requests for about three minutes more: their exit comes last, under the same names. In Private Spaces a
quarter of the dynos is replaced at a time (rolling-deploys). Guessed: on Fir the new dynos have new names,
and the old ones go from up to down.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.platform.dyno_sentences import old_state
from app.platform.dynos import is_one_off, process_type
from app.platform.facts import Event

BEGINS_MS = 5 * 60_000
"""A switch-over begins within this time of its release."""

QUIET_MS = 60_000
"""It has ended if no dyno is on its way and none has begun for so long."""

TAKES_MS = 30 * 60_000
"""It ends within this time, whatever the dynos do."""

LOST_MS = 10 * 60_000
"""What was not said of a dyno for so long (that it is up, that the old process has exited) was lost: dynos
have 3 minutes to boot at most, and with preboot the old ones stop 3 minutes later."""

_BOOTING = frozenset({"created", "provisioning", "starting"})
_GONE = frozenset({"down", "complete"})


class DynoEvents:
    """The state changes and exits of an app's lasting dynos, in the order of their time."""

    def __init__(self, events: Sequence[Event]) -> None:
        """`events`: all of the app, by time."""
        found = [event for event in events if event.kind in ("state", "exit") and _is_lasting(event.dyno)]
        self._web = _Track([event for event in found if process_type(event.dyno) == "web"])
        self._others = _Track([event for event in found if process_type(event.dyno) != "web"])
        self._latest_ms = events[-1].at_ms if events else 0

    def up_ms(self, from_ms: int, until_ms: int | None) -> int | None:
        """When all was switched over after a release at `from_ms`, before the next one at `until_ms`; None:
        no message says it, or not yet. Of the web dynos, whose requests are compared; of all others in an
        app that has none."""
        known_ms = self._latest_ms if until_ms is None else min(until_ms, self._latest_ms)
        if self._web.has_any(from_ms, known_ms):
            return self._web.up_ms(from_ms, until_ms, known_ms)
        return self._others.up_ms(from_ms, until_ms, known_ms)


def _is_lasting(dyno: str) -> bool:
    return not is_one_off(dyno)


@dataclass(slots=True)
class _Dyno:
    """What one dyno did first after a release."""

    begun_ms: int
    up_ms: int | None = None
    crashed_ms: int | None = None
    gone_ms: int | None = None
    exit_ms: int | None = None
    must_exit: bool = False
    """Whether an old process ran, and has to exit."""

    def settled_ms(self) -> int | None:
        """When it was up or gone for good, with no old process left; None: it is on its way."""
        end_ms = self.up_ms or self.gone_ms or self.crashed_ms or (None if self.must_exit else self.exit_ms)
        if end_ms is None or (self.must_exit and self.exit_ms is None):
            return None
        return max(end_ms, self.exit_ms or 0)


class _Track:
    """Events of some dynos, by time."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._times = [event.at_ms for event in events]

    def has_any(self, from_ms: int, until_ms: int) -> bool:
        at = bisect_left(self._times, from_ms)
        return at < len(self._times) and self._times[at] <= min(until_ms, from_ms + BEGINS_MS)

    def up_ms(self, from_ms: int, until_ms: int | None, known_ms: int) -> int | None:
        dynos: dict[str, _Dyno] = {}
        open_dynos: set[str] = set()
        quiet_from_ms, wait_ms = from_ms, BEGINS_MS
        for place in range(bisect_left(self._times, from_ms), len(self._events)):
            event = self._events[place]
            at_ms = event.at_ms
            is_over = not open_dynos and at_ms - quiet_from_ms > wait_ms
            if is_over or at_ms - from_ms > TAKES_MS or (until_ms is not None and at_ms >= until_ms):
                break
            dyno = dynos.get(event.dyno)
            if dyno is None:
                dyno = dynos[event.dyno] = _Dyno(at_ms)
            elif event.dyno not in open_dynos and dyno.up_ms:
                continue  # It is up; whatever it does later is another story.
            _STEPS[event.kind](dyno, event)
            if dyno.settled_ms() is None:
                open_dynos.add(event.dyno)
            else:
                open_dynos.discard(event.dyno)
            quiet_from_ms, wait_ms = at_ms, QUIET_MS
        if not any(dyno.up_ms for dyno in dynos.values()):
            return None
        ends = [_end_ms(dyno, known_ms) for dyno in dynos.values()]
        return None if None in ends else max(end for end in ends if end is not None)


def _end_ms(dyno: _Dyno, known_ms: int) -> int | None:
    """When the dyno was settled, or last heard of if it has been silent for long; None: not yet."""
    settled_ms = dyno.settled_ms()
    if settled_ms is not None:
        return settled_ms
    said_ms = dyno.up_ms or dyno.gone_ms or dyno.crashed_ms or dyno.begun_ms
    return said_ms if known_ms - said_ms > LOST_MS else None


def _state(dyno: _Dyno, event: Event) -> None:
    if event.state in _BOOTING:
        dyno.must_exit = dyno.must_exit or old_state(event) == "up"
        dyno.crashed_ms = dyno.gone_ms = None
    elif event.state == "up":
        dyno.up_ms = dyno.up_ms or event.at_ms
    elif event.state in _GONE:
        dyno.gone_ms = event.at_ms
        dyno.must_exit = dyno.must_exit or old_state(event) == "up"
    else:
        dyno.crashed_ms = event.at_ms


def _exit(dyno: _Dyno, event: Event) -> None:
    dyno.exit_ms = dyno.exit_ms or event.at_ms


_STEPS: dict[str, Callable[[_Dyno, Event], None]] = {"state": _state, "exit": _exit}
