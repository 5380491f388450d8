"""`python -m app release`: the Procfile's release phase. Checks what each process will need.

Makes the topic where that is allowed; says everything that is missing, with the fix, at once. Each service
offers its checks in its own package (app/checks.py).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Iterator
from typing import cast

from app.checks import Check, CheckResult
from app.errors import TailraceError
from app.groups import GROUPS
from app.settings import Settings

TIMEOUT_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Checks the settings, Redis and the log, and creates the topic if it is missing."
    parser.epilog = (
        "examples:\n"
        "  python -m app release\n"
        "  heroku run -a APP python -m app release     # by hand, before the first deploy of a setting\n\n"
        "exit code: 0 all in place (a WARNING stops nothing), 1 something is missing, 2 bad settings"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 when every process can start, else 1."""
    missing = 0
    for name, check in _checks():
        try:
            found = check(settings)
            found = CheckResult(found) if isinstance(found, str) else found
            print(f"ok       {name}: {found.text}")
            for warning in found.warnings:
                print(f"WARNING  {name}: {warning}")
        except TailraceError as fault:
            missing += 1
            print(f"MISSING  {name}: {fault}")
    return 1 if missing else 0


def _checks() -> Iterator[tuple[str, Check]]:
    """Those of every service, in the order in which a frame meets them."""
    yield from _checks_of("drain")
    yield from _checks_of("app.store")
    yield from _checks_of("app.log")
    for group in GROUPS:
        yield from _checks_of(group.package)


def _checks_of(package: str) -> tuple[tuple[str, Check], ...]:
    """The package's own checks; none where it has nothing to ask."""
    module = f"{package}.checks"
    if importlib.util.find_spec(module) is None:
        return ()
    return cast(tuple[tuple[str, Check], ...], importlib.import_module(module).CHECKS)
