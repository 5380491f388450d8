"""What a scan gives, and how a value is judged by its bytes, so that few have to be decoded.

A pattern speaks of a message's JSON as `app.message.encode` writes it: compact, UTF-8, only control
characters, `"` and backslashes escaped. The drain writes each message like that, in either of two orders of
its keys (drain/receivers/messages.py), so a pattern may rest on a key and its value, not on what follows
them. Whoever else writes to the log may escape more, or put spaces between: such a value is decoded and
encoded again before it is judged. The `msg` of a message with `raw` is not the line as it was sent, so only
patterns of what is in both (patterns.py, `is_never_escaped`) judge it; the others let it pass.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from app.errors import BadMessage
from app.log.patterns import is_never_escaped
from app.message import RouterMessage, decode, encode

log = logging.getLogger(__name__)

Patterns = Sequence[re.Pattern[bytes]]

MESSAGE_START = b'{"prival":1'
"""How the drain begins each message: a router line has a priority of 158. No string of JSON holds this,
because a quote in a string is escaped. An encoder that puts a space here puts spaces everywhere."""

REPLACED = "\N{REPLACEMENT CHARACTER}".encode()
"""In the `msg` of each message that has `raw`."""

_RECEIVED = re.compile(rb'"received_at": ?(\d+)')


def is_wanted(message: RouterMessage, patterns: Patterns) -> bool:
    """Whether a scan gives this message: what every faster way comes down to."""
    if "raw" in message:
        patterns = [pattern for pattern in patterns if is_never_escaped(pattern)]
    if not patterns:
        return True
    text = encode(message)
    return all(pattern.search(text) for pattern in patterns)


def wanted_in(value: bytes, patterns: Patterns) -> RouterMessage | None:
    """The message in this value of the log if a scan gives it; a value that is no message is logged."""
    is_judged = not patterns or _is_as_written_by_the_drain(value)
    if is_judged and not all(pattern.search(value) for pattern in patterns):
        return None
    try:
        message = decode(value)
    except BadMessage as fault:
        log.warning("skipped a value that is not a message: %s", fault)
        return None
    return message if is_judged or is_wanted(message, patterns) else None


def _is_as_written_by_the_drain(value: bytes) -> bool:
    return (
        value.startswith(MESSAGE_START)
        and b"\\u" not in value
        and b"\\/" not in value
        and (value.isascii() or REPLACED not in value)
    )


def received_between(data: bytes, from_ms: int, until_ms: int) -> int:
    """How many messages in these bytes were received from `from_ms` on and before `until_ms`."""
    return sum(from_ms <= int(found) < until_ms for found in _RECEIVED.findall(data))
