"""Logging: `key=value` lines on standard error, for the platform's own log."""

from __future__ import annotations

import logging
import logging.config
import time
from typing import Any

from app.escaping import quoted


class KeyValueFormatter(logging.Formatter):
    """`time=... level=warning app=tailrace process=metrics.1 at=consumers.worker msg="..."`."""

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
            f"process={self._process} at={record.name} msg={quoted(text)}"
        )


def start_logging(process: str) -> None:
    """Once per process, in its `main`."""
    logging.config.dictConfig(logging_config(process))


def logging_config(process: str) -> dict[str, Any]:
    """For `logging.config`, and for gunicorn, which starts logging itself."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"key_value": {"()": KeyValueFormatter, "process": process}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "key_value"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            # kafka-python logs each retry of a connection; ours logs once a minute what is unreachable.
            "kafka": {"level": "CRITICAL"},
            # Its DEBUG lines hold the URL, which is a secret of many a target of alerts.
            "urllib3": {"level": "WARNING"},
            "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
            "gunicorn.access": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        },
    }
