"""The services that alerts go to, as HTTP servers for tests: they check what comes as strictly as the service
does, by its documentation, and answer as it would. For `RecordingTarget`, which records what came."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

from servers.processes import ROOT
from tests.support.alert_schemas import PAGERDUTY, SLACK, TEAMS
from tests.support.target import Behaviour, SeenRequest, answer

Check = Callable[[SeenRequest], str]
"""What is wrong with a request; empty: nothing."""


class Refusals(list[str]):
    """What a service found wrong, in order."""


def hang() -> Behaviour:
    """No answer for as long as the other side stays."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        connection.recv(1)
        return False

    return behave


def slack(refusals: Refusals) -> Behaviour:
    """`ok`, or 400 invalid_blocks."""
    return _service(slack_fault, refusals, answer(200, b"ok"), answer(400, b"invalid_blocks"))


def pagerduty(refusals: Refusals) -> Behaviour:
    taken = json.dumps({"status": "success", "message": "Event processed", "dedup_key": "x"}).encode()
    refused = json.dumps({"status": "invalid event", "message": "Event object is invalid"}).encode()
    return _service(pagerduty_fault, refusals, answer(202, taken), answer(400, refused))


def teams(refusals: Refusals) -> Behaviour:
    """A workflow: 202, without a body."""
    return _service(teams_fault, refusals, answer(202, b""), answer(400, b"TriggerInputSchemaMismatch"))


def webhook(refusals: Refusals, secret: str) -> Behaviour:
    """A receiver that follows docs/alerts.md."""

    def fault(seen: SeenRequest) -> str:
        return webhook_fault(seen, secret)

    return _service(fault, refusals, answer(204, b""), answer(400, b"bad signature"))


def _service(check: Check, refusals: Refusals, taken: Behaviour, refused: Behaviour) -> Behaviour:
    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        fault = _request_fault(seen) or check(seen)
        if fault:
            refusals.append(fault)
        return (refused if fault else taken)(connection, seen)

    return behave


def _request_fault(seen: SeenRequest) -> str:
    if seen.method != "POST":
        return f"{seen.method} in place of POST"
    if seen.headers.get("content-type") != "application/json":
        return "not application/json"
    if not seen.headers.get("user-agent", "").startswith("Tailrace"):
        return "no User-Agent of its own"
    return ""


SLACK_TOTAL_MAX = 13_000
_NOT_ESCAPED = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")


def slack_fault(seen: SeenRequest) -> str:
    content = _json(seen.body)
    if fault := _schema_fault(SLACK, content):
        return fault
    if _NOT_ESCAPED.search(content["text"]):
        return "the text is not escaped"
    total = 0
    for block in content["blocks"]:
        text = block["text"]["text"]
        length = len(text.encode("utf-16-le")) // 2
        total += length
        if length > (150 if block["type"] == "header" else 3_000):
            return f"a {block['type']} of {length} characters"
        if block["text"]["type"] == "plain_text":
            if _NOT_ESCAPED.search(text):
                return f"not escaped: {text!r}"
        elif not re.fullmatch(r"<https?://[^<>|\s]+\|[A-Za-z ]+>", text):
            return f"markup: {text!r}"
    return "" if total <= SLACK_TOTAL_MAX else f"msg_blocks_too_long: {total}"


def pagerduty_fault(seen: SeenRequest) -> str:
    if len(seen.body) > 512 * 1024:
        return f"{len(seen.body)} bytes"
    return _schema_fault(PAGERDUTY, _json(seen.body))


def teams_fault(seen: SeenRequest) -> str:
    if len(seen.body) > 21_000:
        return f"{len(seen.body)} bytes"
    return _schema_fault(TEAMS, _json(seen.body))


def webhook_fault(seen: SeenRequest, secret: str) -> str:
    timestamp = seen.headers.get("tailrace-timestamp", "")
    signed = hmac.digest(secret.encode(), timestamp.encode() + b"." + seen.body, hashlib.sha256).hex()
    if seen.headers.get("tailrace-signature") != f"v1={signed}":
        return "bad signature"
    if abs(time.time() - int(timestamp)) > 300:
        return "too old"
    content = _json(seen.body)
    if content.get("id") != seen.headers.get("tailrace-id"):
        return "another id in the header"
    return _schema_fault(webhook_schema(), content)


def webhook_schema() -> dict[str, Any]:
    """As documented; here nothing else may be in it."""
    schema: dict[str, Any] = json.loads((ROOT / "docs" / "alert.schema.json").read_text("utf-8"))
    for part in (schema, schema["$defs"]["finding"], schema["$defs"]["request"]):
        part["additionalProperties"] = False
    return schema


def _json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "strict"))


def _schema_fault(schema: dict[str, Any], content: Any) -> str:
    fault = next(Draft202012Validator(schema).iter_errors(content), None)
    return f"{fault.json_path}: {fault.message[:200]}" if fault else ""
