"""`python -m app config`: the settings in force, secrets masked, or the README's table."""

from __future__ import annotations

import argparse

from app.config import FIELDS, Settings
from app.settings_table import markdown_table, shown_value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Prints every setting that is in force, as NAME=value; secrets are masked."
    parser.epilog = (
        "examples:\n  python -m app config\n  python -m app config --markdown   # the README's table"
    )
    parser.add_argument("--markdown", action="store_true", help="all settings with meaning and default")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0; bad settings never come this far."""
    if args.markdown:
        print(markdown_table())
        return 0
    for spec in FIELDS:
        value = shown_value(spec, settings)
        print(f"{spec.name}={value}" + (f"  # unset: {spec.shown}" if not value and spec.shown else ""))
    return 0
