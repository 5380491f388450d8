"""One request, or one group, as a line of text or as JSON. Pure.

What clients send (paths, hosts, ids) is made safe for a terminal here, and query strings are masked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app import outcomes
from app.escaping import for_terminal, json_text
from app.formatting import NONE, milliseconds, number, percent, shortened, table
from app.masking import without_query
from app.router_line import milliseconds as milliseconds_of
from app.search.filters import client_address
from app.search.found import FoundRequest
from app.search.groups import Group, GroupBy
from app.store.bounds import STATUS
from app.timespec import iso

ID_WIDTH = 36
PATH_MIN = 24
APP_WIDTH = 12

RED, YELLOW, DIM, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"

WIDTHS = {"TIME (UTC)": 23, "STATUS": 6, "CODE": 4, "SERVICE": 8, "DYNO": 8, "APP": APP_WIDTH, "METHOD": 6}
"""The columns before the request id and the path, as wide as their usual values."""

RIGHT = frozenset({"SERVICE"})

_BYTES = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns there are, and how wide the path may be."""

    has_app: bool
    has_id: bool
    path_width: int | None
    """None: as wide as it is."""
    has_colours: bool
    shows_query: bool

    @property
    def columns(self) -> dict[str, int]:
        """Name -> width; the path comes last, and has the rest of the line."""
        columns = {name: width for name, width in WIDTHS.items() if name != "APP" or self.has_app}
        return columns | ({"REQUEST ID": ID_WIDTH} if self.has_id else {})


def layout(width: int | None, *, has_app: bool, has_colours: bool, shows_query: bool) -> Layout:
    """What fits `width` characters; None: no terminal, so everything does. In a narrow one the app is left
    out first, then the request id, because half an id is worth nothing."""
    for app, request_id in ((has_app, True), (False, True), (has_app, False), (False, False)):
        found = Layout(app, request_id, None, has_colours, shows_query)
        if width is None:
            return found
        rest = width - sum(columns + 1 for columns in found.columns.values())
        if rest >= PATH_MIN or not (app or request_id):
            return Layout(app, request_id, max(8, rest), has_colours, shows_query)
    raise AssertionError


def head(shape: Layout) -> str:
    """The names of the columns."""
    cells = [_cell(name, name, width) for name, width in shape.columns.items()]
    return " ".join([*cells, "PATH"])


def text_line(found: FoundRequest, shape: Layout) -> str:
    """One request, in these columns."""
    line = found.line
    values = {
        "TIME (UTC)": iso(found.at_ms).replace("T", " ").removesuffix("Z"),
        "STATUS": line.status or NONE,
        "CODE": line.code,
        "SERVICE": milliseconds(milliseconds_of(line.service)),
        "DYNO": line.dyno or NONE,
        "APP": found.app or NONE,
        "METHOD": line.method or NONE,
        "REQUEST ID": line.request_id or NONE,
    }
    cells = [_cell(name, for_terminal(values[name]), width) for name, width in shape.columns.items()]
    path = for_terminal(shown_path(line.path, shows_query=shape.shows_query)) or NONE
    if shape.path_width is not None:
        path = shortened(path, shape.path_width)
    text = " ".join([*cells, path])
    return f"{colour}{text}{PLAIN}" if shape.has_colours and (colour := _colour(found)) else text


def _cell(name: str, value: str, width: int) -> str:
    return value.rjust(width) if name in RIGHT else value.ljust(width)


def _colour(found: FoundRequest) -> str:
    line = found.line
    if outcomes.failed(line.status, line.at, line.code):
        return RED
    return YELLOW if line.status.startswith("4") else ""


def shown_path(path: str, *, shows_query: bool) -> str:
    """The path with its query, or with `?…` in its place."""
    return path if shows_query else without_query(path)


def json_line(found: FoundRequest, *, shows_query: bool) -> str:
    """One request as a JSON object. The keys are documented in docs/requests.md, and stay."""
    line = found.line
    return json_text(
        {
            "time": iso(found.at_ms),
            "received": iso(found.received_ms),
            "app": found.app,
            "route": found.route,
            "method": line.method,
            "path": shown_path(line.path, shows_query=shows_query),
            "host": line.host,
            "status": int(line.status) if STATUS.fullmatch(line.status) else None,
            "code": line.code,
            "at": line.at,
            "failed": bool(outcomes.failed(line.status, line.at, line.code)),
            "aborted": bool(outcomes.aborted(line.status, line.at, line.code)),
            "dyno": line.dyno,
            "service_ms": milliseconds_of(line.service),
            "connect_ms": milliseconds_of(line.connect),
            "is_connection": found.is_connection,
            "bytes": int(line.bytes) if _BYTES.fullmatch(line.bytes) else None,
            "request_id": line.request_id,
            "client": client_address(line),
            "fwd": line.fwd,
            "protocol": line.protocol,
            "id": found.message_id,
        }
    )


# --- groups ---------------------------------------------------------------------------------


def group_lines(by: GroupBy, groups: Sequence[Group], width: int | None) -> list[str]:
    """The groups as a table."""
    heads = (by.upper(), "REQUESTS", "ERRORS", "ERROR RATE", "MEDIAN", "P95", "OF ALL TIME")
    rows = [
        (
            for_terminal(group.name) or "(none)",
            number(group.count),
            number(group.errors),
            percent(group.errors / group.count),
            milliseconds(group.p50),
            milliseconds(group.p95),
            percent(group.time_share),
        )
        for group in groups
    ]
    if width is not None:
        others = sum(2 + max(len(line[at]) for line in (heads, *rows)) for at in range(1, len(heads)))
        rows = [(shortened(row[0], max(12, width - others)), *row[1:]) for row in rows]
    return table(heads, rows)


def group_json(by: GroupBy, group: Group) -> str:
    """One group as a JSON object."""
    return json_text(
        {
            by: group.name,
            "requests": group.count,
            "errors": group.errors,
            "p50_ms": group.p50,
            "p95_ms": group.p95,
            "time_share": round(group.time_share, 6),
        }
    )
