"""What the worker needs of gunicorn is listed, and a gunicorn without it is refused at the start."""

from __future__ import annotations

import ast
import sys

import pytest
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import ThreadWorker

from drain.gunicorn.chunks import Chunks
from drain.gunicorn.internals import NAMES, check
from drain.gunicorn.thread_worker import LimitedThreadWorker
from servers.processes import ROOT, Processes


def test_the_gunicorn_that_is_installed_has_all_of_it() -> None:
    assert check() == ""


def test_every_import_of_gunicorn_is_listed() -> None:
    imported = set()
    for path in (ROOT / "drain" / "gunicorn").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("gunicorn."):
                imported |= {f"{node.module}:{name.name}" for name in node.names}
    assert imported
    listed = {
        module + ":" + path.partition(".")[0] for module, _, path in (name.partition(":") for name in NAMES)
    }
    assert imported <= listed


@pytest.mark.parametrize(("ours", "theirs"), [(LimitedThreadWorker, ThreadWorker), (Chunks, ChunkedReader)])
def test_every_method_that_is_overridden_is_listed(ours: type, theirs: type) -> None:
    overridden = {name for name in vars(ours) if not name.startswith("__") and hasattr(theirs, name)}
    assert overridden
    assert {f"{theirs.__module__}:{theirs.__name__}.{name}" for name in overridden} <= set(NAMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "gunicorn.version_info = (28, 1, 0); gunicorn.__version__ = '28.1.0'",
            "gunicorn 28.1.0 is installed, but Tailrace's worker is made for gunicorn 27: "
            "pip install -r requirements.txt\n",
        ),
        (
            "gunicorn.__version__ = '27.9.0'; del gthread.ThreadWorker.murder_pending; del gthread._DEFER",
            "gunicorn 27.9.0 lacks what Tailrace's worker is built on (gunicorn.workers.gthread:_DEFER, "
            "gunicorn.workers.gthread:ThreadWorker.murder_pending): pip install -r requirements.txt\n",
        ),
        (
            "gunicorn.__version__ = '27.9.0'; gthread.TConn.__init__ = lambda self: None; "
            "sys.modules['gunicorn.http.unreader'] = None",
            "gunicorn 27.9.0 lacks what Tailrace's worker is built on ("
            + ", ".join(
                f"gunicorn.workers.gthread:TConn.{name}"
                for name in ("data_ready", "initialized", "parser", "sock", "timeout")
            )
            + ", gunicorn.http.unreader:Unreader.buf): pip install -r requirements.txt\n",
        ),
    ],
    ids=["another version", "methods renamed", "attributes renamed"],
)
def test_a_gunicorn_without_it_is_refused_with_what_to_do(change: str, message: str) -> None:
    script = (
        f"import sys, gunicorn; from gunicorn.workers import gthread; {change}; import drain.gunicorn.config"
    )
    with Processes({}) as processes:
        process = processes.start_command("web", [sys.executable, "-c", script], ROOT)
        assert process.popen.wait(20) == 2
        assert process.output == message
