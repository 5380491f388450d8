"""`python -m app replay`: replays a window of the past against a target and gives a verdict."""

from app.cli.replay.arguments import add_arguments
from app.cli.replay.run import run

__all__ = ["add_arguments", "run"]
