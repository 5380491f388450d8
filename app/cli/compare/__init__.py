"""`python -m app compare`: a release, or a span, against what was before it, with a verdict and an exit
code."""

from app.cli.compare.arguments import add_arguments
from app.cli.compare.command import run

__all__ = ["add_arguments", "run"]
