"""`python -m app config`: the settings in force, rules and targets of alerts, secrets masked; or the README's
table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from app.alerts.defaults import rules_of
from app.alerts.describe import rule_line, target_line
from app.alerts.targets.registry import targets_of
from app.settings.replay_rules import require_variables
from app.settings.settings import FIELDS, Settings
from app.settings.table import display_value, markdown_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints every setting in force as NAME=value, then rules and targets of alerts, with secrets masked."
    )
    parser.epilog = (
        "examples:\n  python -m app config\n  python -m app config --markdown   # the README's table"
    )
    parser.add_argument("--markdown", action=_Table, help="every setting with its meaning and default")


class _Table(argparse.Action):
    """Prints the table at once, as --help does: bad settings send people here, so they must not stop it."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(markdown_table())
        parser.exit()


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0; bad settings never come this far. Raises BadSettings where only replays would fail."""
    for spec in FIELDS:
        value = display_value(spec, settings)
        print(
            f"{spec.name}={value}"
            + (f"  # {_describe_unset(spec.default_label)}" if not value and spec.default_label else "")
        )
    for line in (*map(rule_line, rules_of(settings)), *map(target_line, targets_of(settings).values())):
        print(f"# {line}")
    require_variables(settings.replay_rules)
    return 0


def _describe_unset(default_label: str) -> str:
    """What it means that a setting has no value; the table's words say `unset` themselves at times."""
    return default_label if default_label.startswith("unset") else f"unset: {default_label}"
