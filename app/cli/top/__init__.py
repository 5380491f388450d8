"""`python -m app top`: routes, apps, dynos and hosts, live, in the terminal; printed once without one."""

from app.cli.top.command import add_arguments, run

__all__ = ["add_arguments", "run"]
