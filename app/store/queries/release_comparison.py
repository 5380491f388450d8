"""Compares two spans of an app: around a release, or any two.

The span before a release ends where its switch-over begins; the span after it begins when the last of the
new dynos was up and the last of the old ones gone. Both consist of whole windows, so on either side up to a
window is left out: 10 s for a release of the last hour, a minute for one of the last day, an hour for one
that is older. An hour before and an hour after tell nothing of how much traffic varies, so an older release
is compared with HOURS_MIN on each side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import redis

from app.comparison.result import Comparison
from app.formatting import duration
from app.platform.release import Release
from app.store.queries.events import events, find_release
from app.store.queries.routes import apps
from app.store.queries.spans import FINE_S, HOUR_S, MINUTE_S, SPAN_MAX_S, Span, kept_from_s, kept_grain_s
from app.store.queries.two_spans import Stretch, compare_stretches, round_down, round_up
from app.timespec import iso_seconds

WINDOW_S = 900
"""The length of both spans, unless another is asked for."""
UP_AFTER_S = 120
"""A release whose dynos no message speaks of is taken to be up so long after it. Heroku gives a new dyno 60
s to bind to its port (R10), and with preboot lets the old ones serve for about three minutes more; this is
between the two, and every answer that rests on it says so."""
APART_MIN_S = 60
"""Releases that follow one another sooner, up to up, are compared as one."""
HOURS_MIN = 4
NAMED = 5
_GRAINS = {FINE_S: "10 s", MINUTE_S: "minute", HOUR_S: "hour"}


def compare_release(
    store: redis.Redis, app: str, version: int, now_s: float, window_s: int = WINDOW_S
) -> Comparison:
    """The span before a release against the one after its dynos were up; `version` 0: the latest. Without an
    app's name it is that of the only app there is. Raises redis.RedisError."""
    app, refused = _named_app(store, app)
    if refused:
        return Comparison(app, refused=refused)
    release = find_release(store, app, version, now_s)
    if release is None:
        return Comparison(app, refused=_no_release(app, version, events(store, app, None, now_s).releases))
    reach_s = max(window_s, HOURS_MIN * HOUR_S) + HOUR_S
    around = Span(2 * reach_s, release.at_ms // 1000 + reach_s)
    return compare_around(store, app, release, events(store, app, around, now_s).releases, now_s, window_s)


def compare_around(
    store: redis.Redis, app: str, release: Release, kept: Sequence[Release], now_s: float, window_s: int
) -> Comparison:
    """The same, of a release that is known; `kept`: the releases of the app around it, in any
    order."""
    warnings: list[str] = []
    first, last = _as_one(release, kept, warnings)
    switch_s, (up_s, assumed) = first.at_ms // 1000, _up_s(last)
    if assumed:
        warnings.append(
            f"no message says when the dynos of {_name(last)} were up: {duration(UP_AFTER_S)} after the "
            "release is assumed"
        )
    grain_s = kept_grain_s(switch_s - window_s, now_s)
    if grain_s == HOUR_S:
        window_s = max(round_up(window_s, HOUR_S), HOURS_MIN * HOUR_S)
        warnings.append(
            f"only whole hours are kept of that time: {window_s // HOUR_S} hours on each side are compared, "
            "without those of the switch-over"
        )
    before_s = round_down(switch_s, grain_s)
    after_s = round_up(up_s, grain_s)
    if before_s - grain_s < kept_from_s(HOUR_S, now_s):
        return Comparison(
            app,
            release=release,
            refused=f"{_name(release)} came at {_moment(release.at_ms)}, and figures are kept for "
            f"{SPAN_MAX_S // 86_400} days",
        )
    before = Stretch(max(before_s - window_s, kept_from_s(grain_s, now_s)), before_s, grain_s)
    after = Stretch(after_s, after_s + window_s, grain_s)
    before = _cut_before(before, first, kept, warnings)
    after = _cut_after(after, last, kept, warnings)
    if before.seconds <= 0 or after.seconds <= 0:
        return Comparison(
            app,
            release=release,
            refused=f"no whole {_GRAINS[grain_s]} lies between {_name(release)} and a release next to it, "
            "and figures of that time are kept no finer. Compare two spans that hold several releases",
        )
    found = compare_stretches(store, app, before, after, now_s, warnings)
    return replace(found, release=release)


def compare_spans(store: redis.Redis, app: str, before: Span, after: Span, now_s: float) -> Comparison:
    """Any two spans, each with an end (Span.until_s), widened to whole windows. Raises redis.RedisError."""
    warnings: list[str] = []
    stretches = []
    for span in (before, after):
        to_s = int(now_s) if span.until_s is None else span.until_s
        from_s = to_s - span.seconds
        grain_s = kept_grain_s(from_s, now_s)
        if round_down(from_s, grain_s) < kept_from_s(HOUR_S, now_s):
            return Comparison(
                app,
                refused=f"the span from {_moment(from_s * 1000)} begins too early: figures are kept for "
                f"{SPAN_MAX_S // 86_400} days",
            )
        if from_s >= now_s - FINE_S:
            return Comparison(app, refused=f"the span from {_moment(from_s * 1000)} has hardly begun")
        stretches.append(Stretch(round_down(from_s, grain_s), round_up(to_s, grain_s), grain_s))
        if grain_s == HOUR_S and (from_s % HOUR_S or to_s % HOUR_S):
            warnings.append(
                f"only whole hours are kept of the time from {_moment(from_s * 1000)}: the span is "
                "widened to these"
            )
    one, other = stretches
    if one.from_s < other.to_s and other.from_s < one.to_s:
        return Comparison(
            app,
            refused="the two spans overlap"
            + (", once they are widened to whole hours: older times are kept by the hour" if warnings else "")
            + ". Choose two that do not",
        )
    return compare_stretches(store, app, one, other, now_s, warnings)


# --- which releases --------------------------------------------------------------------------


def _as_one(release: Release, kept: Sequence[Release], warnings: list[str]) -> tuple[Release, Release]:
    """The first and the last of the releases that came with this one, so close that there is no span between
    them: adding an add-on and deploying, say."""
    ordered = sorted({one.at_ms: one for one in (*kept, release)}.values(), key=lambda one: one.at_ms)
    at = next(number for number, one in enumerate(ordered) if one.at_ms == release.at_ms)
    first = last = at
    while first and ordered[first].at_ms / 1000 - _up_s(ordered[first - 1])[0] < APART_MIN_S:
        first -= 1
    while last + 1 < len(ordered) and ordered[last + 1].at_ms / 1000 - _up_s(ordered[last])[0] < APART_MIN_S:
        last += 1
    if first != last:
        others = [_name(one) for one in ordered[first : last + 1] if one.at_ms != release.at_ms]
        named = ", ".join(others[:NAMED]) + (" and others" if len(others) > NAMED else "")
        warnings.append(
            f"{named} came so close to {_name(release)} that there is nothing in between: this is what all "
            "of them changed"
        )
    return ordered[first], ordered[last]


def _cut_before(before: Stretch, first: Release, kept: Sequence[Release], warnings: list[str]) -> Stretch:
    """Not reaching into the switch-over of the release before."""
    earlier = [one for one in kept if one.at_ms < first.at_ms]
    if not earlier:
        return before
    previous = max(earlier, key=lambda one: one.at_ms)
    up_s = round_up(_up_s(previous)[0], before.grain_s)
    if up_s <= before.from_s:
        return before
    warnings.append(f"the span before begins when {_name(previous)} was up, so it is shorter")
    return Stretch(up_s, before.to_s, before.grain_s)


def _cut_after(after: Stretch, last: Release, kept: Sequence[Release], warnings: list[str]) -> Stretch:
    """Not reaching into the next release."""
    later = [one for one in kept if one.at_ms > last.at_ms]
    if not later:
        return after
    following = min(later, key=lambda one: one.at_ms)
    next_s = round_down(following.at_ms // 1000, after.grain_s)
    if next_s >= after.to_s:
        return after
    warnings.append(f"the span after ends when {_name(following)} came, so it is shorter")
    return Stretch(after.from_s, next_s, after.grain_s)


def _up_s(release: Release) -> tuple[int, bool]:
    """When its dynos were up (Unix s), and whether that is assumed."""
    if release.up_ms is None:
        return release.at_ms // 1000 + UP_AFTER_S, True
    return -(-release.up_ms // 1000), False


# --- refusals --------------------------------------------------------------------------------


def _named_app(store: redis.Redis, app: str) -> tuple[str, str]:
    """The app, and why there is none."""
    found = apps(store)
    names = [one.name for one in found.apps]
    if app:
        if app in names:
            return app, ""
        there = f"there are {_listed(names)}" if names else "no line had an app's name yet"
        return app, f"no requests of an app {app!r} were counted: {there}"
    if len(names) == 1 and not found.unnamed:
        return names[0], ""
    if names:
        return "", f"a release belongs to one app: say which, of {_listed(names)}"
    return "", (
        "a release belongs to one app, and the lines here have no app's name. Name the app in DRAIN_TOKENS, "
        "or by ?app=NAME in the drain's URL. Two spans can be compared without a name"
    )


def _no_release(app: str, version: int, kept: Sequence[Release]) -> str:
    if not kept:
        return (
            f"no release of {app} is known. The platform logs each one to the app's drains: was there one "
            "since the drain was added?"
        )
    named = [_name(one) for one in sorted(kept, key=lambda one: -one.at_ms)]
    return f"no release v{version} of {app} is known: there are {_listed(named)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _name(release: Release) -> str:
    return f"v{release.version}" if release.version else f"the release at {_moment(release.at_ms)}"


def _moment(at_ms: int) -> str:
    return iso_seconds(at_ms // 1000)
