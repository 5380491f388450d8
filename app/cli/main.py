"""Finds the command, runs it, and turns its errors into one line and an exit code.

Its own imports are the standard library's alone: what more a command needs is imported where Ctrl-C,
and that it is missing, become one line.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol

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
    """argparse repeats what it does not understand; a password in it must not end up in a log of CI."""

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            super().error(lines_for_terminal(without_words(message, words)))

    return Parser


class Command(Protocol):
    """A module with a command in it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, settings: Settings) -> int: ...


def _commands(environ: Mapping[str, str]) -> Mapping[str, tuple[str, Callable[[], Command]]]:
    """Name -> (one line of help, how to load it): only the command that runs is imported."""

    def top() -> Command:
        from app.cli import top

        return top

    def report() -> Command:
        from app.cli import report

        return report

    def memory() -> Command:
        from app.cli import memory as memory_command

        return memory_command

    def replay() -> Command:
        from app.cli import replay as command

        return command

    def config() -> Command:
        from app.cli import config as config_command

        return config_command

    def dead_letters() -> Command:
        from app.cli import dead_letters as dead_letters_command

        return dead_letters_command

    def release() -> Command:
        from app.cli.release import Release
        from consumers.replay.live import check

        return Release(replay=lambda settings: check(settings, environ))

    return {
        "top": ("the routes, live, in the terminal", top),
        "report": ("the figures of a time span as text, JSON or Markdown", report),
        "memory": ("what uses Redis's memory", memory),
        "replay": ("replay a past window against a target, with a verdict", replay),
        "dead-letters": ("list, requeue or drop lines that could not be processed", dead_letters),
        "config": ("the settings in force, with secrets masked", config),
        "release": ("check the settings and create the topic; the Procfile's release phase", release),
    }


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
    """Lets what is not written yet go nowhere: Python would complain of it once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: list[str], environ: Mapping[str, str]) -> int:
    from app.settings import Settings

    commands = _commands(environ)
    parser = _parser_for(argv)(
        prog="python -m app",
        description="Tailrace: durable router logs, live metrics, replayable traffic.",
        epilog="Help on one command, with examples: python -m app COMMAND --help",
    )
    names = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv if word in commands), None)
    for name, (help_line, load) in commands.items():
        own = names.add_parser(name, help=help_line, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == wanted:
            load().add_arguments(own)
    try:
        args = parser.parse_args(argv)
    except SystemExit:  # --help, or bad usage: what it says must be written, too.
        print(end="", flush=True)
        raise
    return commands[args.command][1]().run(args, Settings.load(environ))
