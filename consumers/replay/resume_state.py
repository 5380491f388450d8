"""What a run that ended early needs in order to go on: pairs as bytes, and two parts joined into one. Pure.

The figures are in Redis anyway, and pace and timeline of the first part are in its result. What is left is
where to go on, what must not count twice, which flags it had, and the pairs: float32, little-endian.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.sketch import percentile
from app.store.run_result import Coverage, Milliseconds, Pace, TimePoint
from consumers.replay.pairs import ALL_MAX, Pairs, PairSample
from consumers.replay.sending.meter import STEPS_MAX

BYTES_MAX = 8_000_000
"""Of the pairs of one run."""
IDS_BYTES_MAX = 2_000_000
"""Of the ids of messages that are done already."""

STATE = b"state"
_DONE = b"done"
_ALL = b"all"
_ROUTE = b"route:"
_HEAD = struct.Struct("<QQ")
"""Of a packed sample: how many pairs it has seen, and its stride."""
_PAIR_BYTES = 8


@dataclass(frozen=True, slots=True)
class ResumeState:
    """Where and how to go on."""

    from_ms: int
    """The `--from` of the next part, Unix ms."""
    flags: Mapping[str, str]
    """Flag -> its value, of those that must not change in between."""
    to_send: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(reason, route) -> requests that count as not sent, and that the next part sends."""

    def skipped(self) -> Counter[str]:
        """Reason -> requests of `to_send`."""
        found: Counter[str] = Counter()
        for (reason, _), count in self.to_send.items():
            found[reason] += count
        return found

    def pack(self) -> bytes:
        """As it is kept."""
        to_send = [[reason, route, count] for (reason, route), count in self.to_send.items()]
        # By the standard library, because a route may have halves of surrogates.
        return json.dumps({"from_ms": self.from_ms, "flags": dict(self.flags), "to_send": to_send}).encode()

    @classmethod
    def unpack(cls, data: bytes) -> ResumeState | None:
        """None for what this version cannot read."""
        try:
            found: Any = json.loads(data)
            to_send = {(reason, route): int(count) for reason, route, count in found["to_send"]}
            return cls(int(found["from_ms"]), dict(found["flags"]), to_send)
        except (ValueError, KeyError, TypeError):
            return None


def pack_ids(ids: Sequence[str]) -> dict[bytes, bytes]:
    """The ids of messages as a field of a hash; the latest, if they would take more than IDS_BYTES_MAX."""
    kept = list(ids)
    while len(packed := json.dumps(kept).encode()) > IDS_BYTES_MAX:
        kept = kept[len(kept) // 2 + 1 :]
    return {_DONE: packed}


def unpack_ids(fields: Mapping[bytes, bytes]) -> list[str]:
    """The ids again; empty for a field of any other form."""
    try:
        found: Any = json.loads(fields.get(_DONE, b"[]"))
    except ValueError:
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def pack_pairs(pairs: Pairs, bytes_max: int = BYTES_MAX) -> dict[bytes, bytes]:
    """The samples as fields of a hash. Where they would take more than `bytes_max`, the largest are thinned
    at random."""
    fields = {_ALL: _packed(pairs.all, min(len(pairs.all), bytes_max // 4 // _PAIR_BYTES))}
    left = max(0, (bytes_max - len(fields[_ALL])) // _PAIR_BYTES)
    # The small samples first: each route gets an equal share of what is left, and what it does not need
    # goes to the larger ones.
    for number, (route, sample) in enumerate(sorted(pairs.routes.items(), key=lambda one: len(one[1]))):
        name = _ROUTE + route.encode("utf-8", "surrogatepass")
        head = (_HEAD.size + len(name)) // _PAIR_BYTES + 1
        share = left // (len(pairs.routes) - number) - head
        if share <= 0:
            continue
        fields[name] = _packed(sample, min(len(sample), share))
        left -= (len(fields[name]) + len(name)) // _PAIR_BYTES + 1
    return fields


def unpack_pairs(fields: Mapping[bytes, bytes]) -> Pairs:
    """The samples again. Fields of any other form are left out."""
    pairs = Pairs()
    for name, data in fields.items():
        if name == _ALL:
            pairs.all = _unpacked(data, ALL_MAX) or pairs.all
        elif name.startswith(_ROUTE) and (sample := _unpacked(data)):
            pairs.routes[name[len(_ROUTE) :].decode("utf-8", "surrogatepass")] = sample
    return pairs


def _packed(sample: PairSample, size_max: int) -> bytes:
    while len(sample) > size_max:
        sample = sample.thinned()
    before, after = (array("f", values) for values in (sample.before_ms, sample.after_ms))
    if sys.byteorder == "big":
        before.byteswap()
        after.byteswap()
    return _HEAD.pack(sample.seen, sample.stride) + before.tobytes() + after.tobytes()


def _unpacked(data: bytes, size_max: int | None = None) -> PairSample | None:
    """None for what is not a packed sample."""
    if len(data) < _HEAD.size or (len(data) - _HEAD.size) % _PAIR_BYTES:
        return None
    seen, stride = _HEAD.unpack_from(data)
    before, after = array("f"), array("f")
    half = (len(data) - _HEAD.size) // 2
    before.frombytes(data[_HEAD.size : _HEAD.size + half])
    after.frombytes(data[_HEAD.size + half :])
    if sys.byteorder == "big":
        before.byteswap()
        after.byteswap()
    sample = PairSample() if size_max is None else PairSample(size_max)
    return replace(sample, before_ms=before, after_ms=after, seen=seen, stride=stride)


def joined_pace(earlier: Pace, later: Pace, late_ms: Mapping[int, int]) -> Pace:
    """The pace of two parts of a run together. `late_ms`: the sketch of both."""
    duration_s = earlier.duration_s + later.duration_s
    # The part that fell further behind says why.
    slower = min((later, earlier), key=lambda part: 1.0 if part.share_reached is None else part.share_reached)
    explained = slower if slower.fault or slower.explanation else later

    def mean(before: float | None, after: float | None) -> float | None:
        """By duration: what was sent, and how much of the window, sums up."""
        if before is None or after is None or not duration_s:
            return after if before is None else before
        return (before * earlier.duration_s + after * later.duration_s) / duration_s

    p50, p95, p99 = (round(percentile(late_ms, share), 3) if late_ms else None for share in (0.5, 0.95, 0.99))
    longest = [one for one in (earlier.late.max, later.late.max) if one is not None]
    return replace(
        later,
        asked=earlier.asked or later.asked,
        speed_asked=mean(earlier.speed_asked, later.speed_asked),
        speed_reached=mean(earlier.speed_reached, later.speed_reached),
        rate_asked=mean(earlier.rate_asked, later.rate_asked),
        rate_reached=mean(earlier.rate_reached, later.rate_reached) or 0.0,
        share_reached=mean(earlier.share_reached, later.share_reached),
        duration_s=duration_s,
        late=Milliseconds(p50, p95, p99, max(longest, default=None)),
        fault=explained.fault,
        explanation=explained.explanation,
        concurrency=max(earlier.concurrency, later.concurrency),
    )


def joined_coverage(earlier: Coverage, both: Coverage) -> Coverage:
    """`both`: of the figures of both parts, and of the later part's window. `earlier` knows the whole window,
    and how much was of other apps, which is in no figures."""
    of_other_apps = earlier.not_asked.get("app", 0)
    not_asked = dict(both.not_asked)
    if of_other_apps:
        not_asked["app"] = not_asked.get("app", 0) + of_other_apps
    return replace(
        both,
        in_window=both.in_window + of_other_apps,
        not_asked=not_asked,
        window_s=max(earlier.window_s, both.window_s),
        missing_s=max(earlier.missing_s, both.missing_s),
        was_overtaken=earlier.was_overtaken or both.was_overtaken,
    )


def joined_timeline(earlier: list[TimePoint], later: list[TimePoint], duration_s: float) -> list[TimePoint]:
    """Both timelines, the later one after `duration_s` of the earlier; at most STEPS_MAX points."""
    points = [*earlier, *(replace(point, at_s=point.at_s + duration_s) for point in later)]
    while len(points) > STEPS_MAX:
        points = [_joined(points[at : at + 2]) for at in range(0, len(points), 2)]
    return points


def _joined(points: list[TimePoint]) -> TimePoint:
    """Neighbours as one point."""
    timed = [point for point in points if point.service_ms is not None and point.sent]
    sent = sum(point.sent for point in timed)
    return TimePoint(
        at_s=points[0].at_s,
        sent=sum(point.sent for point in points),
        late_ms=max(point.late_ms for point in points),
        service_ms=sum((point.service_ms or 0.0) * point.sent for point in timed) / sent if sent else None,
    )
