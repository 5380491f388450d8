"""The message log: what the drain writes to and the consumers read from.

`interface` says what a log promises; `choose` opens the one that the settings name.
"""

from app.log.interface import (
    PARTITIONS,
    TOPIC,
    Appended,
    BadValue,
    Batch,
    Beside,
    Claim,
    History,
    Lag,
    Reader,
    Writer,
)
from app.log.open import READ_TIMEOUT_S, open_history, open_reader, open_writer

__all__ = [
    "PARTITIONS",
    "READ_TIMEOUT_S",
    "TOPIC",
    "Appended",
    "BadValue",
    "Batch",
    "Beside",
    "Claim",
    "History",
    "Lag",
    "Reader",
    "Writer",
    "open_history",
    "open_reader",
    "open_writer",
]
