"""`replay` of the Procfile: `python -m consumers.replay`."""

from __future__ import annotations

import logging
import os
import sys

from app.errors import BadSettings, TailraceError
from app.escaping import lines_for_terminal
from app.log import open_log
from app.logging_setup import start_logging
from app.redis_client import connect
from app.routes import route_namer
from app.settings import Settings
from consumers.guard import guarded
from consumers.hand import Hand
from consumers.replay.live import GROUP, LiveReplay
from consumers.replay.player import unsafe_methods
from consumers.worker import Worker, stop_on_signals

log = logging.getLogger(__name__)


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    start_logging(os.environ.get("DYNO", GROUP))
    return guarded(work)


def work(hand: Hand) -> int:
    """What `main` does, in the process that the guard watches over."""
    try:
        settings = Settings.load(os.environ)
        if not settings.replay_host:
            fix = "set it to the target's base URL, e.g. https://staging.example.com, or scale `replay` to 0"
            raise BadSettings([f"REPLAY_HOST is unset: {fix}"])
        if unsafe := unsafe_methods(settings.replay_methods):
            log.warning("REPLAY_METHODS: %s are sent too, with EMPTY bodies: logs hold none", unsafe)
        store = connect(settings, connections=1, timeout_s=10)
        stop = stop_on_signals()
        replay = LiveReplay(settings, os.environ, store, route_namer(settings), stop, hand.place)
        replay.check_known_hosts()
        worker = Worker(
            group=GROUP,
            open_reader=lambda: open_log(settings).reader(GROUP, "latest", rewind_to_store=False),
            handle=replay.handle,
            store=store,
            stop=stop,
            max_messages=1_000,
            idle=replay.idle,
            hand=hand,
        )
        try:
            worker.run()
        finally:
            replay.finish()
    except TailraceError as fault:
        print(lines_for_terminal(str(fault)), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
