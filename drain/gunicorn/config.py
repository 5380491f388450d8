"""gunicorn's configuration: `gunicorn --config python:drain.gunicorn.config 'drain:create_app()'`.

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

from app.errors import BadSettings, first_words
from app.escaping import lines_for_terminal
from app.logging_setup import logging_config
from app.settings import Settings
from drain.checks import unreachable
from drain.gunicorn import internals
from drain.gunicorn.open_files import CONNECTIONS_MAX, connections_within, raise_limit

SPARE_THREADS = 8
"""Beyond WEB_THREADS: they answer 503 at once while the others are busy, and serve the page."""


def _checked_gunicorn() -> None:
    if fault := internals.check():
        print(fault, file=sys.stderr)
        sys.exit(2)


def _checked_settings() -> Settings:
    try:
        settings = Settings.load(os.environ)
        if fault := unreachable(settings):
            raise BadSettings([fault])
    except BadSettings as refused:
        print(lines_for_terminal(str(refused)), file=sys.stderr)
        sys.exit(2)
    return settings


def _create_counts_folder() -> str | None:
    """For the counts of all workers; None where there is no room: each then counts by itself."""
    try:
        return tempfile.mkdtemp(prefix="tailrace-metrics-")
    except OSError as fault:
        print(
            f"no room for the metrics folder that all processes share ({first_words(fault)}): "
            "/metrics shows only those of the process that answers. Make room in TMPDIR and restart.",
            file=sys.stderr,
        )
        return None


_checked_gunicorn()
_settings = _checked_settings()
_open_files = raise_limit()
# Before prometheus_client is imported: it looks for this folder once.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
_counts_folder = _create_counts_folder()
if _counts_folder:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts_folder
_master = os.getpid()


@atexit.register
def _remove_counts() -> None:
    """Runs after a failed start too, for which gunicorn has no hook; not when a worker ends."""
    if _counts_folder and os.getpid() == _master:
        shutil.rmtree(_counts_folder, ignore_errors=True)


bind = f"{_settings.bind_host}:{_settings.port}"
workers = _settings.web_concurrency
threads = _settings.web_threads + SPARE_THREADS
worker_class = "drain.gunicorn.thread_worker.LimitedThreadWorker"
worker_connections = connections_within(_open_files)
keepalive = 300  # Longer than Logplex's 4 minutes, so that Logplex is the one to close.
timeout = 60
graceful_timeout = 20  # A platform kills after 30 s; a frame under way needs 5.
proc_name = "tailrace-web"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
logconfig_dict = logging_config(_settings.dyno or "web")


def on_starting(server: Any) -> None:
    """Warns of limits of this machine."""
    if worker_connections < CONNECTIONS_MAX:
        server.log.warning(
            "the limit of open files is %d, so each of %d processes holds at most %d connections. "
            "Raise it (ulimit -n, LimitNOFILE=) where there are more senders",
            _open_files,
            workers,
            worker_connections,
        )


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Only a sender's connection is kept for `keepalive`: receivers alone say 202."""
    request.was_accepted = getattr(response, "status_code", None) == 202


def post_worker_init(worker: Any) -> None:
    """What is loaded by now stays, so the garbage collector need not scan it again."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """A dead worker no longer counts in the gauges."""
    if not _counts_folder:
        return
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
