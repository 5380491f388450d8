"""What Tailrace's worker needs of gunicorn beyond its documentation, checked before any worker starts.

An override of a method that another version has renamed would do nothing, without a word.
"""

from __future__ import annotations

import importlib
from types import CodeType

import gunicorn

GUNICORN_MAJOR = 27
"""requirements.in pins the exact version; this is for installations that go another way."""

NAMES = (
    "gunicorn.http.body:ChunkedReader.parse_chunk_size",
    "gunicorn.http.body:ChunkedReader.read",
    "gunicorn.http.body:ChunkedReader.read_into",
    "gunicorn.http.errors:ChunkMissingTerminator",
    "gunicorn.http.errors:InvalidChunkExtension",
    "gunicorn.http.errors:InvalidChunkSize",
    "gunicorn.http.errors:ParseException",
    "gunicorn.http.message:Message.force_close",
    "gunicorn.http.parser:Parser.finish_body",
    "gunicorn.workers.gthread:_DEFER",
    "gunicorn.workers.gthread:TConn.close",
    "gunicorn.workers.gthread:ThreadWorker._keepalive_after",
    "gunicorn.workers.gthread:ThreadWorker.accept",
    "gunicorn.workers.gthread:ThreadWorker.finish_request",
    "gunicorn.workers.gthread:ThreadWorker.handle",
    "gunicorn.workers.gthread:ThreadWorker.handle_request",
    "gunicorn.workers.gthread:ThreadWorker.init_process",
    "gunicorn.workers.gthread:ThreadWorker.murder_keepalived",
    "gunicorn.workers.gthread:ThreadWorker.murder_pending",
    "gunicorn.workers.gthread:ThreadWorker.set_accept_enabled",
)
"""Modules, and what is in them: imported, called or overridden."""

ATTRIBUTES = {
    "gunicorn.workers.gthread:TConn": ("data_ready", "initialized", "parser", "sock", "timeout"),
    "gunicorn.workers.gthread:ThreadWorker": (
        "keepalived_conns",
        "max_keepalived",
        "nr_conns",
        "pending_conns",
        "poller",
        "worker_connections",
    ),
    "gunicorn.http.body:ChunkedReader": ("req",),
    "gunicorn.http.parser:Parser": ("mesg", "unreader"),
    "gunicorn.http.unreader:Unreader": ("buf",),
}
"""Classes, and what their objects have from the start."""


def check() -> str:
    """What is wrong with the gunicorn that is installed, for a person; empty where nothing is."""
    if gunicorn.version_info[0] != GUNICORN_MAJOR:
        return (
            f"gunicorn {gunicorn.__version__} is installed, but Tailrace's worker is made for gunicorn "
            f"{GUNICORN_MAJOR}: pip install -r requirements.txt"
        )
    missing = [name for name in NAMES if _resolve(name) is None]
    missing += [
        f"{name}.{attribute}"
        for name, attributes in ATTRIBUTES.items()
        for attribute in attributes
        if attribute not in _attributes_set_by(name)
    ]
    if missing:
        return (
            f"gunicorn {gunicorn.__version__} lacks what Tailrace's worker is built on "
            f"({', '.join(missing)}): pip install -r requirements.txt"
        )
    return ""


def _resolve(name: str) -> object:
    """What has this name; None where nothing has."""
    module, _, path = name.partition(":")
    try:
        found: object = importlib.import_module(module)
    except ImportError:
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _attributes_set_by(name: str) -> tuple[str, ...]:
    """The attributes that the class's own constructor names."""
    code = getattr(getattr(_resolve(name), "__init__", None), "__code__", None)
    return code.co_names if isinstance(code, CodeType) else ()
