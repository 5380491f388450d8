"""The loop of a process that reads no log: a step at an interval, such as judging figures for alerts.

How to add one, say `digest` (`alerts` is one that is there):

1. `consumers/digest/__main__.py`:

       def prepare(settings: Settings, store: redis.Redis, stop: Event) -> Step:
           if not settings.digest_url:
               raise BadSettings(["DIGEST_URL is unset: ..."])

           def step(keepalive: Callable[[], None]) -> None:
               ...  # One check; whatever it needs to remember is in `store`.

           return step

       def main() -> int:
           return run_periodic(DIGEST, prepare, EVERY_S, os.environ)

2. `DIGEST = Group(name="digest", reading=None, ...)` in app/groups.py, and the Procfile, compose, systemd
   and app.json files, as for a consumer group. Health and the page then show the process by itself.

The loop takes the first step at once, and each further one `every_s` after the last began; it never takes
several at once to catch up. It reports its status every two seconds. If a step raises something that may
pass (LogUnavailable, redis.RedisError, or OSError, which includes the errors of requests), the loop retries
after a growing delay, logs that once a minute, and health shows that it waits. Any other exception is a
defect and ends the process; the platform restarts it. SIGTERM and SIGINT end the process after its step.

Each started process runs its own steps, so a step that must happen once needs a key in Redis to claim it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import redis

from app.backoff import Outage
from app.errors import LogUnavailable, first_words
from consumers.status import STATUS_EVERY_S, StatusReporter

log = logging.getLogger(__name__)

Step = Callable[[Callable[[], None]], None]
"""One step. A long one calls its argument every few seconds, to show that the process is alive."""


@dataclass(slots=True)
class Periodic:
    """The loop of one process."""

    group: str
    step: Step
    every_s: float
    store: redis.Redis
    stop: Event
    _waits: bool = False
    _status: StatusReporter = field(init=False)

    def __post_init__(self) -> None:
        self._status = StatusReporter(self.group, self.store)

    def run(self) -> None:
        """Runs until told to stop. Raises what a step raises if waiting cannot fix it."""
        outage = Outage(log, self.stop)
        due_s = time.monotonic()
        log.info("running: process=%s every_s=%g", self.group, self.every_s)
        try:
            while not self.stop.is_set():
                self._report()
                left_s = due_s - time.monotonic()
                if left_s > 0:
                    self.stop.wait(min(left_s, STATUS_EVERY_S))
                    continue
                began_s = time.monotonic()
                try:
                    self.step(self._report)
                except (LogUnavailable, redis.RedisError, OSError) as fault:
                    self._waits = True
                    outage.wait(str(fault) if isinstance(fault, LogUnavailable) else first_words(fault))
                else:
                    self._waits = False
                    outage.resolved()
                    due_s = began_s + self.every_s
        finally:
            self._status.deregister()
            log.info("stopped: process=%s", self.group)

    def _report(self) -> None:
        if not self._status.is_due():
            return
        try:
            self._status.report(waits=self._waits)
        except redis.RedisError as fault:
            log.debug("no status: %s", type(fault).__name__)
