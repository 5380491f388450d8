"""Free ports on loopback."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 10_100, 32_767
"""Below the ports that Linux and macOS give to who asks for any (from 32,768 and 49,152 on), so that no other
process is given one of these before its server listens; and above those that browsers refuse."""

TRIES = 100


def free_port() -> int:
    """A port that nothing is bound to now, chosen at random, because processes ask at the same time.

    Raises OSError if none can be bound.
    """
    for left in reversed(range(TRIES)):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if not left:
                    raise
            else:
                break
    return port
