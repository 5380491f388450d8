"""A message as lines of plain text, for e-mail, a terminal and wherever else there is no markup. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.alerts.message import Finding, Message, Request
from app.escaping import for_terminal
from app.formatting import duration, milliseconds, plural
from app.timespec import iso

BULLET = "- "
INDENT = "  "


def lines_of(message: Message) -> list[str]:
    """The title, an empty line, and paragraphs with an empty line between them. None of them has a character
    that cannot be printed, whatever the message holds; they are as long as what they say."""
    parts = [
        [message.title],
        [times_of(message)],
        list(_findings(message)),
        [message.dyno, release_line(message)],
        list(_requests(message)),
        [message.action],
        [message.link],
    ]
    paragraphs = [lines for part in parts if (lines := [for_terminal(line) for line in part if line])]
    return [line for at, lines in enumerate(paragraphs) for line in (["", *lines] if at else lines)]


def times_of(message: Message) -> str:
    """`Since 2026-11-26 10:03:20 UTC, for 4 min. Severity: critical.` Times are UTC."""
    if message.kind == "test":
        return f"Sent at {moment(message.at_s)}."
    if message.resolved_s is not None:
        took = duration(max(0, message.resolved_s - message.since_s))
        return f"From {moment(message.since_s)} to {moment(message.resolved_s)}: {took}."
    lasted = duration(max(0, message.at_s - message.since_s))
    return f"Since {moment(message.since_s)}, for {lasted}. Severity: {message.severity}."


def finding_line(finding: Finding, app: str = "") -> str:
    """`/checkout: 20.3 % of 1,240 requests failed, the limit is 2 % (usual: 0.1 %) [errors]`. `app`: of the
    message; a finding of another one says whose it is."""
    usual = f" (usual: {finding.usual})" if finding.usual else ""
    over = "" if finding.is_firing else "resolved: "
    whose = " ".join(filter(None, (finding.app if finding.app != app else "", finding.route)))
    return f"{over}{whose}{': ' if whose else ''}{finding.text}{usual} [{finding.rule}]"


def request_line(request: Request) -> str:
    """`10:03:21 UTC  GET /checkout  503 H12  web.3  30.0 s  8601b555-...`: the id last, to be copied."""
    what = " ".join(filter(None, (request.method, request.path)))
    answer = " ".join(filter(None, (request.status, request.code)))
    took = milliseconds(request.service_ms) if request.service_ms is not None else ""
    at = f"{iso(request.at_ms)[11:19]} UTC"
    return INDENT.join(filter(None, (at, what, answer, request.dyno, took, request.request_id)))


def release_line(message: Message) -> str:
    """`Began 7 min after v42, 9154a1d2: deploy`; empty without one."""
    return f"Began {message.release}" if message.release else ""


def moment(at_s: int) -> str:
    """`2026-11-26 10:03:20 UTC`."""
    return f"{iso(at_s * 1000)[:19].replace('T', ' ')} UTC"


def _findings(message: Message) -> Iterator[str]:
    for finding in message.findings:
        yield BULLET + finding_line(finding, message.app)
    if message.more_findings:
        yield f"{BULLET}and {plural(message.more_findings, 'more alert')}"


def _requests(message: Message) -> Iterator[str]:
    if message.requests:
        yield "Requests to begin with:"
        for request in message.requests:
            yield INDENT + request_line(request)
