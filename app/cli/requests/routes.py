"""What `--route` stands for: a row of the page, or a pattern for paths."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from app.errors import BadSettings, TailraceError
from app.formatting import plural
from app.masking import safe_repr
from app.paths import literal
from app.routes import compile_rules
from app.search.rows import RouteRowNames
from app.store.bounds import NOT_FOUND, OTHER

NEAREST_MAX = 2


class UnknownRoute(TailraceError):
    """A --route that is neither a row nor a pattern."""


@dataclass(frozen=True, slots=True)
class RouteChoice:
    """One of the two, and what to say of it."""

    route: str = ""
    path: str = ""
    note: str = ""


def choose_route(name: str, rows: RouteRowNames) -> RouteChoice:
    """Raises UnknownRoute."""
    known = rows.rows | rows.templates | {template for _, template in rows.patterns}
    for spelling in (name, literal(name)):
        if spelling in known:
            return RouteChoice(spelling, note=_inexact(spelling))
    if name in (OTHER, NOT_FOUND):
        return RouteChoice(name, note=f"no request was counted under {name} yet")
    nearest = difflib.get_close_matches(name, known, n=NEAREST_MAX)
    hint = f". Did you mean {' or '.join(nearest)}?" if nearest else ""
    try:
        compile_rules([name], "a route")
    except BadSettings:
        raise UnknownRoute(
            f"--route: no row is named {safe_repr(name)}{hint or ', and a pattern begins with /'}"
        ) from None
    if not rows.rows:  # Nothing is counted, so there is nothing to tell rows from patterns by.
        return RouteChoice(literal(name))
    return RouteChoice(
        path=name,
        note=f"none of {plural(len(rows.rows), 'row')} is named {name}{hint or '.'} Looking for paths that "
        "match it",
    )


def _inexact(name: str) -> str:
    """Of the rows that stand for whatever had none, when it was counted."""
    if name not in (OTHER, NOT_FOUND):
        return ""
    return (
        f"which requests counted under {name} is worked out from the rows that there are now: those of a "
        "route that has got or lost its row since are not told apart"
    )
