"""The lines around the table of `top`: what they say, as long as the screen is wide. Pure; all is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from app.cli.period import named
from app.cli.platform_words import last_release
from app.cli.tables import codes, counts, moment, title
from app.cli.top.snapshot import Snapshot
from app.cli.top.view import View
from app.escaping import for_terminal
from app.formatting import milliseconds, number, percent, plural, rate
from app.store import queries

KEYS = (
    "F1 help  / filter  Enter detail  <> sort  r reverse  w window  Tab view  q quit",
    "? help  / filter  <> sort  w window  Tab view  q quit",
    "? help  q quit",
)


def fitting(texts: Sequence[str], width: int) -> str:
    """The first of the texts that fits, on one line; else the last, cut."""
    safe = [for_terminal(text) for text in texts]
    return next((text for text in safe if len(text) <= width), cut(safe[-1], width))


def cut(text: str, width: int) -> str:
    """The text, with an ellipsis at its end where it is longer than `width`."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "\N{HORIZONTAL ELLIPSIS}"


def heading(snapshot: Snapshot, view: View, shown: int, width: int) -> str:
    """Whose figures these are, of which time, what they are filtered by, and the last release."""
    wanted = snapshot.wanted
    app = "" if wanted.by == "app" else wanted.app
    full = title(app, named(wanted.window), snapshot.from_s, snapshot.to_s)
    of_when = f"until {moment(snapshot.to_s)[11:]}"
    if snapshot.from_s is not None:
        of_when = f"{moment(snapshot.from_s)[11:]} to {moment(snapshot.to_s)[11:]}"
    short = f"{app or 'all apps'}, {wanted.window} ({of_when} UTC)"
    more = f", by {wanted.by}"
    if view.filter:
        more += f", {number(shown)} of {number(len(snapshot.rows))} with {view.filter!r}"
    texts = (full + more, short + more, f"{app or 'all apps'}, {wanted.window}{more}")
    release = last_release(snapshot.release, snapshot.at_s, of_app=not app)
    return fitting((*(f"{text}; {release}" for text in texts if release), *texts), width)


def totals(total: queries.Figures, width: int) -> str:
    """All rows together, in one line."""
    per_s = "" if total.rate is None else f", {rate(total.rate)}/s"
    service = total.service
    p50, p95, p99 = map(milliseconds, (service.p50, service.p95, service.p99))
    errors = percent(total.error_rate)
    return fitting(
        (
            f"requests {number(total.count)}{per_s}   errors {number(total.errors)}, {errors}   "
            f"median {p50}  p95 {p95}  p99 {p99}  longest {milliseconds(service.max)}",
            f"requests {number(total.count)}{per_s}   errors {errors}   median {p50}  p95 {p95}  p99 {p99}",
            f"requests {number(total.count)}{per_s}  errors {errors}  p95 {p95}",
            f"requests {number(total.count)}  errors {errors}",
        ),
        width,
    )


def outcomes(total: queries.Figures, width: int) -> str:
    """Codes, aborted requests and connections; empty without any."""
    found = [f"aborted {number(total.aborted)}"] if total.aborted else []
    found += [f"connections {number(total.connections)}"] if total.connections else []
    with_meanings = [codes(total.codes), *found] if total.codes else found
    bare = [counts(total.codes), *found] if total.codes else found
    return (
        fitting(("   ".join(with_meanings), "   ".join(bare), "  ".join(bare)), width)
        if found or bare
        else ""
    )


def warnings(alerts: Sequence[queries.Alert], notice: str, width: int) -> str:
    """All warnings in one line; empty without any."""
    said = [*filter(None, [notice]), *(alert.title for alert in alerts)]
    if not said:
        return ""
    what = plural(len(said), "warning")
    return cut(
        for_terminal(f"! {what} (! opens {'it' if len(said) == 1 else 'them'}): {'; '.join(said)}"), width
    )


def trouble(fault: str, at_s: float, width: int) -> str:
    """That the figures are old, and why."""
    return cut(for_terminal(f"Showing figures from {moment(at_s)[11:]} UTC. {fault}. Retrying."), width)


def keys(snapshot: Snapshot, view: View, fault: str, width: int) -> str:
    """The last line: keys, or what is being read."""
    if snapshot.wanted != view.wanted and not fault:
        return cut(f"reading: {view.window} by {view.by} ...", width)
    return fitting(KEYS, width)


def nothing(view: View) -> str:
    """Why the table is empty."""
    if view.filter:
        return for_terminal(f"no {view.by} with {view.filter!r}")
    return "no requests in this window"
