"""Makes messages: a notice and its context in words, with a link and what to do. Pure.

Whatever a client or a sender could have written (paths, names of apps and dynos) is escaped here, once: no
message has a character that cannot be printed, and each of its texts is one line of bounded length.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlencode

from app.alerts.actions import action_of
from app.alerts.board import AlertState, Incident, Notice
from app.alerts.context import Context
from app.alerts.message import Finding, Message, Request
from app.alerts.titles import is_over, is_own, leading, title_of
from app.escaping import escaped
from app.formatting import duration, shortened
from app.platform.release import Release
from app.timespec import iso_seconds

FINDINGS_MAX = 10
REQUESTS_MAX = 3
TEXT_CHARS = 300
NAME_CHARS = 200
"""Of a route or a path."""

BEFORE_S = 900
"""So much of the time before it began does the page show."""

SPAN_MAX_S = 30 * 86_400
"""The longest that the link shows."""


def message_of(notice: Notice, context: Context, base_url: str, at_s: int) -> Message:
    """The notice as it is told. `base_url`: TAILRACE_URL, or empty; `at_s`: the moment that was judged,
    Unix s."""
    incident = notice.incident
    return replace(
        plain_message(notice, at_s),
        title=title_of(incident, notice.kind, at_s),
        dyno=_line(context.dyno),
        requests=tuple(map(_request, context.requests[:REQUESTS_MAX])),
        release=release_sentence(context.release, incident.began_s),
        link=link_of(incident, base_url, at_s),
        action="" if notice.kind == "resolved" else action_of(incident, context.release),
    )


def plain_message(notice: Notice, at_s: int) -> Message:
    """The notice with its figures, in the words of its conditions: what every message is made from, and what
    goes out where a defect keeps `message_of` from saying more."""
    incident = notice.incident
    states = sorted(incident.alerts, key=is_over) if incident.resolved_s is None else incident.alerts
    what = [state.judgement.text or state.rule for state in states[:1]]
    return Message(
        id=notice.id,
        incident=incident.id,
        kind=notice.kind,
        severity=incident.severity,
        app=_name(incident.app),
        title=_line(": ".join((incident.app or "Tailrace", *what))),
        since_s=incident.began_s,
        at_s=at_s,
        findings=tuple(_finding(state, incident) for state in states[:FINDINGS_MAX]),
        more_findings=len(states[FINDINGS_MAX:]),
        resolved_s=incident.resolved_s,
        to=notice.to,
    )


def test_message(target: str, base_url: str, at_s: int) -> Message:
    """What `python -m app alerts test` sends to a target."""
    return Message(
        id=f"test.{target}.{at_s}",
        incident=f"test.{target}.{at_s}",
        kind="test",
        severity="warning",
        app="",
        title="Tailrace: a test of this target",
        since_s=at_s,
        at_s=at_s,
        findings=(),
        link=f"{base_url}/" if base_url else "",
        action="Nothing: alerts will come here like this.",
        to=(target,),
    )


def release_sentence(release: Release | None, began_s: int) -> str:
    """`7 min after v42, 9154a1d2: deploy`; empty without a release before that moment (Unix s)."""
    if release is None or release.at_ms > began_s * 1000:
        return ""
    name = f"v{release.version}" if release.version else "a release"
    commit = f", {release.commit[:8]}" if release.commit else ""
    cause = f": {' '.join((release.cause, *release.names[:3]))}" if release.cause else ""
    return _line(f"{duration(began_s - release.at_ms // 1000)} after {name}{commit}{cause}")


def link_of(incident: Incident, base_url: str, at_s: int) -> str:
    """To the view of the page that shows it, at that time; the addresses are those of
    drain/dashboard/static/js/navigation.js. Empty without `base_url`."""
    if not base_url:
        return ""
    if is_own(incident) or not incident.alerts:
        return f"{base_url}/"
    to_s = max(incident.resolved_s or at_s, incident.began_s + 10)
    from_s = max(incident.began_s - BEFORE_S, to_s - SPAN_MAX_S)
    query = {"app": incident.app} if 0 < len(incident.app) <= NAME_CHARS else {}
    query |= {"from": iso_seconds(from_s), "to": iso_seconds(to_s)}
    return f"{base_url}/#{_view(incident)}?{urlencode(query, safe=':', errors='replace')}"


def _view(incident: Incident) -> str:
    digests = {state.subject.digest for state in incident.alerts}
    worst = leading(incident)
    if worst.family == "memory" or worst.judgement.dyno:
        dyno = quote(worst.judgement.dyno[:NAME_CHARS], safe="", errors="replace")
        return "/".join(filter(None, ("/dynos", dyno)))
    return f"/routes/{worst.subject.digest}" if len(digests) == 1 and worst.subject.digest else "/"


def _finding(state: AlertState, incident: Incident) -> Finding:
    judgement = state.judgement
    return Finding(
        rule=_line(state.rule),
        app=_line(state.subject.app),
        route=_name(state.subject.route),
        text=_line(judgement.text),
        usual=_line(judgement.usual),
        value=judgement.value,
        limit=judgement.limit,
        since_s=state.bad_since_s,
        is_firing=incident.resolved_s is None and not is_over(state),
    )


def _request(request: Request) -> Request:
    return replace(
        request,
        request_id=_name(request.request_id),
        method=_name(request.method),
        path=_name(request.path),
        status=_name(request.status),
        code=_name(request.code),
        dyno=_name(request.dyno),
    )


def _line(text: str) -> str:
    return shortened(escaped(text), TEXT_CHARS)


def _name(text: str) -> str:
    return shortened(escaped(text), NAME_CHARS)
