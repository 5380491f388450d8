"""Finds the command, runs it, and turns its errors into one line and an exit code.

It imports only the standard library: whatever a command needs is imported where Ctrl-C, or a missing
module, becomes one line.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from app import __version__
from app.errors import TailraceError
from app.escaping import lines_for_terminal
from app.masking import without_words

if TYPE_CHECKING:
    from app.settings import Settings

OURS = ("app", "drain", "consumers")
NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def _parser_for(words: Sequence[str]) -> type[argparse.ArgumentParser]:
    """argparse repeats what it does not understand; a password in it must not end up in a CI log."""

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            super().error(lines_for_terminal(without_words(message, words)))

    return Parser


class Command(Protocol):
    """A module with a command in it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, settings: Settings) -> int: ...


COMMANDS: Mapping[str, tuple[str, str]] = {
    "top": ("routes, apps, dynos and hosts, live, in the terminal", "app.cli.top"),
    "report": ("the figures of a time span: text, JSON, Markdown, CSV or HTML", "app.cli.report"),
    "compare": ("before and after a release, route by route, with a verdict", "app.cli.compare"),
    "requests": ("single requests out of the kept log, or what they have in common", "app.cli.requests"),
    "alerts": ("what fires, a test message, silences, and what would have fired", "app.cli.alerts"),
    "memory": ("what uses Redis's memory", "app.cli.memory"),
    "replay": ("replay a past window against a target, with a verdict", "app.cli.replay"),
    "routes": ("list, merge or drop the rows of routes, and what was learned", "app.cli.routes"),
    "dead-letters": ("list, requeue or drop lines that could not be processed", "app.cli.dead_letters"),
    "config": ("the settings in force, with secrets masked", "app.cli.config"),
    "release": (
        "check the settings and create the topic; the Procfile's release phase",
        "app.cli.release",
    ),
}
"""Name -> (one line of help, its module). Only the command that runs is imported."""


def _command(name: str) -> Command:
    return cast(Command, importlib.import_module(COMMANDS[name][1]))


def main(argv: list[str], environ: Mapping[str, str]) -> int:
    """Exit code: the command's own; 2 for bad usage or settings and where a module is missing, 1 where
    the output cannot be written, 130 after Ctrl-C."""
    try:
        code = _run(argv, environ)
        print(end="", flush=True)  # Here and not at Python's end, where a fault is a traceback.
        return code
    except TailraceError as fault:
        print(lines_for_terminal(str(fault)), file=sys.stderr)
        return EXIT_USAGE
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] in OURS:
            raise
        print(
            f"the Python module {fault.name} is missing: use .venv/bin/python (`make venv` creates it), "
            "or pip install -r requirements.txt",
            file=sys.stderr,
        )
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `... | head`: nobody reads on.
        _drop_output()
        return 0
    except OSError as fault:
        if fault.errno not in NOT_WRITTEN:
            raise
        _drop_output()
        print(f"cannot write the output: {fault.strerror}", file=sys.stderr)
        return EXIT_FAILED


def _drop_output() -> None:
    """Discards unwritten output: Python would complain about it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: list[str], environ: Mapping[str, str]) -> int:
    from app.settings import Settings

    parser = _parser_for(argv)(
        prog="python -m app",
        description="Tailrace: durable router logs, live metrics, replayable traffic.",
        epilog="Help on one command, with examples: python -m app COMMAND --help",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Tailrace {__version__}")
    names = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv if word in COMMANDS), None)
    for name, (help_line, _) in COMMANDS.items():
        own = names.add_parser(
            name,
            help=help_line,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # A flag that a command has not is never taken for the start of one that it has.
            allow_abbrev=False,
        )
        if name == wanted:
            _command(name).add_arguments(own)
    try:
        args = parser.parse_args(argv)
    except SystemExit:  # --help, or bad usage: what it says must be written, too.
        print(end="", flush=True)
        raise
    return _command(args.command).run(args, Settings.load(environ))
