"""`python -m app alerts`: what fires, a test message, silences, and what would have fired."""

from app.cli.alerts.command import add_arguments, run

__all__ = ["add_arguments", "run"]
