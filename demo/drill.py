"""The drill of `make drill`: what the person on call is asked, and at the end what there was to be found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

IDS_SHOWN = 3

QUESTIONS = """
  You are on call for three apps: shop, blog and api. In about a minute several things go wrong.
  For each of them find out, on the page, with `top`, `report` and `requests`:
    which app and route, which dyno if one stands out, the first bad ten seconds, three request ids.
  {commands}
  Ctrl-C ends the drill and prints the answers.
"""


def answers(truth: Path) -> list[str]:
    """What the incident wrote of itself, as lines to read; empty if it has not written anything."""
    try:
        found = json.loads(truth.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    lines = ["", "  What was wrong:"]
    for number, fault in enumerate(sorted(found, key=_start_s), 1):
        lines += _answer(number, fault)
    return [*lines, ""]


def _start_s(fault: Mapping[str, Any]) -> float:
    return float(fault["first_s"] or "inf")


def _answer(number: int, fault: Mapping[str, Any]) -> Sequence[str]:
    if not fault["requests"]:
        return [f"  {number}. {fault['app']}: {fault['name']} (it had not begun yet)"]
    where = f"route {fault['path'].partition('?')[0]}" if fault["path"] else "all routes"
    dyno = f", dyno {fault['dyno']}" if fault["dyno"] else ", no dyno stands out"
    step_s = fault["first_s"] // 10 * 10
    since = datetime.fromtimestamp(step_s, UTC)
    return [
        f"  {number}. {fault['app']}: {fault['name']}, {where}{dyno}",
        f"     first bad ten seconds: {since:%H:%M:%S} UTC; {len(fault['requests']):,} requests, such as",
        *(f"       {request_id}" for request_id in fault["requests"][:IDS_SHOWN]),
    ]
