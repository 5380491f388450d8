"""`python -m app requests`: single requests out of the kept log, or what they have in common."""

from app.cli.requests.arguments import add_arguments
from app.cli.requests.run import run

__all__ = ["add_arguments", "run"]
