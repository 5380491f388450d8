"""gunicorn's configuration: `gunicorn --config python:drain.server 'drain:create_app()'`.

gunicorn reads the names below. The settings are checked here, before any worker starts, so that
bad ones stop the process with one message instead of a loop of dying workers.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from typing import Any

from app.config import Settings
from app.errors import BadSettings
from app.escaping import lines_for_terminal
from app.logs import logging_config

SPARE_THREADS = 8
"""Beyond WEB_THREADS: they say 503 at once while the others are taken, and serve the page."""


def _checked_settings() -> Settings:
    try:
        settings = Settings.load(os.environ)
        if "DYNO" in os.environ and settings.bind_host == "127.0.0.1":
            missing = "DRAIN_USER and DRAIN_PASSWORD are missing (or DRAIN_AUTH=none)"
            raise BadSettings([f"{missing}: nobody could reach this dyno"])
    except BadSettings as fault:
        print(lines_for_terminal(str(fault)), file=sys.stderr)
        sys.exit(2)
    return settings


_settings = _checked_settings()
# Before prometheus_client is imported: it looks for this folder once.
_counts_folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="tailrace-metrics-")
_master = os.getpid()


@atexit.register
def _remove_counts() -> None:
    """Also after a start that failed, for which gunicorn has no hook; not when a worker ends."""
    if os.getpid() == _master:
        shutil.rmtree(_counts_folder, ignore_errors=True)


bind = f"{_settings.bind_host}:{_settings.port}"
workers = _settings.web_concurrency
threads = _settings.web_threads + SPARE_THREADS
worker_class = "drain.thread_worker.LimitedThreadWorker"
worker_connections = 1000
keepalive = 300  # Logplex closes an idle connection after about 4 minutes; it is not to race us.
timeout = 60
graceful_timeout = 20  # A platform kills after 30 s; a frame under way needs 5.
proc_name = "tailrace-web"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
logconfig_dict = logging_config(os.environ.get("DYNO", "web"))


def post_worker_init(worker: Any) -> None:
    """What is loaded by now stays: the collector need not look through it again, request by request."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """A dead worker no longer counts in the gauges."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
