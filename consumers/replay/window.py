"""Replays a window of the kept log: to one target, or to two that are compared with each other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from app.log import History
from app.message import RouterMessage
from app.router_line import RouterLine
from app.store.run_figures import RunFigures
from app.store.run_result import Coverage, Pace, TimePoint
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.choice.first_look import FirstLook, look_at
from consumers.replay.choice.policy import prepare
from consumers.replay.load.forecast import (
    COUNT_FOR_RATE_S,
    COUNT_S,
    NO_FORECAST,
    Forecast,
    forecast_window,
)
from consumers.replay.load.schedule import Schedule
from consumers.replay.pairs import Pairs
from consumers.replay.plan import DryRun, Progress, ReplayPlan
from consumers.replay.request import Job, Request, request_of
from consumers.replay.resume import ResumePoint, earliest_from_each
from consumers.replay.run_senders import WAIT_S, RunSenders
from consumers.replay.sending.pace_kept import pace_of
from consumers.replay.sending.senders import Senders
from consumers.replay.stats import ReplayStats

LAST_S = 5.0
"""How long after `--for` or `--stages` a run waits for what was due before."""


class _TimeIsUp(Exception):
    """The run's time is over, and what was still to be sent has had LAST_S."""


class WindowReplay:
    """One replay of a window. `run` does it; the figures are complete even if it is interrupted."""

    def __init__(
        self,
        plan: ReplayPlan,
        route_of: Callable[[RouterLine], str],
        is_connection: Callable[[RouterLine], bool],
    ) -> None:
        self.plan = plan
        self._route_of = route_of
        self._is_connection = is_connection
        self._forecast: Forecast | None = None
        self._stats = ReplayStats()
        self._resume = ResumePoint(plan.from_ms)
        self._of_other_apps = 0
        self._senders: RunSenders | None = None
        self._done_before: frozenset[str] = frozenset()
        """Messages that an earlier part of this run has dealt with."""
        self.missing_ms = 0
        """How much of the window's time the log does not have."""
        self.was_overtaken = False
        """The log has dropped requests of the window before they were read."""
        self._not_sent = 0
        """Requests that were never to be sent."""
        self._is_over = False

    def forecast(self, history: History, count_s: float | None = None) -> Forecast:
        """What one pass of the window will send: counted as far as `count_s` goes, the rest estimated. Raises
        LogUnavailable, and as `prepare` does."""
        plan = self.plan
        if count_s is None:
            count_s = COUNT_FOR_RATE_S if plan.load.has_rate else COUNT_S
        self._forecast = forecast_window(history, plan.from_ms, plan.until_ms, self._sent_at_ms, count_s)
        return self._forecast

    def _sent_at_ms(self, message: RouterMessage) -> int | None:
        """When the message's request was logged; None where it is not sent."""
        if self.plan.app and message["app"] != self.plan.app:
            return None
        request = self._request_of(message)
        is_sent = request is not None and isinstance(
            prepare(request, self.plan.target, self.plan.policy), Job
        )
        return request.at_ms if request is not None and is_sent else None

    def dry_run(self, history: History, on_progress: Callable[[Progress], None]) -> DryRun:
        """Counts what would be sent, and what would not. Sends nothing."""
        found = DryRun()
        for done, request in enumerate(self._requests(history), 1):
            job = prepare(request, self.plan.target, self.plan.policy)
            is_sent = isinstance(job, Job)
            found.counts[request.route, "sent" if is_sent else str(job)] += 1
            found.reencoded += is_sent and request.is_reencoded
            on_progress(Progress(done + self._of_other_apps, request.at_ms))
        for reason, count in self._stats.take().skipped.items():
            found.counts["", reason] += count
        return found

    def run(self, history: History, on_progress: Callable[[Progress], None]) -> None:
        """Sends all of it, or what its load has time for. Raises TargetDown, SameHost, LogUnavailable and
        KeyboardInterrupt: what was done until then is in the figures, and `resume_ms` says where to
        continue."""
        if self._forecast is None and self.plan.load.has_rate:
            self.forecast(history)
        schedule = Schedule(self.plan.load, self._forecast or NO_FORECAST)
        senders = self._senders = RunSenders(self.plan, self._stats, self._skip_unsent)

        def check() -> None:
            senders.check()
            on_progress(self._progress())
            if time.monotonic() > schedule.ends_at_s + LAST_S:
                raise _TimeIsUp

        try:
            for request in self._passes(history, schedule):
                if not self._submit(request, senders.of_targets, schedule, check):
                    break
                check()
            senders.drain(check)
            check()
        except _TimeIsUp:
            self._is_over = True
        finally:
            senders.close()

    @property
    def resume_ms(self) -> int:
        """Where to continue after an interruption (when lines were received, Unix ms)."""
        return self._resume.time_ms

    @property
    def to_send(self) -> Counter[tuple[str, str]]:
        """(reason, route) -> requests that count as skipped, and that the resumed replay sends."""
        return self._resume.to_send

    @property
    def done_ids(self) -> list[str]:
        """Messages that were received after `resume_ms`, and that the resumed replay need not send."""
        return [*self._done_before, *self._resume.done_ids]

    def go_on(self, pairs: Pairs, done_ids: Iterable[str]) -> None:
        """Goes on with the pairs of an earlier part of this run, without the messages it dealt with."""
        self._stats.pairs = pairs
        self._done_before = frozenset(done_ids)

    def take_figures(self) -> RunFigures:
        """What was counted since the last call."""
        return self._stats.take()

    def coverage(self, figures: RunFigures) -> Coverage:
        """How much of what was asked was sent, of a run with these figures."""
        plan = self.plan
        return coverage_of(
            figures,
            of_other_apps=self._of_other_apps,
            window_s=(plan.until_ms - plan.from_ms) / 1000,
            missing_s=self.missing_ms / 1000,
            was_overtaken=self.was_overtaken,
        )

    def first_look(self, history: History) -> FirstLook:
        """What the window begins with, up to the first request that would be sent. Sends nothing. Raises
        SameHost and LogUnavailable."""
        plan = self.plan
        chunks = history.read(plan.from_ms, plan.until_ms)
        return look_at(chunks, self._request_of, plan.app, plan.targets, plan.policy)

    @property
    def pairs(self) -> Pairs:
        """The times of single requests, before and after."""
        return self._stats.pairs

    def pace(self) -> Pace:
        """How fast it went, and whose fault it is if that was slower than asked."""
        return pace_of(self.plan.asked, []) if self._senders is None else self._senders.pace()

    def timeline(self) -> list[TimePoint]:
        """The run in steps of equal length, at most 300: what the target was sent."""
        return [] if self._senders is None else self._senders.timeline()

    def _passes(self, history: History, schedule: Schedule) -> Iterator[Request]:
        """The window's requests, again and again where the load says so."""
        begin = partial(schedule.refine, history, self.plan.from_ms)
        yield from self._requests(history, begin)
        while self.plan.load.is_looped and schedule.begin_pass():
            yield from self._requests(history, begin)

    def _requests(
        self, history: History, begin: Callable[[Sequence[RouterMessage]], None] = lambda chunk: None
    ) -> Iterator[Request]:
        """The window's requests, each chunk of the log in order of time. Calls `begin` with each chunk."""
        for chunk in history.read(self.plan.from_ms, self.plan.until_ms):
            begin(chunk)
            requests = sorted(self._requests_of(chunk), key=lambda request: request.at_ms)
            received_ms = [request.received_ms for request in requests]
            # The log is read in order of reception, and the requests are sent in order of their own
            # time: any of those that are left in the chunk may have been received first.
            for request, unread_ms in zip(requests, earliest_from_each(received_ms), strict=True):
                self._resume.unread(unread_ms)
                yield request
                self._resume.taken(request.received_ms, request.message_id)
            if received_ms:
                self._resume.unread(max(received_ms))

    def _requests_of(self, chunk: Sequence[RouterMessage]) -> Iterator[Request]:
        for message in chunk:
            if message["id"] in self._done_before:
                continue
            if self.plan.app and message["app"] != self.plan.app:
                self._of_other_apps += 1
                self._resume.taken(message["received_at"], message["id"])
                continue
            request = self._request_of(message)
            if request is None:
                self._skip_unasked(None, "no-path")
                self._resume.taken(message["received_at"], message["id"])
            else:
                yield request

    def _request_of(self, message: RouterMessage) -> Request | None:
        return request_of(message, self._route_of, self._is_connection)

    def _submit(
        self, request: Request, all_senders: list[Senders], schedule: Schedule, check: Callable[[], None]
    ) -> bool:
        """Gives the request to each target's senders at its time, or counts why it is not sent; False once
        the time is up. Calls `check` while it waits."""
        jobs = []
        for senders in all_senders:
            job = prepare(request, senders.target, self.plan.policy)
            if isinstance(job, str):
                # It holds for every target, because the reason never depends on the target.
                self._skip_unasked(request, job)
                return True
            jobs.append(job)
        due_s = schedule.due_s(request.at_ms)
        if due_s is None:
            return False
        for senders, job in zip(all_senders, jobs, strict=True):
            try:
                while not senders.submit(job, due_s, WAIT_S):
                    check()
            except _TimeIsUp:
                if senders is all_senders[0]:
                    self._skip_unsent(request, "late")
                raise
        return True

    def _skip_unasked(self, request: Request | None, reason: str) -> None:
        """Counts a request that was never to be sent."""
        self._not_sent += 1
        self._stats.skipped(request, reason)

    def _skip_unsent(self, request: Request, reason: str) -> None:
        """Counts a request that has to be sent when this replay is resumed. It is late where the run's time
        is up."""
        if self._is_over and reason == "stopped":
            reason = "late"
        self._resume.unsent(request.received_ms, request.message_id, reason, request.route)
        self._stats.skipped(request, reason)

    def _progress(self) -> Progress:
        """What was sent, or could not be; what waits for its time is not done yet."""
        return Progress(self._stats.handled - self._not_sent, self._stats.at_ms)
