"""From the messages of one frame to values of the topic: `RouterMessage` as JSON.

All messages of a frame share most of their fields, and JSON is the drain's largest cost, so what is
shared is encoded once. A test holds the result equal to `app.message.encode`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import orjson

from app.message import RouterMessage, encode, message_id
from drain.receivers.frame import SyslogMessage


def encode_messages(
    messages: Sequence[SyslogMessage], frame_id: str, app: str, received_at: int
) -> list[bytes]:
    """The value of each message, in order; `received_at` in Unix ms."""
    try:
        texts = _json_strings(b"\0".join([message.msg for message in messages]).decode(), len(messages))
    except UnicodeDecodeError:
        return [_encode_message(message, frame_id, app, received_at) for message in messages]
    timestamps = _json_strings("\0".join([message.timestamp for message in messages]), len(messages))
    if texts is None or timestamps is None:
        return [_encode_message(message, frame_id, app, received_at) for message in messages]
    join = b"".join
    open_id = b'","id":%b.' % orjson.dumps(frame_id)[:-1]
    tail = b'",' + orjson.dumps({"app": app, "received_at": received_at})[1:]
    shared: tuple[object, ...] = ()
    head = b""
    values = []
    for message, timestamp, text in zip(messages, timestamps, texts, strict=True):
        if message[3:] != shared:
            shared = message[3:]
            head = _head(message)
        values.append(join((head, timestamp, b'","msg":"', text, open_id, b"%d" % message.index, tail)))
    return values


def _json_strings(texts: str, count: int) -> list[bytes] | None:
    """Each of `count` texts with NULs between as JSON escapes it, without its quotes: one call for all.

    None where a text itself holds what separates them.
    """
    escaped = orjson.dumps(texts)[1:-1].split(b"\\u0000")
    return escaped if len(escaped) == count else None


def _head(message: SyslogMessage) -> bytes:
    """The object's beginning, up to where the timestamp's text comes."""
    shared = {
        "prival": message.prival,
        "version": message.version,
        "hostname": message.hostname,
        "app_name": message.app_name,
        "procid": message.procid,
        "msgid": message.msgid,
        "structured_data": message.structured_data,
    }
    return orjson.dumps(shared)[:-1] + b',"timestamp":"'


def _encode_message(message: SyslogMessage, frame_id: str, app: str, received_at: int) -> bytes:
    """One message, the long way. One that is no UTF-8 is readable in `msg`, and whole in `raw`."""
    value: RouterMessage = {
        "prival": message.prival,
        "version": message.version,
        "timestamp": message.timestamp,
        "hostname": message.hostname,
        "app_name": message.app_name,
        "procid": message.procid,
        "msgid": message.msgid,
        "structured_data": message.structured_data,
        "msg": message.msg.decode("utf-8", "replace"),
        "id": message_id(frame_id, message.index),
        "app": app,
        "received_at": received_at,
    }
    try:
        message.msg.decode()
    except UnicodeDecodeError:
        value["raw"] = base64.b64encode(message.msg).decode()
    # A copy: what orjson gives keeps several kB of spare room as long as it lives.
    return b"%b" % encode(value)
