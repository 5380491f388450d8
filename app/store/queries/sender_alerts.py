"""Alerts about what senders report, and about what is wrong with their requests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.formatting import duration, plural
from app.store.queries.alert import Alert, Severity
from app.store.queries.health import Health
from app.store.sender_faults import Kind, SenderFault

SHOWN_S = 3_600
"""A fault is shown for so long after the last request that had it."""

TOKENS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why frames are refused for good."""

    what: str
    """The end of `12 frames ...`."""
    action: str


CAUSES: Mapping[Kind, _Cause] = {
    "password": _Cause(
        "came with a wrong user or password (401)",
        "Compare the URL of the drain (`heroku drains -a APP`) with `DRAIN_USER`, `DRAIN_PASSWORD` and "
        "`DRAIN_CREDENTIALS`. A drain's URL cannot be changed: add one with the right URL, then remove it.",
    ),
    "token": _Cause(
        "came from drains that DRAIN_TOKENS does not name (401)",
        "Add `TOKEN=APP` to `DRAIN_TOKENS` (`heroku drains --json -a APP` shows the token), or remove the "
        "drain.",
    ),
    "no_token": _Cause(
        "came without a drain token, which DRAIN_TOKENS requires (401)",
        "Drains of Private Spaces send none: give the drain a URL that ends in `/logs?app=NAME`, and add "
        "`app=NAME` to `DRAIN_TOKENS`.",
    ),
    "path": _Cause(
        "came to a path that takes no frames (404, 405 or 401)",
        "The path of a drain's URL is `/logs`: compare `heroku drains -a APP`, add one with the right URL, "
        "then remove the wrong one.",
    ),
    "content_type": _Cause(
        "had a Content-Type other than application/logplex-1 (415)",
        "Only HTTPS drains and log-shuttle can send here; look at what is between them and `web`.",
    ),
    "encoding": _Cause(
        "had a Content-Encoding that is not gzip (415)", "Have the sender, or the proxy, send gzip or none."
    ),
    "too_large": _Cause("exceeded the size limit (413)", "Raise `DRAIN_BODY_MAX_BYTES`."),
    "malformed": _Cause(
        "could not be read from the first byte on (400)",
        "Find the sender: `web` logs `frame rejected` with the reason. It must send octet-counted syslog.",
    ),
}


def sender_alerts(health: Health) -> Iterator[Alert]:
    """Losses first, then frames that were refused, then what only should be known."""
    yield from _losses(health)
    for fault in health.sender_faults:
        # What does not look like Logplex is a scanner's: it is counted, but nothing of anybody's is lost.
        if fault.sender == "logplex" and health.at_s - fault.last_s < SHOWN_S:
            yield from _fault(fault, health)
    yield from _other_drains(health)
    yield from _reports(health)


def _losses(health: Health) -> Iterator[Alert]:
    for app, dropped in sorted(health.losses_last_hour.items()):
        yield Alert(
            code=f"losses:{app}",
            severity="warning",
            title=f"{plural(dropped, 'message')} from {app or 'your app'} "
            f"{'was' if dropped == 1 else 'were'} lost in the last hour",
            text="Logplex dropped them before they reached the drain (L10 and similar), "
            "so counts are too low by up to that many.",
            action="If this continues, the drain was too slow or unreachable: add web processes, "
            "or give a noisy app its own Tailrace.",
            count=dropped,
            app=app,
        )


def _fault(fault: SenderFault, health: Health) -> Iterator[Alert]:
    count = max(1, fault.count_last_hour)
    last = f"The last was {duration(max(0, health.at_s - fault.last_s))} ago."
    token = f" Its drain token has the digest {fault.token_digest}." if fault.token_digest else ""
    if fault.kind == "app_name":
        yield Alert(
            code="app_name",
            severity="warning",
            title=f"{plural(count, 'frame')} came with an invalid app name in the URL",
            text=f"Nothing was lost: requests in it count without an app's name. {last}{token}",
            action="After `?app=`, give one name of letters, digits, `-` and `_`, 64 at most. A drain's URL "
            "cannot be changed: add one with the right URL, then remove the wrong one.",
            count=fault.count_ever,
        )
    elif fault.kind == "newline":
        yield Alert(
            code="newline",
            severity="note",
            title=f"{plural(count, 'message')} ended in a newline that the octet count misses",
            text=f"Nothing was lost: Tailrace reads on after it. {last}{token}",
            action="Have the sender count the newline: another drain may drop the rest of such a frame.",
            count=fault.count_ever,
        )
    elif fault.kind == "platform_topic":
        yield Alert(
            code="platform_topic",
            severity="warning",
            title=f"{plural(count, 'message')} of the platform found no topic in Kafka",
            text=f"No request is missing, but releases and states of dynos are. {last}",
            action="Run `python -m app release`: it makes the topic `platform`, or says which command does.",
            count=fault.count_ever,
        )
    else:
        cause = CAUSES[fault.kind]
        text = f"Logplex does not send such a frame again, so what was in it is missing. {last}"
        text += _unknown(health) if fault.kind == "token" else token
        yield Alert(
            code=f"frames_refused:{fault.kind}",
            severity="warning",
            title=f"{plural(count, 'frame')} {cause.what}",
            text=text,
            action=cause.action,
            count=fault.count_ever,
        )


def _unknown(health: Health) -> str:
    recent = [token for token in health.unknown_tokens if health.at_s - token.last_s < SHOWN_S]
    if not recent:
        return ""
    shown = ", ".join(f"{token.token_digest} ({token.count})" for token in recent[:TOKENS_SHOWN])
    more = f" and {len(recent) - TOKENS_SHOWN} more" if len(recent) > TOKENS_SHOWN else ""
    return f" Digests of the tokens: {shown}{more}."


def _other_drains(health: Health) -> Iterator[Alert]:
    for app, dropped in sorted(health.other_drains_losses_last_hour.items()):
        yield Alert(
            code=f"other_drain:{app}",
            severity="note",
            title=f"Another drain of {app or 'your app'} lost {plural(dropped, 'message')} in the last hour",
            text="Logplex says so in this drain too, and names the other one. Nothing is missing here.",
            action="If that drain is one of Tailrace's, add its token to `DRAIN_TOKENS`.",
            count=dropped,
            app=app,
        )


@dataclass(frozen=True, slots=True)
class _Meaning:
    severity: Severity
    what: str
    """Behind `Logplex reports of APP: `."""
    action: str


MEANINGS: Mapping[str, _Meaning] = {
    "L11": _Meaning("note", "a `heroku logs --tail` was too slow (L11)", ""),
    "L14": _Meaning(
        "warning",
        "it does not accept the certificate of a drain (L14)",
        "`heroku logs -p logplex -a APP` shows which, as `uri`. If it is Tailrace's, renew the certificate; "
        "until then nothing arrives through that drain.",
    ),
    "L15": _Meaning(
        "note",
        "`heroku logs` is unavailable for a while (L15)",
        "Use `heroku logs --tail` until it is back. Drains are not concerned.",
    ),
}
LOSS_OF_UNKNOWN_SIZE = _Meaning(
    "warning",
    "messages were lost, in a form that Tailrace cannot read",
    "Counts may be too low. `heroku logs -p logplex -a APP` shows the notice; please report its form.",
)
UNKNOWN = _Meaning("note", "an error with an unknown code", "`heroku logs -p logplex -a APP` shows it.")


def _reports(health: Health) -> Iterator[Alert]:
    for report in health.sender_reports:
        if not report.count_last_hour:
            continue
        is_loss = report.code in ("L10", "L12", "L13")
        meaning = MEANINGS.get(report.code, LOSS_OF_UNKNOWN_SIZE if is_loss else UNKNOWN)
        times = "once" if report.count_last_hour == 1 else f"{report.count_last_hour:,} times"
        yield Alert(
            code=f"sender_report:{report.code}:{report.app}",
            severity=meaning.severity,
            title=f"Logplex reports of {report.app or 'your app'}: {meaning.what.replace('`', '')}",
            text=f"It said so {times} in the last hour.",
            action=meaning.action,
            count=report.count_last_hour,
            app=report.app,
        )
