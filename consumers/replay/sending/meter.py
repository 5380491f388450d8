"""What the senders of one target have kept to: lateness and its causes, service times by load, and the run
in steps. Bounded, however long a run is.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from math import log

from app.sketch import bucket
from app.store.run_result import TimePoint
from consumers.replay.request import Job, Outcome
from consumers.replay.sending.due_queue import Entry

STEPS_MAX = 300
STEP_S = 0.1
"""The shortest step of a timeline."""

LEVELS = 12
"""Of requests under way: 1, 2 to 3, 4 to 7, ... 2,048 and more."""

SHORTEST_MS = 0.01
CPU_EVERY_S = 0.1
REFUSING_STATUSES = frozenset({429, 503})


@dataclass(slots=True)
class Step:
    """The requests that were sent within one step of the run."""

    sent: int = 0
    late_s: float = 0.0
    """The largest."""
    service_ms: float = 0.0
    """The sum."""
    timed: int = 0
    """Requests with a service time."""
    ended: int = 0
    """Requests of this step or an earlier one that were answered, or failed, within it."""

    def merge(self, other: Step) -> None:
        self.sent += other.sent
        self.late_s = max(self.late_s, other.late_s)
        self.service_ms += other.service_ms
        self.timed += other.timed
        self.ended += other.ended


@dataclass(slots=True)
class Times:
    """Service times: enough for their mean and their geometric mean, which a few slow ones do not move."""

    count: int = 0
    sum_ms: float = 0.0
    sum_log: float = 0.0

    def merge(self, other: Times) -> None:
        self.count += other.count
        self.sum_ms += other.sum_ms
        self.sum_log += other.sum_log

    @property
    def mean_ms(self) -> float:
        return self.sum_ms / self.count if self.count else 0.0

    @property
    def typical_ms(self) -> float:
        return math.exp(self.sum_log / self.count) if self.count else 0.0


@dataclass(slots=True)
class Lateness:
    """Where the time between due and sent went, summed over the requests, s."""

    reader_s: float = 0.0
    """They were read late from the log, although senders were free."""
    busy_s: float = 0.0
    """They waited for a free sender."""
    machine_s: float = 0.0
    """A sender was free, but did not run in time."""


@dataclass(slots=True)
class PaceMeter:
    """Thread-safe. All times are monotonic, s."""

    sent: int = 0
    first_due_s: float = math.inf
    last_due_s: float = -math.inf
    last_sent_s: float = -math.inf
    last_end_s: float = -math.inf
    late_ms: Counter[int] = field(default_factory=Counter)
    """A sketch."""
    late_max_s: float = 0.0
    lateness: Lateness = field(default_factory=Lateness)
    refused: int = 0
    """Requests that were refused, reset, or answered with one of REFUSING_STATUSES."""
    timed_out: int = 0
    by_level: list[Times] = field(default_factory=lambda: [Times() for _ in range(LEVELS)])
    """Service times by the number of requests under way, a level each power of two."""
    late_wall_s: float = 0.0
    late_cpu_s: float = 0.0
    """What this process used of a core while requests were late."""
    _steps: list[Step] = field(default_factory=list)
    _step_s: float = STEP_S
    _cpu_at_s: float = -math.inf
    _cpu_s: float = 0.0
    """CPU time used until then."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_begun(self) -> bool:
        return self.first_due_s < math.inf

    def begin(self, due_s: float) -> None:
        """The first request is due at that time: where the timeline begins."""
        with self._lock:
            self.first_due_s = min(self.first_due_s, due_s)

    def note(self, entry: Entry[Job], free_s: float, sent_s: float, under_way: int, outcome: Outcome) -> None:
        """Notes a request that was sent. `free_s`: from when its sender was free; `under_way`: requests at
        once, this one too."""
        # Once for each request, so: comparisons in place of max(), and sums only of what is above 0.
        due_s, _, _, read_s, ready_s = entry
        late_s = sent_s - due_s if sent_s > due_s else 0.0
        end_s = sent_s + outcome.elapsed_ms / 1000
        kind, service_ms = outcome.kind, outcome.latency_ms
        index = bucket(late_s * 1000)
        lost = self.lateness
        with self._lock:
            self.sent += 1
            if due_s < self.first_due_s:
                self.first_due_s = due_s
            if due_s > self.last_due_s:
                self.last_due_s = due_s
            if sent_s > self.last_sent_s:
                self.last_sent_s = sent_s
            if end_s > self.last_end_s:
                self.last_end_s = end_s
            if late_s > self.late_max_s:
                self.late_max_s = late_s
            self.late_ms[index] += 1
            if read_s > due_s:
                lost.reader_s += read_s - due_s
            if free_s > ready_s:
                lost.busy_s += free_s - ready_s
                lost.machine_s += sent_s - free_s
            elif sent_s > ready_s:
                lost.machine_s += sent_s - ready_s
            self._step_at(end_s).ended += 1
            step = self._step_at(sent_s)
            step.sent += 1
            if late_s > step.late_s:
                step.late_s = late_s
            if kind in ("answered", "timeout"):
                step.service_ms += service_ms
                step.timed += 1
                level = under_way.bit_length()
                times = self.by_level[level - 1 if level < LEVELS else LEVELS - 1]
                times.count += 1
                times.sum_ms += service_ms
                times.sum_log += log(service_ms if service_ms > SHORTEST_MS else SHORTEST_MS)
            if kind in ("refused", "reset") or outcome.status in REFUSING_STATUSES:
                self.refused += 1
            elif kind == "timeout":
                self.timed_out += 1
            if end_s - self._cpu_at_s >= CPU_EVERY_S:
                self._note_cpu(end_s, is_late=late_s > STEP_S)

    def ended_by(self, since_s: float) -> int:
        """How many requests were answered, or had failed, that long after the first was due; to a step."""
        with self._lock:
            return sum(step.ended for step in self._steps[: int(since_s / self._step_s) + 1])

    def ended_after_s(self, share: float) -> float:
        """How long after the first was due that share of the requests was answered, or had failed."""
        with self._lock:
            ended = 0
            for number, step in enumerate(self._steps, 1):
                ended += step.ended
                if ended >= share * self.sent:
                    return number * self._step_s
        return 0.0

    def timeline(self) -> list[TimePoint]:
        """The run in steps of equal length, at most STEPS_MAX."""
        with self._lock:
            return [
                TimePoint(
                    at_s=round(number * self._step_s, 3),
                    sent=step.sent,
                    late_ms=round(step.late_s * 1000, 3),
                    service_ms=round(step.service_ms / step.timed, 3) if step.timed else None,
                )
                for number, step in enumerate(self._steps)
            ]

    def _step_at(self, time_s: float) -> Step:
        """The step of that time; steps double where the run is longer than all of them."""
        index = int((time_s - self.first_due_s) / self._step_s)
        if index >= len(self._steps):
            index = self._make_step(time_s)
        return self._steps[index]

    def _make_step(self, time_s: float) -> int:
        """Its index."""
        while (index := int((time_s - self.first_due_s) / self._step_s)) >= STEPS_MAX:
            for number in range(0, len(self._steps), 2):
                step = self._steps[number]
                for other in self._steps[number + 1 : number + 2]:
                    step.merge(other)
                self._steps[number // 2] = step
            del self._steps[(len(self._steps) + 1) // 2 :]
            self._step_s *= 2
        while len(self._steps) <= index:
            self._steps.append(Step())
        return index

    def _note_cpu(self, now_s: float, *, is_late: bool) -> None:
        used_s = time.process_time()
        if is_late and self._cpu_at_s > -math.inf:
            self.late_wall_s += now_s - self._cpu_at_s
            self.late_cpu_s += used_s - self._cpu_s
        self._cpu_at_s, self._cpu_s = now_s, used_s
