"""`python -m app report`: the figures of a time span as text, JSON, Markdown, CSV or one HTML file."""

from app.cli.report.command import add_arguments, run

__all__ = ["add_arguments", "run"]
