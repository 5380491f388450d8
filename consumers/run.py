"""The main of every background process: settings, logging, the guard, the loop, and the exit code.

A package `consumers/NAME` has a `__main__.py` that says what its process does, and one of these runs it:
`run_group` for a consumer group of the message log, `run_periodic` for what reads no log.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import redis

from app.errors import TailraceError
from app.escaping import lines_for_terminal
from app.groups import Group
from app.log import READ_TIMEOUT_S, Batch, open_log
from app.logging_setup import start_logging
from app.redis_client import connect
from app.settings import Settings
from consumers.current_message import CurrentMessage, Cursor
from consumers.guard import run_guarded
from consumers.periodic import Periodic, Step
from consumers.stop import stop_on_signals
from consumers.worker import Worker

BAD_SETTINGS = 2


def _do_nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Work:
    """What a consumer group does with its messages, ready for one process; see Worker for the calls."""

    handle: Callable[[Batch, Callable[[], None]], None]
    max_messages: int
    """Upper limit for one batch."""
    idle: Callable[[], None] = _do_nothing
    """After every poll."""
    finish: Callable[[], None] = _do_nothing
    """Once, at the end, whatever ends it."""


Prepare = Callable[[Settings, redis.Redis, Event, Cursor], Work]
"""Takes settings, Redis, the stop event, and the cursor for the current message. Raises TailraceError if the
process cannot start."""


def run_group(group: Group, prepare: Prepare, environ: Mapping[str, str]) -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""

    def work(settings: Settings, current_message: CurrentMessage) -> None:
        reading = group.reading
        if reading is None:
            raise TailraceError(f"{group.name} reads no log: run_periodic is for that")
        store = connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)
        stop = stop_on_signals()
        group_work = prepare(settings, store, stop, current_message.cursor)
        worker = Worker(
            group=group.name,
            open_reader=lambda: open_log(settings).reader(
                group.name,
                reading.start,
                rewind_to_store=reading.rewind_to_store,
                reads_platform=reading.platform,
            ),
            handle=group_work.handle,
            store=store,
            stop=stop,
            max_messages=group_work.max_messages,
            idle=group_work.idle,
            current_message=current_message,
        )
        try:
            worker.run()
        finally:
            group_work.finish()

    def start(settings: Settings) -> int:
        # Nothing is connected yet: the guard forks.
        return run_guarded(lambda current_message: _exit_code(lambda: work(settings, current_message)))

    return _with_settings(group, environ, start)


def run_periodic(
    group: Group,
    prepare: Callable[[Settings, redis.Redis, Event], Step],
    every_s: float,
    environ: Mapping[str, str],
) -> int:
    """A process that reads no log: one step every `every_s` seconds (periodic.py). Exit code: 0 when told
    to stop, 2 for bad settings."""

    def work(settings: Settings) -> None:
        store = connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)
        stop = stop_on_signals()
        step = prepare(settings, store, stop)
        Periodic(group=group.name, step=step, every_s=every_s, store=store, stop=stop).run()

    return _with_settings(group, environ, lambda settings: _exit_code(lambda: work(settings)))


def _with_settings(group: Group, environ: Mapping[str, str], start: Callable[[Settings], int]) -> int:
    try:
        settings = Settings.load(environ)
    except TailraceError as fault:
        return _report_fault(fault)
    start_logging(settings.dyno or group.name)
    return start(settings)


def _exit_code(work: Callable[[], None]) -> int:
    try:
        work()
    except TailraceError as fault:
        return _report_fault(fault)
    return 0


def _report_fault(fault: TailraceError) -> int:
    print(lines_for_terminal(str(fault)), file=sys.stderr)
    return BAD_SETTINGS
