"""Facts that are made up: requests of one app or route, ten seconds by ten seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.spans import YESTERDAY
from app.sketch import bucket
from app.store.keys import ALL_ROUTES
from app.store.sums import Sums

SHOP = Subject("shop")
CHECKOUT = Subject("shop", "/checkout", "d1")
AT_S = 1_800_000_000
"""A whole hour."""
LONG_AGO = {"shop": AT_S - 30 * 86_400}


def sums(
    requests: int,
    failed: int = 0,
    *,
    status: str = "503",
    code: str = "",
    aborted: int = 0,
    times_ms: Mapping[float, int] | None = None,
) -> Sums:
    """Requests of which some failed, with a status and maybe a code of the router."""
    found = Sums({"requests": requests})
    if aborted:
        found.counts["aborted"] = aborted
    found.names["statuses"] = {"200": requests - failed, **({status: failed} if failed else {})}
    if code:
        found.names["codes"] = {code: failed}
    if times_ms:
        found.sketches["service"] = {bucket(ms): count for ms, count in times_ms.items()}
    return found


def added(parts: Sequence[Sums]) -> Sums:
    """All of them together."""
    total = Sums()
    for part in parts:
        for name, count in part.counts.items():
            total.counts[name] = total.counts.get(name, 0) + count
        for kind, names in part.names.items():
            for name, count in names.items():
                there = total.names.setdefault(kind, {})
                there[name] = there.get(name, 0) + count
        for kind, buckets in part.sketches.items():
            for index, count in buckets.items():
                here = total.sketches.setdefault(kind, {})
                here[index] = here.get(index, 0) + count
    return total


def recent(needs: Needs, tens: Sequence[Sums]) -> dict[Stretch, Sums]:
    """The stretches of the last hours: the last of `tens` are the ten seconds before the moment."""
    return {
        stretch: added(tens[max(0, len(tens) - stretch.from_s // 10) : len(tens) - stretch.to_s // 10])
        for stretch in needs.stretches
        if stretch.from_s <= 21_600
    }


def facts_of(
    needs: Needs,
    tens: Sequence[Sums],
    *,
    subject: Subject = SHOP,
    at_s: int = AT_S,
    days_before: Sequence[Sums] = (),
    first_s: Mapping[str, int] | None = None,
    last_s: Mapping[str, int] | None = None,
    others: Mapping[Stretch, Sums] | None = None,
) -> Facts:
    """The facts of a moment; `days_before`: what the stretch YESTERDAY, and those like it of the days before,
    say, the latest first. `others`: of any other stretch."""
    before = {
        Stretch(YESTERDAY.from_s + day * 86_400, YESTERDAY.to_s + day * 86_400): one
        for day, one in enumerate(days_before)
    }
    return Facts(
        at_s,
        rows={
            (subject.app, subject.digest or ALL_ROUTES): {**recent(needs, tens), **before, **(others or {})}
        },
        apps=(subject.app,),
        first_s=LONG_AGO if first_s is None else first_s,
        last_s={} if last_s is None else last_s,
    )
