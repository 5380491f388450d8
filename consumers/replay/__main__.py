"""`replay` of the Procfile: `python -m consumers.replay`."""

from __future__ import annotations

import logging
import os
import sys
from threading import Event

import redis

from app.connections import connection_matcher
from app.errors import BadSettings
from app.groups import REPLAY
from app.routes import route_namer
from app.settings import Settings
from consumers.current_message import Cursor
from consumers.replay.choice.policy import unsafe_methods
from consumers.replay.live import LiveReplay
from consumers.run import Work, run_group

log = logging.getLogger(__name__)

BATCH_MESSAGES = 1_000


def main() -> int:
    """Exit code: 0 when told to stop, 2 for bad settings."""
    return run_group(REPLAY, prepare, os.environ)


def prepare(settings: Settings, store: redis.Redis, stop: Event, cursor: Cursor) -> Work:
    """Sends what the log says now to REPLAY_HOST. Raises BadSettings, and SameHost."""
    if not settings.replay_host:
        fix = "set it to the target's base URL, e.g. https://staging.example.com, or scale `replay` to 0"
        raise BadSettings([f"REPLAY_HOST is unset: {fix}"])
    if unsafe := unsafe_methods(settings.replay_methods):
        log.warning(
            "REPLAY_METHODS: %s requests are sent with EMPTY bodies, because logs have no bodies", unsafe
        )
    replay = LiveReplay(settings, store, route_namer(settings), connection_matcher(settings), stop, cursor)
    replay.refuse_known_hosts()
    return Work(handle=replay.handle, max_messages=BATCH_MESSAGES, idle=replay.idle, finish=replay.finish)


if __name__ == "__main__":
    sys.exit(main())
