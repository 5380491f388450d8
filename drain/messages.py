"""From router lines of one frame to values of the topic: `RouterMessage` as JSON.

All lines of a frame share most of their fields, and JSON is the drain's largest cost, so what is
shared is encoded once. A test holds the result equal to `app.message.encode`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import orjson

from app.message import RouterMessage, encode, message_id
from drain.logplex import SyslogLine


def encode_lines(lines: Sequence[SyslogLine], frame_id: str, app: str, received_at: int) -> Iterator[bytes]:
    """The value of each line, in order; `received_at` in Unix ms."""
    dumps = orjson.dumps
    heads: dict[tuple[object, ...], bytes] = {}
    open_id = dumps(frame_id)[:-1]
    tail = dumps({"app": app, "received_at": received_at})[1:]
    for line in lines:
        try:
            text = dumps(line.msg.decode())
        except UnicodeDecodeError:
            # A copy: what orjson gives keeps several kB of spare room as long as it lives.
            yield b"%b" % encode(_with_raw_bytes(line, frame_id, app, received_at))
            continue
        shared = (line.prival, line.version, *line[4:9])
        head = heads.get(shared)
        if head is None:
            head = heads[shared] = _head(line)
        yield b'%b"timestamp":%b,"msg":%b,"id":%b.%d",%b' % (
            head,
            dumps(line.timestamp),
            text,
            open_id,
            line.index,
            tail,
        )


def _head(line: SyslogLine) -> bytes:
    """The object's beginning, up to what differs from line to line."""
    shared = {
        "prival": line.prival,
        "version": line.version,
        "hostname": line.hostname,
        "app_name": line.app_name,
        "procid": line.procid,
        "msgid": line.msgid,
        "structured_data": line.structured_data,
    }
    return orjson.dumps(shared)[:-1] + b","


def _with_raw_bytes(line: SyslogLine, frame_id: str, app: str, received_at: int) -> RouterMessage:
    """A line that is no UTF-8: readable in `msg`, and whole in `raw`."""
    return {
        "prival": line.prival,
        "version": line.version,
        "timestamp": line.timestamp,
        "hostname": line.hostname,
        "app_name": line.app_name,
        "procid": line.procid,
        "msgid": line.msgid,
        "structured_data": line.structured_data,
        "msg": line.msg.decode("utf-8", "replace"),
        "id": message_id(frame_id, line.index),
        "app": app,
        "received_at": received_at,
        "raw": base64.b64encode(line.msg).decode(),
    }
