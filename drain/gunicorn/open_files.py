"""How many connections the limit of open files allows for (`ulimit -n`, RLIMIT_NOFILE)."""

from __future__ import annotations

import contextlib
import resource

CONNECTIONS_MAX = 1000
"""Of one worker process at once, idle ones included."""

OTHER_FILES = 40
"""Open files of a worker beside its clients' connections: about 25 with Redis, more with Kafka."""

CONNECTIONS_MIN = 8
"""Where the limit leaves less, accepting pauses whenever no file is free."""


def raise_limit() -> int:
    """Raises the soft limit as far as is needed and allowed; returns what it is now, for each process."""
    wanted = CONNECTIONS_MAX + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    return soft


def connections_within(open_files: int) -> int:
    """Connections of one worker process at once."""
    return min(CONNECTIONS_MAX, max(CONNECTIONS_MIN, open_files - OTHER_FILES))
