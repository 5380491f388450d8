"""Log lines as `key=value`, on standard error, as a platform's own log takes them."""

from __future__ import annotations

import logging
import sys
import time


class KeyValueFormatter(logging.Formatter):
    """`time=... level=warning app=tailrace process=metrics.1 at=app.streams msg="..."`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return (
            f"time={moment}.{int(record.msecs):03d}Z level={record.levelname.lower()} app=tailrace "
            f"process={self._process} at={record.name} msg={quote(text)}"
        )


def quote(text: str) -> str:
    """The text in quotes, on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def start_logging(process: str) -> None:
    """Once per process, in its `main`. Libraries are heard from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # kafka-python tells of each retry of a connection; ours says once a minute what is away.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
