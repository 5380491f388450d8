"""Frames of realistic lines, and the messages that the drain makes of them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from app.message import RouterMessage, decode
from drain.receivers.logplex import parse
from drain.receivers.messages import encode_messages
from servers.logplex_client import octets
from servers.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Frame:
    """One delivery: its lines, the values of its router lines, and these decoded."""

    id: str
    app: str
    lines: list[bytes]
    values: list[bytes]
    messages: list[RouterMessage]


def frames(
    count: int, router_lines: int, apps: tuple[str, ...], seed: int = 1, *, is_legacy: bool = False
) -> list[Frame]:
    """`count` frames, in turn of each app, of Router 2.0 or of the legacy router."""
    traffic = Traffic(seed, is_legacy=is_legacy)
    now_s = time.time()
    made = []
    for number in range(count):
        lines = list(traffic.lines(router_lines, now_s - (count - number) * 0.2))
        frame_id = str(uuid.UUID(int=seed << 64 | number, version=4))
        app = apps[number % len(apps)]
        values = encode_messages(parse(octets(lines), frame_id).messages, frame_id, app, int(now_s * 1000))
        made.append(Frame(frame_id, app, lines, values, [decode(value) for value in values]))
    return made


def safe_targets(made: list[Frame]) -> list[bytes]:
    """The paths of all GET and HEAD requests among the lines, sorted: what a replay of the legacy router's
    lines sends, byte for byte, but for websockets."""
    found = []
    for frame in made:
        for message in frame.messages:
            line = message["msg"]
            if ("method=GET " in line or "method=HEAD " in line) and " status=101 " not in line:
                found.append(line.partition('path="')[2].partition('"')[0].encode())
    return sorted(found)
