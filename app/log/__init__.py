"""The message log: what the drain writes to and the consumers read from.

`interface` says what a log promises; `open_log` gives the one that the settings name. A further log is
a folder beside redis/ and kafka/, and a line in open.py.
"""

from app.log.interface import (
    READ_TIMEOUT_S,
    TOPIC,
    Appended,
    Batch,
    Ensured,
    History,
    Lag,
    MessageLog,
    Reach,
    Reader,
    RecordEvents,
    Scanned,
    SearchableHistory,
    Start,
    Writer,
)
from app.log.open import open_log

__all__ = [
    "READ_TIMEOUT_S",
    "TOPIC",
    "Appended",
    "Batch",
    "Ensured",
    "History",
    "Lag",
    "MessageLog",
    "Reach",
    "Reader",
    "RecordEvents",
    "Scanned",
    "SearchableHistory",
    "Start",
    "Writer",
    "open_log",
]
