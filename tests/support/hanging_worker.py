"""A worker as the Procfile starts it, but for paths with which it hangs, dies or fails:
`python -m tests.support.hanging_worker metrics`. No line that is known to do so is left, so the
process's own function from paths to routes is given one."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from app.router_line import RouterLine
from app.routes import route_namer
from app.settings import Settings
from consumers import run
from consumers.guard import run_guarded
from tests.support.hang import hang

STUCK_AFTER_S = 2.0
"""Sooner than the guard's own five seconds: nobody waits for what is known to hang."""


def hanging_namer(settings: Settings) -> Callable[[RouterLine], str]:
    """`route_namer`, but `/hang` holds the interpreter's lock for good, `/die` ends the process as a
    defect in C code does, and `/fail` raises what nobody expects."""
    named = route_namer(settings)

    def route_of(line: RouterLine) -> str:
        path = line.path
        if path == "/hang":
            hang()
        if path == "/die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if path == "/fail":
            raise RuntimeError("nobody expects this")
        return named(line)

    return route_of


if __name__ == "__main__":
    process = importlib.import_module(f"consumers.{sys.argv[1]}.__main__")
    process.route_namer = hanging_namer  # type: ignore[attr-defined]
    run.run_guarded = partial(run_guarded, stuck_after_s=STUCK_AFTER_S)  # type: ignore[attr-defined]
    sys.exit(process.main())
