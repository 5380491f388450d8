"""From router lines of one frame to values of the topic: `RouterMessage` as JSON.

All lines of a frame share most of their fields, and JSON is the drain's largest cost, so what is
shared is encoded once. A test holds the result equal to `app.message.encode`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import orjson

from app.message import RouterMessage, encode, message_id
from drain.receivers.logplex import SyslogLine


def encode_lines(lines: Sequence[SyslogLine], frame_id: str, app: str, received_at: int) -> list[bytes]:
    """The value of each line, in order; `received_at` in Unix ms."""
    try:
        texts = _json_strings(b"\0".join([line.msg for line in lines]).decode(), len(lines))
    except UnicodeDecodeError:
        return [_encode_line(line, frame_id, app, received_at) for line in lines]
    timestamps = _json_strings("\0".join([line.timestamp for line in lines]), len(lines))
    if texts is None or timestamps is None:
        return [_encode_line(line, frame_id, app, received_at) for line in lines]
    join = b"".join
    open_id = b'","id":%b.' % orjson.dumps(frame_id)[:-1]
    tail = b'",' + orjson.dumps({"app": app, "received_at": received_at})[1:]
    shared: tuple[object, ...] = ()
    head = b""
    values = []
    for line, timestamp, text in zip(lines, timestamps, texts, strict=True):
        if line[3:] != shared:
            shared = line[3:]
            head = _head(line)
        values.append(join((head, timestamp, b'","msg":"', text, open_id, b"%d" % line.index, tail)))
    return values


def _json_strings(texts: str, count: int) -> list[bytes] | None:
    """Each of `count` texts with NULs between as JSON escapes it, without its quotes: one call for all.

    None where a text itself holds what separates them.
    """
    escaped = orjson.dumps(texts)[1:-1].split(b"\\u0000")
    return escaped if len(escaped) == count else None


def _head(line: SyslogLine) -> bytes:
    """The object's beginning, up to where the timestamp's text comes."""
    shared = {
        "prival": line.prival,
        "version": line.version,
        "hostname": line.hostname,
        "app_name": line.app_name,
        "procid": line.procid,
        "msgid": line.msgid,
        "structured_data": line.structured_data,
    }
    return orjson.dumps(shared)[:-1] + b',"timestamp":"'


def _encode_line(line: SyslogLine, frame_id: str, app: str, received_at: int) -> bytes:
    """One line, the long way. One that is no UTF-8 is readable in `msg`, and whole in `raw`."""
    message: RouterMessage = {
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
    }
    try:
        line.msg.decode()
    except UnicodeDecodeError:
        message["raw"] = base64.b64encode(line.msg).decode()
    # A copy: what orjson gives keeps several kB of spare room as long as it lives.
    return b"%b" % encode(message)
