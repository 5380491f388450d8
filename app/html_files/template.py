"""The template engine, set so that no text from outside becomes markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.escaping import for_terminal

STYLE = Path(__file__).parent
"""Where `style.css` is, which templates include."""


def load_template(path: Path, filters: Mapping[str, Callable[..., object]]) -> Template:
    """The template of this file, with these filters of its own."""
    environment = Environment(
        loader=FileSystemLoader([path.parent, STYLE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Of what clients wrote, what cannot be printed goes: it could reverse the text around it.
        finalize=lambda value: for_terminal(value) if type(value) is str else value,
    )
    environment.filters |= filters
    return environment.get_template(path.name)
