"""The subcommands of `python -m app alerts`: one module each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol, cast

from app.cli.alerts import backtest, listing, silence, trial
from app.settings import Settings

EPILOG = """\
examples:
  python -m app alerts list
  python -m app alerts list --app shop --json
  python -m app alerts test ops                       one message to the target `ops`
  python -m app alerts silence errors 1h --app shop
  python -m app alerts silence errors --app shop --end
  python -m app alerts backtest --from 6h

Rules and targets stand in the file of TAILRACE_CONFIG: see docs/alerts.md.
Help on one, with its exit codes: python -m app alerts list --help"""


class Subcommand(Protocol):
    """A module with a subcommand in it."""

    NAME: str
    HELP: str

    def add_flags(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, settings: Settings) -> int: ...


SUBCOMMANDS = tuple(cast(Subcommand, module) for module in (listing, trial, silence, backtest))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands, each with its own arguments."""
    parser.description = "Rules over the figures, and what is told of them."
    parser.epilog = EPILOG
    names = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        own = names.add_parser(
            subcommand.NAME,
            help=subcommand.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        subcommand.add_flags(own)
        own.set_defaults(run_subcommand=subcommand.run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The exit code of the subcommand. Raises TailraceError."""
    subcommand: Callable[[argparse.Namespace, Settings], int] = args.run_subcommand
    return subcommand(args, settings)
