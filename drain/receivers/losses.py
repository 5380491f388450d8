"""Whose losses the notices of a frame report: the sender's own, another app's, or another drain's. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from app.store.bounds import OTHER
from app.store.frame_events import OTHER_DRAIN, Loss, Report
from drain.receivers.frame import Frame, Notice

NO_LOSSES = frozenset(("L11", "L14", "L15"))
"""Notices that report no loss of a drain, whatever they count. L11: a `heroku logs --tail` was too slow;
L14: Logplex does not accept a drain's certificate; L15: `heroku logs` is unavailable for a while. By its
source, heroku/logplex writes L11 and L14 to `heroku logs` alone; what Heroku's own sends to drains is not
documented, so they are expected here too."""

DOCUMENTED = NO_LOSSES | {"L10", "L12", "L13"}
"""devcenter.heroku.com/articles/error-codes"""


def losses_and_reports(frame: Frame, tokens: Mapping[str, str]) -> tuple[list[Loss], list[Report]]:
    """What the frame's notices say: losses, each with the app that has them, and all else.

    `tokens`: DRAIN_TOKENS. A notice without a drain's name is about the drain that brings it (heroku/logplex
    puts it in front of that drain's own frame). Where the sender's own token is unknown (no header, none in
    HOSTNAME, none for its app in DRAIN_TOKENS), a named drain that DRAIN_TOKENS does not know counts as the
    sender's: it cannot be told, and a loss too many is better than one that nobody sees.
    """
    has_token = {app for token, app in tokens.items() if token.startswith("d.")}
    losses: list[Loss] = []
    reports: list[Report] = []
    for notice in frame.notices:
        own = frame.token or notice.receiving_drain
        if notice.dropped is None or notice.code in NO_LOSSES:
            reports.append(Report(notice.code if notice.code in DOCUMENTED else OTHER, 1))
            continue
        app = frame.app
        if notice.drain and notice.drain != own:
            # A key of DRAIN_TOKENS that is no token names an app that has none.
            known = tokens.get(notice.drain) if notice.drain.startswith("d.") else None
            if known is None and (own or frame.app in has_token):
                reports.append(Report(OTHER_DRAIN, notice.dropped))
                continue
            app = app if known is None else known
        losses.append(Loss(notice.code, notice.dropped, app, _identity(notice)))
    return losses, reports


def _identity(notice: Notice) -> str:
    """The same wherever the notice comes: each drain of an app gets a notice that names one of them. Empty
    for a notice without a drain's name, which comes to one drain alone."""
    if not notice.drain:
        return ""
    facts = (notice.drain, notice.code, str(notice.dropped), notice.since, notice.timestamp)
    return hashlib.blake2b("\0".join(facts).encode("utf-8", "replace"), digest_size=8).hexdigest()
