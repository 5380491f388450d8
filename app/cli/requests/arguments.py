"""The flags of `python -m app requests`, its help, and the types that check single values."""

from __future__ import annotations

import argparse
import ipaddress
import re
from typing import get_args

from app.errors import BadSettings
from app.routes import compile_rules
from app.search.groups import GroupBy
from app.settings.readers import app_argument

LIMIT = 100
GROUPS_SHOWN = 20

EPILOG = f"""\
examples:
  python -m app requests --failed --from 10m
  python -m app requests --app shop --route '/products/:id' --status 5xx --from 09:50Z --until 10:00Z
  python -m app requests --code H12 --group-by dyno
  python -m app requests --request-id 8601b555-6a83-4c12-8269-97c8e32cdb22 --show-query
  python -m app requests --slower-than 2s --oldest-first --limit 0 --json | jq .request_id
  python -m app requests --app shop --failed --follow

Newest first, {LIMIT} at most unless --limit says otherwise. All times are UTC. Requests are found as far back
as the log reaches; the last lines say how far that is. docs/requests.md describes every flag and JSON key.

exit code: 0 something was found, 1 nothing was found, 2 bad usage or settings, or the log is unreachable,
130 interrupted"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = "Single requests out of the kept log, or with --group-by what they have in common."
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_filters(parser.add_argument_group("which requests (all of what is given must be true)"))
    _add_span(parser.add_argument_group("when"))
    _add_output(parser.add_argument_group("what is printed"))


def _add_filters(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--app", type=app_argument, default="", help="of this app (default: all apps)")
    group.add_argument(
        "--route",
        type=_value,
        default=None,
        metavar="ROUTE",
        help="of this row of the page, such as /products/:id, '(not found)' or '(other)'; or a pattern",
    )
    group.add_argument(
        "--path",
        type=_path,
        default=None,
        metavar="PATH",
        help="with this path, whatever its query; :name stands for a segment, *rest at the end for the rest",
    )
    group.add_argument("--method", type=_upper, default=None, help="such as POST")
    group.add_argument(
        "--status",
        type=status_ranges,
        action="extend",
        default=[],
        metavar="STATUS",
        help="503, 5xx or 500-504; several with commas, or by repeating it",
    )
    group.add_argument("--code", type=_code, default=None, help="with this H-code, such as H12")
    group.add_argument("--dyno", type=_value, default=None, help="web.3, or web for all of that type")
    group.add_argument("--host", type=_value, default=None, help="for this host, as requests name it")
    group.add_argument(
        "--ip", type=_address, default=None, metavar="ADDRESS", help="with this address anywhere in `fwd`"
    )
    group.add_argument("--request-id", type=_value, default=None, metavar="ID", help="with this request id")
    group.add_argument(
        "--slower-than",
        type=duration_ms,
        default=None,
        metavar="TIME",
        help="whose service time is longer, such as 500ms or 2s; not the lifetime of connections",
    )
    group.add_argument(
        "--failed", action="store_true", help="that failed: status 5xx, or at=error and not aborted"
    )


def _add_span(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        help="2026-11-23T10:00Z, 10:00Z (today), 1h (ago); default: as far back as the log reaches; "
        "with --follow: now",
    )
    group.add_argument(
        "--until", metavar="TIME", help="before this time; 11:00Z is on the day of --from (default: now)"
    )
    group.add_argument("--oldest-first", action="store_true", help="from the oldest on (default: newest)")
    group.add_argument(
        "--follow", action="store_true", help="go on with what comes in, oldest first, until Ctrl-C"
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--limit",
        type=_count,
        default=None,
        metavar="N",
        help=f"requests (default {LIMIT}; none with --follow), or groups (default {GROUPS_SHOWN}); 0: all",
    )
    group.add_argument(
        "--group-by",
        choices=get_args(GroupBy),
        default=None,
        help="count all of them by this instead: requests, errors, p50, p95, share of the total time",
    )
    group.add_argument("--json", action="store_true", help="one JSON object a line")
    group.add_argument(
        "--show-query", action="store_true", help="show query strings, which may hold secrets, instead of ?…"
    )


def status_ranges(text: str) -> list[tuple[int, int]]:
    """(first, last) of each part of `503,4xx,500-504`; a type for argparse."""
    return [_status_range(part.strip().lower()) for part in text.split(",")]


def _status_range(part: str) -> tuple[int, int]:
    if re.fullmatch("[1-9]xx", part):
        return int(part[0]) * 100, int(part[0]) * 100 + 99
    if found := re.fullmatch("([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?", part):
        first, last = int(found[1]), int(found[2] or found[1])
        if first <= last:
            return first, last
    raise argparse.ArgumentTypeError("must be statuses such as 503, 5xx or 500-504, with commas between")


def duration_ms(text: str) -> float:
    """The ms of `500ms`, `2s`, `1.5s` or `1m`; a type for argparse."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m)", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError("must be a time such as 500ms, 2s or 1m")
    return float(found[1]) * {"ms": 1, "s": 1_000, "m": 60_000}[found[2]]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise argparse.ArgumentTypeError("must be a whole number, 0 for all")
    return int(text)


def _value(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _upper(text: str) -> str:
    return _value(text).upper()


def _code(text: str) -> str:
    if not re.fullmatch("[A-Za-z][0-9]{1,3}", text):
        raise argparse.ArgumentTypeError("must be a code such as H12")
    return text.upper()


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be an address such as 192.0.2.7 or 2001:db8::1") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _path(text: str) -> str:
    if "?" in text:
        raise argparse.ArgumentTypeError("is compared without the query: leave out the ? and what follows")
    try:
        compile_rules([text], "a path")
    except BadSettings as fault:
        raise argparse.ArgumentTypeError("; ".join(fault.faults).removeprefix("a path: ")) from None
    return text
