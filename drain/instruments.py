"""What the drain counts, as Prometheus metrics that are right across gunicorn's processes.

prometheus_client keeps each process's values in files of PROMETHEUS_MULTIPROC_DIR, which
drain/gunicorn/config.py makes before any worker starts, and adds them up when they are asked for.

It maps these files into memory, and a write to a mapped page for which the disk has no room ends
the process (SIGBUS). So their room is taken before; where there is none, this process counts alone.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MultiProcessValue, MutexValue

from app.errors import first_words
from drain.monitoring.families import intake
from drain.monitoring.family import CounterFamily

log = logging.getLogger(__name__)

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

FILE_BYTES = {"counter": 262_144, "gauge_livesum": 65_536, "histogram": 65_536}
"""prometheus_client's files of a process, one for each kind of metric below: more than they ever hold,
so that none has to grow. Counters are the most with 1,110 codes of losses, 178 KB."""


class Instruments:
    """The drain's counters; one object per app."""

    def __init__(self, shared: Path | None = None) -> None:
        """`shared`: the folder for the counts of all processes, which is PROMETHEUS_MULTIPROC_DIR, because
        prometheus_client looks there; None: this process counts alone."""
        self._shared = shared if shared is not None and _has_room(shared) else None
        if self._shared:
            # By default it asks for the process id at each count, which is a tenth of the drain's time.
            # A worker has no child that counts, so one answer is enough.
            pid = os.getpid()
            values.ValueClass = MultiProcessValue(lambda: pid)  # type: ignore[no-untyped-call]
        else:
            values.ValueClass = MutexValue
        registry = CollectorRegistry()
        self._registry = registry
        self._answers_by_status: dict[int, Counter] = {}

        def counter(family: CounterFamily) -> Counter:
            return Counter(family.name, family.help, family.labels, registry=registry)

        self.frames = counter(intake.FRAMES)
        self.answers = counter(intake.ANSWERS)
        self.messages = counter(intake.MESSAGES)
        self.router_messages = counter(intake.ROUTER_MESSAGES)
        self.platform_messages = counter(intake.PLATFORM_MESSAGES)
        self.duplicates = counter(intake.DUPLICATES)
        self.malformed = counter(intake.MALFORMED)
        self.miscounted = counter(intake.MISCOUNTED)
        self.lost = counter(intake.LOST)
        self.bytes = counter(intake.BYTES)
        gauge, append = intake.IN_FLIGHT, intake.APPEND_S
        self.in_flight = Gauge(gauge.name, gauge.help, registry=registry, multiprocess_mode="livesum")
        self.append_s = Histogram(append.name, append.help, registry=registry, buckets=BUCKETS_S)

    def count_answer(self, status: int) -> None:
        """One answer to a sender. Looking a label up costs more than the count itself."""
        known = self._answers_by_status.get(status)
        if known is None:
            known = self._answers_by_status[status] = self.answers.labels(str(status))
        known.inc()

    def text(self, others: list[Collector]) -> bytes:
        """Prometheus's text format: the drain's own figures of all processes, and `others`.

        Of this process alone where there was no room for its files.
        """
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        parts = [generate_latest(registry)]
        for other in others:
            own = CollectorRegistry()
            own.register(other)
            parts.append(generate_latest(own))
        return b"".join(parts)


def _has_room(folder: Path) -> bool:
    """Takes the room for this process's files; False, with a line in the log, where there is none.

    Zeros are what prometheus_client takes for a new file. They are written, because a file that is
    only made long has no room yet.
    """
    sizes = {folder / f"{kind}_{os.getpid()}.db": size for kind, size in FILE_BYTES.items()}
    try:
        for path, size in sizes.items():
            if not path.exists():
                path.write_bytes(bytes(size))
    except OSError as fault:
        for path in sizes:
            path.unlink(missing_ok=True)
        log.error(
            "no room for this process's metrics (%s): /metrics shows them only when this process answers. "
            "Make room in TMPDIR and restart",
            first_words(fault),
        )
        return False
    return True
